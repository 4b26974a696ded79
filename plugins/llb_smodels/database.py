"""The lines by which an analysis in a SModelS database uses a bundle."""

from __future__ import annotations

from collections.abc import Mapping

from llb.bundle import Manifest
from llb.runtime import aliases
from llb_schema import FindingError, finding
from llb_smodels.names import region_names

__all__ = ["global_info"]


def global_info(
    manifest: Manifest,
    model_file: str,
    *,
    region_set: str | None = None,
    datasets: Mapping[str, str | None] | None = None,
) -> str:
    """`regionMappings`, `regionSets`, `statModels` and `includeCRs` for an analysis' `globalInfo.txt`.

    The label of a region has to be the id of its dataset (`dataId` in `dataInfo.txt`): SModelS takes the
    signal of a region from the dataset of that label, and 0 if there is none.

    Args:
        manifest: of the bundle.
        model_file: name of the archived bundle, which lies in the folder of `globalInfo.txt`.
        region_set: name of the set of regions; the bundle's id by default.
        datasets: id of the dataset by bin (id, or bare channel of one bin); None for a bin that has none.
            By default signal and validation regions have one of the name of the channel (the id, where
            the channel has several bins), and control regions none. Bins that are not named keep that.

    Returns:
        Lines that end with a newline. `includeCRs` is True if a control region has a dataset.

    Raises:
        FindingError: `LLB-Y001`, `datasets` names a bin that the bundle does not have; `LLB-Y003`, it names
            a dataset twice.
    """
    regions = region_names(manifest)
    known, given = aliases(manifest), dict(datasets or {})
    if unknown := [name for name in given if name not in known]:
        message = f"unknown bin{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}"
        raise FindingError(finding("LLB-Y001", message, expected=", ".join(manifest.bin_ids)))
    found = {item.id: None if item.role == "CR" else regions[item.id] for item in manifest.bins}
    found |= {known[name]: dataset for name, dataset in given.items()}
    labels = {bin_id: dataset or regions[bin_id] for bin_id, dataset in found.items()}
    if twice := sorted({name for name in labels.values() if list(labels.values()).count(name) > 1}):
        raise FindingError(finding("LLB-Y003", f"several bins have the dataset {', '.join(twice)}"))
    roles = {item.id: item.role for item in manifest.bins}
    mappings = [
        f"  {_text(labels[bin_id])}: {{'smodels': {_text(found[bin_id])}, "
        f"'onnx': {_text(region)}, 'type': {_text(roles[bin_id])}}}"
        for bin_id, region in regions.items()
    ]
    name = _text(region_set or manifest.id)
    controls = any(roles[bin_id] == "CR" and dataset for bin_id, dataset in found.items())
    # A line goes on where the next one is indented.
    lines = [
        "regionMappings: {",
        ",\n".join(mappings),
        "  }",
        f"regionSets: {{{name}: [{', '.join(_text(labels[bin_id]) for bin_id in regions)}]}}",
        f"statModels: {{{name}: [('onnx', {_text(model_file)})]}}",
        f"includeCRs: {controls}",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str | None) -> str:
    """A literal for SModelS, which evaluates these lines as Python and cuts them at "#"."""
    return ascii(text).replace("#", "\\x23")
