"""What the tests of other formats share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import olll_files
import onnx
import pytest

from llb.interop import ImportChoices, ImportReport, import_olll

Import = Callable[..., ImportReport]


@pytest.fixture
def bring(tmp_path: Path) -> Import:
    """Imports a network with metadata; choices as keywords."""

    def imported(
        model: onnx.ModelProto, values: Mapping[str, Any] | None = None, **choices: Any
    ) -> ImportReport:
        source = olll_files.write(tmp_path, model, values)
        chosen = ImportChoices(**{"signal_uncertainty": 0.0, "floor_asimov": True, **choices})
        return import_olll(
            source, tmp_path / "x.llb", facts=olll_files.facts(), choices=chosen, overwrite=True
        )

    return imported


@pytest.fixture
def standard() -> onnx.ModelProto:
    """The network that goes with `olll_files.document`."""
    return olll_files.learned(target=olll_files.standard_zero())
