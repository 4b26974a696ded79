"""Where the samples of a density come from: a file, a teacher, simulated experiments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from llb_trainer.chains import (
    Condition,
    Conditions,
    ParameterSamples,
    read_description,
    read_samples,
)
from llb_trainer.density_pipeline import Sampled
from llb_trainer.mcmc import DensitySampler, NutsSettings
from llb_trainer.teachers.densities import (
    DensityTeacher,
    ExactSampler,
    HistFactoryDensity,
    PriorFactor,
    draw_experiments,
    samples_source,
)

__all__ = ["experiments_of_workspace", "samples_of_file", "samples_of_teacher"]

_HELDOUT_SHARE = 0.25
"""Of the samples of a file, at most so many are held out."""


def samples_of_file(path: Path, description: Path | None = None, *, heldout: int = 4000) -> Sampled:
    """The samples in a file, some of them held out.

    Chains know of themselves: whole chains are held out if there are several, otherwise the last rows.

    Args:
        path: npz, npy, Parquet, CSV or HDF5.
        description: TOML or JSON file of what its columns mean; None for files that llb has written.
        heldout: how many to hold out, at most a quarter.

    Raises:
        FindingError: as `read_samples` and `read_description`.
    """
    samples = read_samples(path, read_description(description) if description else None)
    order = np.arange(len(samples))
    if samples.chain is not None:
        order = np.argsort(samples.chain, kind="stable")
    count = min(heldout, int(_HELDOUT_SHARE * len(samples)))
    first = _chain_begin(samples, order, len(order) - count)
    text = "as the samples have it; their file does not say"
    # Neighbours in a chain are alike: halves of the held-out rows have to be so, too.
    mixed = np.random.default_rng(0).permutation(order[first:])[:count]
    return Sampled(
        training=_rows(samples, order[:first]),
        heldout=_rows(samples, mixed),
        source=samples_source(*filter(None, (path, description))),
        text=f"Samples that were given in the file {path.name}.",
        prior=tuple(PriorFactor(item.name, "other", text=text) for item in samples.parameters),
        record={"file": path.name, "samples": len(samples)},
    )


def samples_of_teacher(
    teacher: DensityTeacher | ExactSampler,
    training: int,
    heldout: int,
    *,
    seed: int = 0,
    chains: int = 32,
    settings: NutsSettings | None = None,
    keep: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Sampled:
    """Draw from a teacher, by its own sampler if it has one, else by NUTS.

    Held-out draws come from chains of their own.

    Args:
        teacher: the density.
        training, heldout: draws.
        seed: of everything random.
        chains: of NUTS.
        settings: of NUTS.
        keep: whether samples that did not converge are handed on, with their figures in the record.
        progress: told how many draws are done, and how many there will be.

    Raises:
        FindingError: as `DensitySampler.run`.
    """
    record: dict[str, object] = {"seed": seed, "training": training, "heldout": heldout}
    if hasattr(teacher, "samples"):
        exact = cast("ExactSampler", teacher)
        parts = [exact.samples(training, seed), exact.samples(heldout, seed + 1)]
        how = "its own independent draws"
    else:
        sampler, parts, done = DensitySampler(teacher, settings or NutsSettings()), [], 0
        for number, n in enumerate((training, heldout)):
            told = _moved(progress, done, training + heldout)
            run = sampler.run(n, chains=chains, seed=seed + number, keep=keep, progress=told)
            parts.append(run.samples)
            done += n
            record[("training_chains", "heldout_chains")[number]] = {
                "chains": chains,
                "acceptance": run.acceptance,
                **run.diagnostics.summary(),
            }
        how = "the No-U-Turn Sampler"
    # Neighbours in a chain are alike: halves of the held-out rows have to be so, too.
    mixed = np.random.default_rng(seed).permutation(len(parts[1]))[:heldout]
    return Sampled(
        training=parts[0],
        heldout=_rows(parts[1], mixed),
        source=teacher.source,
        text=f"The posterior of {teacher.name}, sampled by {how}.",
        prior=teacher.prior,
        log_normalisation=teacher.log_normalisation,
        record=record,
    )


def experiments_of_workspace(
    density: HistFactoryDensity, training: int, heldout: int, *, seed: int = 0
) -> Sampled:
    """Simulated experiments: what a density of the parameters given the counts is learned from.

    Raises:
        FindingError: as `draw_experiments`.
    """
    seen, unseen = (draw_experiments(density, n, seed + i) for i, n in enumerate((training, heldout)))
    return Sampled(
        training=seen.parameters,
        heldout=unseen.parameters,
        source=density.source,
        text=f"Parameters of {density.name}, drawn from the prior, with the counts of experiments at them.",
        prior=density.prior,
        record={"seed": seed, "training": training, "heldout": heldout},
        conditions=Conditions(
            tuple(Condition(name, "events") for name in seen.bins), seen.counts, unseen.counts
        ),
    )


def _rows(samples: ParameterSamples, rows: NDArray[np.intp]) -> ParameterSamples:
    log_density = None if samples.log_density is None else samples.log_density[rows]
    return ParameterSamples(samples.parameters, samples.values[rows], log_density)


def _chain_begin(samples: ParameterSamples, order: NDArray[np.intp], row: int) -> int:
    """The first row of the chain in which a row lies, or the row itself if its chain is most of all."""
    if samples.chain is None:
        return row
    begin = int(np.searchsorted(samples.chain[order], samples.chain[order[row]]))
    return begin if begin >= len(order) // 2 else row


def _moved(
    progress: Callable[[int, int], None] | None, done: int, total: int
) -> Callable[[int, int], None] | None:
    """The progress of a part as that of the whole."""
    return None if progress is None else lambda part, _: progress(done + part, total)
