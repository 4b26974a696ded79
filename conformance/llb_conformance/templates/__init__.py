"""Frames of loader programs: the protocol is there, the answers are to be filled in."""

from importlib import resources

__all__ = ["template"]


def template(name: str) -> str:
    """The text of a frame: `loader.py`, `loader.mjs` or `loader.cpp`."""
    return (resources.files("llb_conformance.templates") / f"{name}.txt").read_text(encoding="utf-8")
