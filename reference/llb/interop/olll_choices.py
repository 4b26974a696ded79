"""What an OLLL file leaves open and whoever imports it has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from llb.interop.olll_bins import OlllBin
from llb.interop.olll_pipelines import TransformSource

__all__ = ["ImportChoices", "OffsetRule", "offsets"]

OffsetRule = Literal["bkg", "obs-in-control-regions"]


@dataclass(frozen=True)
class ImportChoices:
    """The choices of an import.

    Attributes:
        offset: what the total yields of the training were counted from: the background everywhere (`bkg`), or
            the observed events in control and validation regions. None takes what the file states, which only
            our own exports do, and else the second: the published models were made with it.
        transforms: which of the two places counts where they disagree; None refuses that.
        run_config: the training's configuration, in place of what the file has.
        signal_modifiers: modifiers of the signal besides mu; None takes what the file states, as above, and
            else the luminosity, which the published models were made with.
        signal_uncertainty: flat relative uncertainty of the signal in the labels; None takes the file's own
            key, which v0.1 does not have.
        license: SPDX expression, in place of the file's text.
        authors: entries of a manifest's `authors`, in place of the file's.
        references: entries added to those that the file leads to.
        id, title: of the bundle, in place of what follows from the file.
        version: of the bundle.
        created: time of making; now if None.
        accept_closure: whether a large closure error is taken.
        floor_asimov: whether curves on Asimov data are lifted to 0 where they fall below it.
        optional_control_regions: whether a signal may leave out control and validation regions.
    """

    offset: OffsetRule | None = None
    transforms: TransformSource | None = None
    run_config: Mapping[str, Any] | None = None
    signal_modifiers: tuple[str, ...] | None = None
    signal_uncertainty: float | None = None
    license: str | None = None
    authors: tuple[Mapping[str, Any], ...] = ()
    references: tuple[Mapping[str, str], ...] = field(default=())
    id: str | None = None
    title: str | None = None
    version: str = "1.0.0"
    created: datetime | None = None
    accept_closure: bool = False
    floor_asimov: bool = False
    optional_control_regions: bool = False


def offsets(bins: tuple[OlllBin, ...], rule: OffsetRule) -> tuple[float, ...]:
    """(n,) events of each bin that the training's total yields were counted from."""
    return tuple(item.background if item.role == "SR" or rule == "bkg" else item.observed for item in bins)
