"""The FAIR4ML export of a bundle: a trained model, for catalogues of them (JSON-LD, FAIR4ML 0.1.0)."""

from __future__ import annotations

from typing import Any

from llb.bundle import DensityManifest, Manifest, ManifestHead
from llb.publish.deposition import KEYWORDS
from llb.publish.licences import license_page
from llb.publish.linked import creators, identifier
from llb.publish.relations import address
from llb.validation.identifiers import leads_to_data, leads_to_paper

__all__ = ["fair4ml_document"]

_VOCABULARY = "https://w3id.org/fair4ml/"


def fair4ml_document(manifest: ManifestHead, content: str, doi: str | None) -> dict[str, Any]:
    """The document.

    Args:
        manifest: of the bundle.
        content: its content id.
        doi: of the record, where it is reserved already.
    """
    papers = [address(item) for item in manifest.references if leads_to_paper(item)]
    sources = [address(item) for item in manifest.references if leads_to_data(item)]
    heldout = {"@type": "Dataset", "name": manifest.evidence.heldout}
    document: dict[str, Any] = {
        "@context": {"@vocab": "https://schema.org/", "fair4ml": _VOCABULARY},
        "@type": "fair4ml:MLModel",
        "@id": identifier(manifest, content, doi),
        "identifier": [identifier(manifest, content, doi), f"sha256:{content}"],
        "name": manifest.title,
        "description": f"Learned from the full statistical model of {manifest.analysis}.",
        "version": manifest.version,
        "author": creators(manifest),
        "license": license_page(manifest.license),
        "dateCreated": manifest.created,
        "keywords": [*KEYWORDS, manifest.analysis.name],
        "fair4ml:mlTask": _task(manifest),
        "fair4ml:modelCategory": "ONNX graph",
        "fair4ml:intendedUse": _use(manifest),
        "fair4ml:modelRisksBiasLimitations": _limits(manifest),
        "fair4ml:usageInstructions": f"llb validate {manifest.id}.llb",
        "fair4ml:codeSampleSnippet": _snippet(manifest),
        "fair4ml:testedOn": heldout,
        "fair4ml:evaluationMetrics": _metrics(manifest),
    }
    if papers:
        document["citation"] = papers
    if sources:
        document["isBasedOn"] = sources
    return document


def _task(manifest: ManifestHead) -> str:
    return "density estimation" if manifest.family == "full_likelihood" else "regression"


def _use(manifest: ManifestHead) -> str:
    if isinstance(manifest, Manifest):
        return (
            "Delta NLL, CLs and upper limits of signals in this analysis, in place of fits of its full model."
        )
    return "The density of the parameters of this analysis in place of its full model."


def _limits(manifest: ManifestHead) -> str:
    parts = (
        f"{name}: {low:g} to {high:g}"
        for name, low, high in zip(
            manifest.columns, manifest.domain.lower, manifest.domain.upper, strict=True
        )
    )
    return f"Trained inside a box only: {'; '.join(parts)}. Points outside are flagged by loaders."


def _snippet(manifest: ManifestHead) -> str:
    if isinstance(manifest, Manifest):
        return f'import llb\nmodel = llb.load("{manifest.id}.llb")\ndelta = model.delta_nll(yields)'
    load = f'density = load_density("{manifest.id}.llb")'
    return f"from llb.runtime import load_density\n{load}\nvalue = density.log_prob(points)"


def _metrics(manifest: ManifestHead) -> list[str]:
    if isinstance(manifest, Manifest):
        return [
            f"|error of Delta NLL|, {item.curve}, {item.region}, {item.count} points: median "
            f"{item.median:.3g}, 99 % below {item.p99:.3g}"
            for item in manifest.validation.metrics
        ]
    if isinstance(manifest, DensityManifest):
        errors = [
            f"|error of log density|, {item.count} points: median {item.median:.3g}, "
            f"99 % below {item.p99:.3g}"
            for item in manifest.validation.metrics
        ]
        distances = [
            f"{item.quantity}: {item.value:.3g}, null {item.null:.3g} +- {item.null_std:.3g}"
            for item in manifest.validation.sample_metrics
        ]
        return errors + distances
    return []
