"""A simplified likelihood becomes a bundle, by the same door as a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplifieds

from llb.bundle import Analysis, Author, read_bundle
from llb.validation import validate
from llb_trainer.export.emit import Emission, Identity, emit_bundle, label_domain
from llb_trainer.labels import make_labels
from llb_trainer.sampling import Sampling
from llb_trainer.training import Recipe, train


@pytest.mark.parametrize("given", [simplifieds.document, simplifieds.skewed])
def test_the_bundle_is_valid_and_says_what_its_teacher_is(
    given: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    teacher = simplifieds.opened(tmp_path, given())
    none = np.empty((0, len(teacher.bins)))
    labels = make_labels(teacher, none, 600, Sampling(seed=1), second_look=4, processes=0)
    recipe = Recipe(width=12, depth=2, members=2, steps=400, batch=128)
    emission = Emission(
        identity=Identity("toy", "Four regions", (Author("A. Author"),), Analysis("toy")),
        teacher=teacher,
        labels=labels,
        recipe=recipe,
        trained=train(labels, recipe),
        domain=label_domain(labels),
    )
    path = emit_bundle(tmp_path / "toy.llb", emission)
    assert validate(path, 4).findings == ()
    manifest = read_bundle(path).manifest
    stated = manifest.teacher
    assert (stated.kind, stated.third_moments) == ("simplified_likelihood", teacher.likelihood.skewed)
    assert [(item.name, item.bytes, item.sha256) for item in stated.files] == [
        (teacher.likelihood.name, teacher.likelihood.size, teacher.likelihood.sha256)
    ]
    assert [(item.name, item.bins, item.samples) for item in stated.channels] == [
        (region, 1, ()) for region in teacher.likelihood.regions
    ]
    assert manifest.bin_ids == ("SR1[0]", "SR2[0]", "SR3[0]", "CR[0]")
    assert (manifest.signal_model.modifiers, manifest.signal_model.relative_uncertainty) == ((), 0.0)
    for curve, exact in zip(manifest.curves, teacher.curves, strict=True):
        assert (curve.name, curve.alias_of or "") == (exact.name, exact.alias_of)
        assert curve.baseline_nll == exact.baseline_nll
        assert [(item.name, item.values) for item in curve.data.auxiliary] == list(exact.auxiliary)
