"""What bins are called on SModels' side: regions in the database, keys in the adapter's tables.

SModelS takes a key apart at its last "-". It looks the front up among the names that `regionMappings` gives
under `onnx`, and if it is not there, the front with the rest in brackets. So with keys `chan-0` and `chan-1`
a mapping to the bare `chan` puts the yields of one region into both bins, and control regions of several
bins are not recognised as such. Here the front is the whole name of the region, whatever the bin.
"""

from __future__ import annotations

from llb.bundle import Manifest
from llb.runtime import aliases

__all__ = ["key_of_region", "region_names"]


def region_names(manifest: Manifest) -> dict[str, str]:
    """The name under `onnx` of every bin, by bin id in column order.

    The bare channel for a channel with one bin, the id `<channel>[<index>]` for others.
    """
    bare = {bin_id: name for name, bin_id in aliases(manifest).items() if name != bin_id}
    return {bin_id: bare.get(bin_id, bin_id) for bin_id in manifest.bin_ids}


def key_of_region(region: str) -> str:
    """The key of a region's bin in `onnxMeta` and in the yields that SModelS asks with."""
    return f"{region}-0"
