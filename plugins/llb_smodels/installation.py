"""Putting the adapter where SModelS imports it from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from llb_schema import FindingError, finding
from llb_smodels.adapter import BundleAdapter
from llb_smodels.sources import is_bundle

__all__ = ["MODULE", "AdapterModule", "install"]

MODULE = "smodels.statistics.hep_olll.nnAdapter"
"""Where SModelS imports `NNAdapter` from for models of type `onnx`; 3.2.1 on PyPI does not have it."""


class AdapterModule(ModuleType):
    """Stands for `MODULE`: bundles get our adapter, other files that of SModelS.

    Args:
        theirs: an adapter for files that are no bundles; by default SModelS' own, looked for when needed.
    """

    def __init__(self, theirs: Callable[..., Any] | None = None) -> None:
        super().__init__(MODULE, "Adapters of SModelS and LLB; see llb_smodels.install.")
        self._theirs = theirs

    def NNAdapter(  # noqa: N802 - SModelS' name
        self, model: Any, onnxfilename: str = "?", **options: Any
    ) -> Any:
        """The adapter of a model file, called as SModelS does.

        Raises:
            FindingError: the bundle cannot be used; `LLB-A001`, it is none, and SModelS has no adapter.
        """
        if isinstance(model, bytes) and not is_bundle(model):
            self._theirs = self._theirs or _own_adapter()
            if self._theirs is not None:
                return self._theirs(model, onnxfilename, **options)
        return BundleAdapter(model, onnxfilename, **options)


def install() -> None:
    """From now on, SModelS in this process takes bundles as statistical models of type `onnx`.

    To be called before predictions are made. A second call changes nothing. An adapter that is there already,
    loaded or not, stays in charge of files that are no bundles.

    Raises:
        FindingError: `LLB-X001`, SModelS is not installed.
    """
    if find_spec("smodels") is None:
        raise FindingError(
            finding("LLB-X001", "SModelS is not installed", hint="pip install 'llb[smodels]'.")
        )
    present = sys.modules.get(MODULE)
    if not isinstance(present, AdapterModule):
        sys.modules[MODULE] = AdapterModule(getattr(present, "NNAdapter", None))


def _own_adapter() -> Callable[..., Any] | None:
    """SModelS' own adapter, whose place in `sys.modules` ours has taken; None where it has none."""
    package, _, _ = MODULE.rpartition(".")
    try:
        spec = PathFinder.find_spec(MODULE, import_module(package).__path__)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return None
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.NNAdapter
