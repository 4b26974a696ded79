"""Recipe files: everything that decides a bundle besides the statistical model, in TOML (docs/recipes.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llb_schema import Finding, FindingError, finding, load_schema, validate_document
from llb_trainer.sampling import Sampling
from llb_trainer.toml_files import meant, read_toml
from llb_trainer.training import Recipe

__all__ = ["FORMAT", "FORMAT_VERSION", "Plan", "read_plan"]

FORMAT, FORMAT_VERSION = "llb-recipe", "1.0"

_PUBLISHED = 0.4
"""Fraction along published directions, less than in `Sampling`: what fills space is harder to learn."""


@dataclass(frozen=True)
class Plan:
    """What is to be made, and how much work it may cost.

    Attributes:
        signals: signals to label for training; a tenth as many are held out, and as many calibrate.
        sampling: how they are drawn.
        recipe: how the ensemble is trained.
        signal_modifiers: what multiplies the signal besides the POI; None for lumi where there is one.
        processes: worker processes for the labels; one per core if None, none if 0.

    Raises `FindingError` LLB-T040 for less than one signal.
    """

    signals: int = 20_000
    sampling: Sampling = field(default_factory=lambda: Sampling(published=_PUBLISHED))
    recipe: Recipe = field(default_factory=Recipe)
    signal_modifiers: tuple[str, ...] | None = None
    processes: int | None = None

    def __post_init__(self) -> None:
        if self.signals < 1:
            message = f"the recipe's signals is {self.signals}, and must be at least 1"
            raise FindingError(finding("LLB-T040", message, pointer="signals", actual=str(self.signals)))

    def seeded(self, seed: int | None) -> Plan:
        """The same plan with another seed, of sampling and training; itself for None."""
        if seed is None:
            return self
        return replace(
            self, sampling=replace(self.sampling, seed=seed), recipe=replace(self.recipe, seed=seed)
        )


_SECTIONS: Mapping[str, type] = {
    "labels": Plan,
    "sampling": Sampling,
    "network": Recipe,
    "schedule": Recipe,
    "loss": Recipe,
}
"""The sections of a recipe file, and whose settings their keys are; what is left out has its default."""

_RANGE = "LLB-S006"
_WORDS: Mapping[str, str] = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string of 1 to 100 characters",
}


def read_plan(path: Path) -> Plan:
    """The plan in a recipe file.

    Args:
        path: TOML file that says what the schema `recipe` of the format allows.

    Raises:
        FindingError: LLB-X003 the file cannot be read; LLB-T042 it is no recipe that this version reads, or
            keys are unknown or of the wrong type, one finding each; LLB-T031 and LLB-T040 a setting is out of
            its range.
    """
    document = _document(path)
    # Ranges are left to the settings, which say them with codes of their own.
    faults = [item for item in validate_document(document, "recipe") if item.code != _RANGE]
    if faults:
        raise FindingError(_refused(path, document, item) for item in faults)
    seed = document.get("seed", Sampling.seed)
    given = {name: _settings(owner, document.get(name, {})) for name, owner in _SECTIONS.items()}
    recipe = {**given["network"], **given["schedule"], **given["loss"]}
    return Plan(
        sampling=replace(Plan().sampling, **given["sampling"], seed=int(seed)),
        recipe=Recipe(**recipe, seed=int(seed)),
        **given["labels"],
    )


def _document(path: Path) -> dict[str, Any]:
    document = read_toml(path, "LLB-T042")
    said = document.get("format"), document.get("format_version")
    if said != (FORMAT, FORMAT_VERSION):
        message = f"the recipe does not say format = {FORMAT!r} and format_version = {FORMAT_VERSION!r}"
        raise FindingError(finding("LLB-T042", message, pointer=str(path), actual=str(said)))
    return document


def _settings(owner: type, section: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the types of their defaults: in TOML 30 may stand for 30.0, in JSON 1.0 for 1."""
    # The steps have no default, but one by the size of the analysis: a whole number.
    defaults = {key: getattr(owner, key) for key in section}
    kinds = {key: int if default is None else type(default) for key, default in defaults.items()}
    return {key: kinds[key](value) for key, value in section.items()}


def _refused(path: Path, document: Mapping[str, Any], fault: Finding) -> Finding:
    """What the schema has found, in the words of a recipe: sections, keys, and the key that was meant."""
    *parents, name = fault.pointer.strip("/").split("/")
    where = f"[{parents[0]}] " if parents else ""
    schema: Any = load_schema("recipe")
    value: Any = document
    for part in parents:
        schema, value = schema["properties"][part], value[part]
    known: Mapping[str, Any] = schema["properties"]
    if name not in known:
        message = f"{where}{name} is not a key of a recipe{meant(name, known)}"
    elif name in _SECTIONS:
        message = f"[{name}] is no section"
    else:
        message = f"{where}{name} is {value[name]!r}, and must be {_WORDS[known[name]['type']]}"
    return finding("LLB-T042", message, pointer=f"{path}#{fault.pointer}", actual=fault.actual)
