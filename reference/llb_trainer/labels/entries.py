"""Labels signal by signal, as JSON objects for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llb_schema import number_to_json
from llb_trainer.labels.identity import TeacherRecord
from llb_trainer.teachers.contract import CurveLabels, Labels

__all__ = ["label_entries"]


def label_entries(names: Iterable[str], labels: Labels, teacher: TeacherRecord) -> list[dict[str, Any]]:
    """One object per signal: its name, and the four curves by name.

    A curve holds `nll` and `delta_nll` (natural -ln L), `gradient` (of Delta NLL, per event, by bin id),
    `edm` (estimated distance to the minimum), `projected_gradient` (what is left of the gradient where no
    bound holds it), `converged`, and `starts` (fits that were compared). An alias repeats the values of its
    owner, with its own baseline in `nll`, and says so by `alias_of`. Numbers that are not finite are null.
    """
    by_name = {curve.name: curve for curve in labels.curves}
    return [
        {
            "name": name,
            "curves": {
                curve.name: {
                    **_values(by_name[curve.alias_of or curve.name], row, curve.baseline_nll, teacher.bins),
                    **({"alias_of": curve.alias_of} if curve.alias_of else {}),
                }
                for curve in teacher.curves
            },
        }
        for row, name in enumerate(names)
    ]


def _values(curve: CurveLabels, row: int, baseline: float, bins: tuple[str, ...]) -> dict[str, Any]:
    delta = float(curve.delta[row])
    return {
        "nll": number_to_json(delta + baseline),
        "delta_nll": number_to_json(delta),
        "edm": number_to_json(curve.edm[row]),
        "projected_gradient": number_to_json(curve.projected_gradient[row]),
        "converged": bool(curve.converged[row]),
        "starts": int(curve.starts[row]),
        "gradient": {
            name: number_to_json(slope) for name, slope in zip(bins, curve.gradient[row], strict=True)
        },
    }
