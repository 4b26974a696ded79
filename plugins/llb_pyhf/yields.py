"""From a workspace and a patch to the yields that a bundle takes, through pyhf's own model.

`llb.runtime.read_patchset` does the same without pyhf and without the workspace; this is the peer that it is
compared with, and the way for signals that exist as pyhf models only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jsonpatch
import jsonpointer
import numpy as np
import pyhf
from pyhf.exceptions import InvalidModel, InvalidModifier, InvalidSpecification

from llb_schema import FindingError, finding

__all__ = ["signal_yields"]


def signal_yields(
    workspace: Mapping[str, Any],
    patch: Sequence[Mapping[str, Any]],
    *,
    measurement: str | None = None,
    interpolation: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """What a patch adds to the expected events of every bin, all nuisances at their suggested values.

    The difference of the model at POI = 1 and at POI = 0: samples without the POI cancel, several signal
    samples add up, and normalisations of the signal are applied.

    Args:
        workspace: the background-only workspace as a JSON object; it is not changed.
        patch: JSON patch (RFC 6902) that adds the signal.
        measurement: name of the measurement, the first one by default.
        interpolation: interpolation codes by modifier type, `code4` and `code4p` by default.

    Returns:
        Events by bin id `<channel>[<index>]`, for the channels that the patched workspace has.

    Raises:
        FindingError: `LLB-Y013`, pyhf cannot apply the patch; `LLB-W052`, the patched workspace has no
            valid model.
    """
    codes = interpolation or {"normsys": "code4", "histosys": "code4p"}
    settings = {kind: {"interpcode": code} for kind, code in codes.items()}
    # Not validated here: pyhf does that when it builds the model.
    original = pyhf.Workspace(dict(workspace), validate=False)
    try:
        model = original.model(
            patches=[list(patch)], measurement_name=measurement, modifier_settings=settings
        )
    except (
        InvalidModel,
        InvalidSpecification,
        InvalidModifier,
    ) as error:
        message = f"pyhf makes no model of the patched workspace: {str(error)[:200]}"
        raise FindingError(finding("LLB-W052", message)) from error
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError) as error:
        raise FindingError(finding("LLB-Y013", f"pyhf cannot apply the patch: {str(error)[:200]}")) from error
    parameters = np.asarray(model.config.suggested_init(), dtype=np.float64)
    poi = model.config.poi_index
    if poi is None:
        raise FindingError(finding("LLB-W052", "the measurement has no parameter of interest"))
    # Asked for now: other packages switch pyhf's backend when they are imported.
    tensors: Any = pyhf.get_backend()[0]
    expected: list[Any] = []
    for strength in (1.0, 0.0):
        parameters[poi] = strength
        values = model.expected_actualdata(tensors.astensor(parameters.tolist()))
        expected.append(np.asarray(tensors.tolist(values), dtype=np.float64))
    difference = expected[0] - expected[1]
    return {
        f"{channel}[{index}]": float(value)
        for channel, part in model.config.channel_slices.items()
        for index, value in enumerate(difference[part])
    }
