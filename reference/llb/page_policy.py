"""The content security policy of every HTML page that LLB writes or serves."""

from __future__ import annotations

import hashlib
from base64 import b64encode

__all__ = ["page_policy"]

_NOTHING = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page_policy(script: str = "", *, wasm: bool = False) -> str:
    """A policy by which a page may load nothing at all, and run no script but one.

    Args:
        script: the content of that one as it stands in the page; "" if there is none.
        wasm: whether the script may compile WebAssembly.
    """
    if not script:
        return _NOTHING
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    compiled = " 'wasm-unsafe-eval'" if wasm else ""
    return f"{_NOTHING}; script-src 'sha256-{digest}'{compiled}"
