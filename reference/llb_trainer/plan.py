"""Recipe files: everything that decides a bundle besides the statistical model, in TOML (docs/recipes.md)."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from llb_schema import FindingError, finding
from llb_trainer.sampling import Sampling
from llb_trainer.training import FEW_BINS, Recipe

__all__ = ["FORMAT", "FORMAT_VERSION", "Plan", "read_plan"]

FORMAT, FORMAT_VERSION = "llb-recipe", "1.0"

_PUBLISHED = 0.4
"""Fraction along published directions, less than in `Sampling`: what fills space is harder to learn."""
_LEAST_SIGNALS, _SIGNALS_PER_BIN = 20_000, 600


@dataclass(frozen=True)
class Plan:
    """What is to be made, and how much work it may cost.

    Attributes:
        signals: signals to label for training; a tenth as many are held out, and as many calibrate. None for
            20,000 and 600 for each bin beyond 15.
        sampling: how they are drawn.
        recipe: how the ensemble is trained.
        signal_modifiers: what multiplies the signal besides the POI; None for lumi where there is one.
        processes: worker processes for the labels; one per core if None, none if 0.

    Raises `FindingError` LLB-T040 for less than one signal.
    """

    signals: int | None = None
    sampling: Sampling = field(default_factory=lambda: Sampling(published=_PUBLISHED))
    recipe: Recipe = field(default_factory=Recipe)
    signal_modifiers: tuple[str, ...] | None = None
    processes: int | None = None

    def __post_init__(self) -> None:
        if self.signals is not None and self.signals < 1:
            message = f"the recipe's signals is {self.signals}, and must be at least 1"
            raise FindingError(finding("LLB-T040", message, pointer="signals", actual=str(self.signals)))

    def signals_for(self, n_bins: int) -> int:
        """Signals to label for training, in an analysis of so many bins."""
        if self.signals is not None:
            return self.signals
        return _LEAST_SIGNALS + _SIGNALS_PER_BIN * max(0, n_bins - FEW_BINS)

    def seeded(self, seed: int | None) -> Plan:
        """The same plan with another seed, of sampling and training; itself for None."""
        if seed is None:
            return self
        return replace(
            self, sampling=replace(self.sampling, seed=seed), recipe=replace(self.recipe, seed=seed)
        )


_SECTIONS: Mapping[str, tuple[type, tuple[str, ...]]] = {
    "labels": (Plan, ("signals",)),
    "sampling": (
        Sampling,
        tuple(item.name for item in fields(Sampling) if item.name not in {"seed", "metropolis", "active"}),
    ),
    "network": (Recipe, ("width", "depth", "members", "branches")),
    "schedule": (Recipe, ("steps", "batch", "learning_rate", "warm_up")),
    "loss": (Recipe, ("gradient_weight", "soft", "robust")),
}
"""Keys of each section and whose settings they are; what is left out has its default."""


def read_plan(path: Path) -> Plan:
    """The plan in a recipe file.

    Args:
        path: TOML file with `format = "llb-recipe"` and `format_version = "1.0"`.

    Raises:
        FindingError: LLB-X003 the file cannot be read; LLB-T042 it is no recipe that this version reads, or
            a key is unknown or of the wrong type; LLB-T031 and LLB-T040 a setting is out of its range.
    """
    document = _document(path)
    seed = _value(document, "seed", Sampling.seed, path)
    given = {name: _section(document, name, path) for name in _SECTIONS}
    recipe = {**given["network"], **given["schedule"], **given["loss"]}
    return Plan(
        sampling=replace(Plan().sampling, **given["sampling"], seed=seed),
        recipe=Recipe(**recipe, seed=seed),
        **given["labels"],
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refused(path, f"the recipe is not TOML: {error}") from error
    said = document.get("format"), document.get("format_version")
    if said != (FORMAT, FORMAT_VERSION):
        message = f"the recipe does not say format = {FORMAT!r} and format_version = {FORMAT_VERSION!r}"
        raise _refused(path, message, actual=str(said))
    known = {"format", "format_version", "seed", *_SECTIONS}
    for name in document:
        _known(name, known, path)
    return document


def _section(document: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    owner, keys = _SECTIONS[name]
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise _refused(path, f"[{name}] is no section", pointer=name)
    for key in section:
        _known(key, set(keys), path, section=name)
    return {key: _value(section, key, getattr(owner, key), path) for key in section}


def _value(section: Mapping[str, Any], key: str, default: Any, path: Path) -> Any:
    value = section.get(key, default)
    # What has no default is chosen by the size of the analysis: a whole number.
    wanted = int if default is None else type(default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        message = f"the recipe's {key} is {value!r}, and must be a {wanted.__name__}"
        raise _refused(path, message, pointer=key)
    return value


def _known(name: str, known: set[str], path: Path, section: str = "") -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        where = f"[{section}] " if section else ""
        hint = f"; did you mean {near[0]}?" if near else ""
        raise _refused(path, f"{where}{name} is not a key of a recipe{hint}", pointer=name)


def _refused(path: Path, message: str, *, pointer: str = "", actual: str = "") -> FindingError:
    return FindingError(
        finding("LLB-T042", message, pointer=f"{path}#{pointer}" if pointer else str(path), actual=actual)
    )
