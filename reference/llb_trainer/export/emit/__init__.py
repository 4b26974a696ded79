"""The door between the two wings: a trained network and its teacher's truth become a bundle."""

from llb_trainer.export.emit.benchmarks import benchmarks_of
from llb_trainer.export.emit.bundle import emit_bundle
from llb_trainer.export.emit.emission import Benchmark, Emission, Identity, label_domain
from llb_trainer.export.emit.manifest import identity_document
from llb_trainer.export.emit.records import software

__all__ = [
    "Benchmark",
    "Emission",
    "Identity",
    "benchmarks_of",
    "emit_bundle",
    "identity_document",
    "label_domain",
    "software",
]
