"""The description of foreign samples in docs/densities.md is one that is read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from llb_trainer.chains import read_description, read_samples

PAGE = Path(__file__).resolve().parents[2] / "docs" / "densities.md"


def test_the_description_on_the_page(tmp_path: Path) -> None:
    match = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    (tmp_path / "chain.toml").write_text(match[1], encoding="utf-8")
    table = np.random.default_rng(0).uniform(0, 1, (300, 98))
    table[:, 97] = np.repeat([0, 1, 2], 100)
    np.savez(tmp_path / "chain.npz", chain=table)
    found = read_samples(tmp_path / "chain.npz", read_description(tmp_path / "chain.toml"))
    assert found.names == ("mu", "JES")
    np.testing.assert_array_equal(found.values, table[:, [0, 92]])
    np.testing.assert_array_equal(found.log_density, table[:, 96])
    assert found.by_chain().shape == (3, 100, 2)
