"""Tables of a density: its parameters, and what is claimed of its logarithm and of its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llb.bundle import DensityValidation, Parameter
from llb.evaluation import density_errors, log_prob_figure, read_density_heldout
from llb.publish.data_table import QUANTILES, DataColumn, DataTable, Qualifier, cells
from llb.runtime import Density

__all__ = ["density_tables"]


def density_tables(density: Density, name: str, common: Callable[..., DataTable]) -> Iterator[DataTable]:
    """The tables of a bundle.

    Args:
        density: the bundle, ready to run.
        name: how the names of its tables begin.
        common: makes a table; it knows what all of them share.

    Raises:
        FindingError: the held-out table cannot be used, or a graph fails.
    """
    validation = density.manifest.validation
    yield _parameters(density.manifest.parameters, name, common)
    if validation.metrics:
        yield _log_density(density, name, common)
    if validation.sample_metrics:
        yield _distances(validation, name, common)


def _parameters(parameters: tuple[Parameter, ...], name: str, common: Callable[..., DataTable]) -> DataTable:
    return common(
        name=f"{name} parameters",
        description="The parameters of the density, in the order of the graph's columns; poi are parameters "
        "of interest. A dash: no bound.",
        observables=("Parameters",),
        columns=(
            DataColumn("Parameter", tuple(item.name for item in parameters), given=True),
            DataColumn("Role", tuple(item.role for item in parameters)),
            DataColumn("Unit", tuple(item.unit for item in parameters)),
            DataColumn("Lower bound", cells(item.lower for item in parameters)),
            DataColumn("Upper bound", cells(item.upper for item in parameters)),
        ),
    )


def _log_density(density: Density, name: str, common: Callable[..., DataTable]) -> DataTable:
    heldout = read_density_heldout(density.bundle)
    errors, validation = density_errors(density, heldout), density.manifest.validation
    metric = validation.metrics[0]
    figure = None if errors is None or heldout.log_prob is None else log_prob_figure(heldout.log_prob, errors)
    return common(
        name=f"{name} accuracy",
        description=f"What is claimed of the logarithm of the density: quantiles of its absolute error on "
        f"{metric.count} points that training never saw. {validation.method}",
        observables=("Log density",),
        columns=(
            DataColumn("Quantile", tuple(QUANTILES.values()), given=True),
            DataColumn(
                "|error of the log density|",
                cells(getattr(metric, key) for key in QUANTILES),
                qualifiers=(Qualifier("POINTS", metric.count),),
            ),
        ),
        figure=figure,
    )


def _distances(validation: DensityValidation, name: str, common: Callable[..., DataTable]) -> DataTable:
    metrics = validation.sample_metrics
    spread = ("standard deviation over repetitions", tuple(item.null_std for item in metrics))
    return common(
        name=f"{name} distances",
        description="What is claimed of the samples: distances between samples of the density and points "
        "that training never saw, each beside its null, the mean distance between two disjoint samples of "
        "the truth.",
        observables=("Sample distance",),
        columns=(
            DataColumn("Distance", tuple(item.quantity for item in metrics), given=True),
            DataColumn("Samples", tuple(item.n for item in metrics)),
            DataColumn("Density to truth", cells(item.value for item in metrics)),
            DataColumn("Truth to truth", cells(item.null for item in metrics), error=spread),
        ),
    )
