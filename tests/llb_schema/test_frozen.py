"""The schemas of a released format version never change: they give the same answer ever after."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from llb_schema import LINES

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "llb_schema"

# A change of these is a new version of the format, with a folder and digests of its own.
DIGESTS = {
    "0.1/common.schema.json": "2a99cea3d7ee59b8b6ca2a8228e87cabfea50cd113263c9a124dab870ec22b6e",
    "0.1/finding.schema.json": "0a5bf5b80b908781798c5318624b3a0b775b2c30a89fbd12f531e0647b732acb",
    "0.1/manifest.schema.json": "b94ef3e3f2e448952aae2d3357422b6fa5757f5dfcf12b59a220f4d5e5bbafb7",
    "0.1/report.schema.json": "482344c698b8b1d5e94b652db78e95862e1aae806f47282b98d0fc0548a9ea1d",
    "0.1/vectors.schema.json": "95a9da72580b97a7433a011b0bf754082ca4e1ee48a3c7c54101d8d76a30beda",
    "1.0/common.schema.json": "bb96a5090349a5c6c342e6ed4acf567b01e154ba7a63b72d9689c843a9f07e84",
    "1.0/finding.schema.json": "34c7d8ee70c8df1a40415cd576d3b00a13bb78aeaeb42738086e2c736b42ac6f",
    "1.0/manifest.schema.json": "355c7d7d0ab12190131b9837671ec763bbd5ec3b89cafe97fadfb3203fd4ab1d",
    "1.0/protocol.schema.json": "81f4d33c5be132422799bab57cb0d87e7a70079e92262475b1e0cc93b07cd75b",
    "1.0/recipe.schema.json": "9d05b4a68ed09330040bec94ba2ba23f7ec558fe2db92f731ec67cc0c64e8a39",
    "1.0/report.schema.json": "14cee54e0dc5900d8b180243984f2d15b3657b917fb9fe2c930efa4451bd89d5",
    "1.0/vectors.schema.json": "18eee6e6446c71f92d071199c6194c1bc2208a57eacb1d70b8a9b1a2403203aa",
    "1.1/common.schema.json": "67daddd23e5c858bc262aafa9032a3ead1f35fa3fb52dc55447041b3d73a45f5",
    "1.1/finding.schema.json": "d2c14b5897d3609b68bbfc84c0cc5c29d2116612254f6e8fa5ffc34968a30f27",
    "1.1/manifest.schema.json": "f4ac0b84b32a5b934cee6107ff9323db79639fd50ce62eb4341412c24d4ab173",
    "1.1/protocol.schema.json": "275e51d705a7e42f4812dce4814a2d4b56aa35c71132e9c56971823428bf0df7",
    "1.1/recipe.schema.json": "21d0ede6e6c5fbab34fe9509f4db6b9862c5ca2e6ec7685c063bb64280d7dd8d",
    "1.1/report.schema.json": "8d68aea81f6e700d2a5a50db391f28bb63caf8a3f9f7f10949d4ab03bcd2cf36",
    "1.1/vectors.schema.json": "02c9192a41c86fd14d4600629170aa6157faba19ae5d6fafcb80fbeb145c89d9",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_released_schema_is_what_it_was(name: str) -> None:
    assert hashlib.sha256((SCHEMA / name).read_bytes()).hexdigest() == DIGESTS[name]


def test_every_schema_of_a_released_version_is_frozen() -> None:
    present = {path.relative_to(SCHEMA).as_posix() for path in SCHEMA.rglob("*.json")} - {"catalogue.json"}
    assert present == set(DIGESTS)
    assert {name.split("/")[0] for name in present} == set(LINES)
