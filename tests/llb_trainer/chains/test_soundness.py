"""Samples that cannot be learned from are told so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from chains import codes, small_samples

from llb_schema import FindingError
from llb_trainer.chains import Parameter, ParameterSamples, sample_findings, sound_samples


def changed(row: int, column: int, value: float) -> Callable[[ParameterSamples], ParameterSamples]:
    def change(samples: ParameterSamples) -> ParameterSamples:
        values = samples.values.copy()
        values[row, column] = value
        return replace(samples, values=values)

    return change


def density(value: float) -> Callable[[ParameterSamples], ParameterSamples]:
    return lambda s: replace(s, log_density=np.full(len(s), value))


FAULTS: dict[str, tuple[str, Callable[[ParameterSamples], ParameterSamples]]] = {
    "not a number": ("LLB-L204", changed(3, 2, np.nan)),
    "infinite": ("LLB-L204", changed(3, 2, -np.inf)),
    "below": ("LLB-L205", changed(3, 0, -1e-9)),
    "above": ("LLB-L205", changed(3, 1, 1.1)),
    "density of zero": ("LLB-L204", density(-np.inf)),
    "density unknown": ("LLB-L204", density(np.nan)),
    "a name twice": ("LLB-L206", lambda s: replace(s, parameters=(s.parameters[0],) * 2 + s.parameters[2:])),
    "few": ("LLB-L207", lambda s: ParameterSamples(s.parameters, s.values[:9])),
    "none": ("LLB-L207", lambda s: ParameterSamples(s.parameters, s.values[:0])),
    "single precision": ("LLB-L208", lambda s: replace(s, values=s.values.astype(np.float32))),  # pyright: ignore[reportArgumentType]
    "a column more": ("LLB-L203", lambda s: replace(s, values=np.hstack([s.values, s.values]))),
    "transposed": ("LLB-L203", lambda s: replace(s, values=s.values.T)),
    "no table": ("LLB-L203", lambda s: replace(s, values=s.values[:, 0])),
    "densities of others": ("LLB-L203", lambda s: replace(s, log_density=np.zeros(7))),
    "chains of others": ("LLB-L203", lambda s: replace(s, chain=np.zeros(7, dtype=np.int64))),
    "halves of chains": ("LLB-L208", lambda s: replace(s, chain=np.zeros(len(s)))),  # pyright: ignore[reportArgumentType]
    "no parameters": ("LLB-L203", lambda s: ParameterSamples((), s.values[:, :0])),
}


def test_good_samples_have_no_findings() -> None:
    for full in (True, False):
        assert sample_findings(small_samples(full=full)) == ()


@pytest.mark.parametrize(("code", "fault"), FAULTS.values(), ids=list(FAULTS))
def test_faults(code: str, fault: Callable[[ParameterSamples], ParameterSamples]) -> None:
    samples = fault(small_samples())
    assert code in [item.code for item in sample_findings(samples, "chain.npz")]
    with pytest.raises(FindingError) as error:
        sound_samples(samples)
    assert code in codes(error)


def test_the_message_names_the_parameter() -> None:
    (found,) = sample_findings(changed(3, 1, 1.1)(small_samples()), "chain.npz")
    assert "asymmetry" in found.message
    assert "1 samples" in found.message


def test_there_are_more_samples_than_parameters() -> None:
    wide = ParameterSamples(tuple(Parameter(f"p{i}") for i in range(150)), np.zeros((150, 150)))
    assert [item.code for item in sample_findings(wide)] == ["LLB-L207"]


def test_chains_are_cut_to_the_shortest() -> None:
    samples = small_samples(full=False)
    chain = np.r_[np.zeros(120), np.ones(80)].astype(np.int64)
    found = replace(samples, chain=chain).by_chain()
    assert found.shape == (2, 80, 3)
    np.testing.assert_array_equal(found[1], samples.values[120:])
    assert samples.by_chain().shape == (1, 200, 3)
    assert replace(samples, chain=chain).posterior()["mu"].shape == (2, 80)
