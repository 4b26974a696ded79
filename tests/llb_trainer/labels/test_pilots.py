"""Pilots: as many as the labels to come need, drawn like them, and none of them."""

from __future__ import annotations

import numpy as np
import pytest
from teachers import embedded_teacher

from llb_trainer.labels.pilots import background_of, pilot_signals, pilots_among
from llb_trainer.sampling import Sampling, sample_signals


@pytest.mark.parametrize(("n", "pilots"), [(1, 256), (8192, 256), (16_000, 500), (10**6, 1024)])
def test_the_more_labels_the_more_pilots(n: int, pilots: int) -> None:
    teacher = embedded_teacher()
    nothing = np.empty((0, len(teacher.bins)))
    assert pilot_signals(teacher, nothing, n, Sampling()).shape == (pilots, len(teacher.bins))


def test_pilots_are_others_than_the_signals() -> None:
    teacher = embedded_teacher()
    nothing = np.empty((0, len(teacher.bins)))
    pilots = pilot_signals(teacher, nothing, 300, Sampling(seed=4))
    np.testing.assert_array_equal(pilots, pilot_signals(teacher, nothing, 300, Sampling(seed=4)))
    signals = sample_signals(background_of(teacher), nothing, 300, Sampling(seed=4))
    # the background-only point comes first in every sample
    assert not {tuple(row) for row in pilots[1:]} & {tuple(row) for row in signals[1:]}


def test_sampling_knows_what_the_fit_to_the_data_expects() -> None:
    teacher = embedded_teacher()
    (asimov,) = [curve.main for curve in teacher.curves if curve.name == "observed_asimov"]
    background = background_of(teacher)
    np.testing.assert_array_equal(background.least, np.minimum(background.events, asimov))
    assert np.any(background.least < background.events)


def test_given_signals_are_their_own_pilots_as_long_as_they_are_few() -> None:
    given = np.arange(3000.0)[:, None]
    assert len(pilots_among(given[:200])) == 200
    some = pilots_among(given)
    assert 128 < len(some) <= 256
    assert set(some.ravel()) <= set(given.ravel())


def test_where_bins_are_many_pilots_are_fewer() -> None:
    assert 900 < len(pilots_among(np.zeros((40_000, 10)))) <= 1024
    assert 256 < len(pilots_among(np.zeros((40_000, 50)))) <= 300
    assert len(pilots_among(np.zeros((40_000, 500)))) <= 256
