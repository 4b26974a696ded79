"""Files of draws: CSV for people, npz for numpy, NetCDF for ArviZ."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding

__all__ = ["DRAW_FORMATS", "arviz_groups", "draws_bytes"]

Array = NDArray[np.float64]


def draws_bytes(suffix: str, names: Sequence[str], drawn: Array, log_prob: Array) -> bytes:
    """The content of a file of draws; the same draws give the same bytes, but for libraries' versions.

    Args:
        suffix: end of the file's name, one of `DRAW_FORMATS`.
        names: of the parameters, by column.
        drawn: (n, parameters).
        log_prob: (n,) log density at them.

    Raises:
        ModuleNotFoundError: a format needs a package of the extra `arviz`.
        FindingError: `LLB-X003`, a name that the format cannot hold.
    """
    return DRAW_FORMATS[suffix](names, drawn, log_prob)


def arviz_groups(names: Sequence[str], drawn: Array, log_prob: Array) -> dict[str, dict[str, Array]]:
    """Draws as `arviz.from_dict` takes them: one chain, (1, n) by name, and their log density as `lp`.

    Arguments as of `draws_bytes`.
    """
    posterior = {name: drawn[None, :, column] for column, name in enumerate(names)}
    return {"posterior": posterior, "sample_stats": {"lp": log_prob[None, :]}}


def _csv(names: Sequence[str], drawn: Array, log_prob: Array) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*names, "log_prob"])
    table.writerows(map(repr, row) for row in np.column_stack([drawn, log_prob]).tolist())
    return text.getvalue().encode()


def _npz(names: Sequence[str], drawn: Array, log_prob: Array) -> bytes:
    content = io.BytesIO()
    np.savez(content, samples=drawn, log_prob=log_prob, names=np.array(names))
    return content.getvalue()


def _netcdf(names: Sequence[str], drawn: Array, log_prob: Array) -> bytes:
    # Imported here: they are an extra, and take seconds.
    from arviz_base import from_dict

    # Said here if it is missing, and not by xarray in words of its own.
    import_module("h5netcdf")

    for name in names:
        if "/" in name:
            message = f"NetCDF has no variable named {name!r}: a slash begins a group"
            raise FindingError(finding("LLB-X003", message, pointer=name, hint="Write .npz instead."))
    tree = from_dict(arviz_groups(names, drawn, log_prob))
    for group in tree.subtree:
        # The time of writing is no property of the draws.
        group.attrs.pop("created_at", None)
    return bytes(tree.to_netcdf(engine="h5netcdf"))


DRAW_FORMATS: Mapping[str, Callable[[Sequence[str], Array, Array], bytes]] = MappingProxyType(
    {".csv": _csv, ".npz": _npz, ".nc": _netcdf}
)
"""Writers by the end of a file's name."""
