"""Bundles as files: reading them safely, their manifest as typed data, writing them whole or not at all."""

from llb.bundle.archive import Container, open_container, read_archive
from llb.bundle.card import model_card
from llb.bundle.content import content_id, file_digests
from llb.bundle.contract import (
    AuxiliaryData,
    Coverage,
    Curve,
    CurveData,
    Domain,
    GraphSpec,
    InputBin,
    SignalModel,
    TensorSpec,
    Uncertainty,
)
from llb.bundle.density import (
    DENSITY_FAMILIES,
    Column,
    DensityManifest,
    DensityValidation,
    LogProbMetric,
    Meaning,
    Parameter,
    PriorFactor,
    SampleMetric,
)
from llb.bundle.density_rules import check_density_rules
from llb.bundle.difference import BundleDifference, FileChange, ValueChange, compare_bundles
from llb.bundle.file_writing import check_folder, check_free, write_file
from llb.bundle.head import FileEntry, ManifestHead, Provenance, ValidationPaths
from llb.bundle.identity import Analysis, Author, Reference, Software, Teacher, TeacherChannel, TeacherFile
from llb.bundle.manifest import Manifest, Metric, ValidationData
from llb.bundle.members import Limits
from llb.bundle.packing import pack
from llb.bundle.reader import (
    AnyBundle,
    Bundle,
    DensityBundle,
    OpenBundle,
    as_profile_likelihood,
    check_closed_list,
    check_manifest,
    checked_bundle,
    read_any_bundle,
    read_bundle,
    read_density_bundle,
    read_raw_manifest,
)
from llb.bundle.rules import check_rules
from llb.bundle.strict_json import parse_json
from llb.bundle.upgrade import is_current, upgrade_bundle
from llb.bundle.writer import (
    BundleFile,
    check_target,
    copy_bundle,
    dump_document,
    dump_numbers,
    write_bundle,
    write_files,
)

__all__ = [
    "DENSITY_FAMILIES",
    "Analysis",
    "AnyBundle",
    "Author",
    "AuxiliaryData",
    "Bundle",
    "BundleDifference",
    "BundleFile",
    "Column",
    "Container",
    "Coverage",
    "Curve",
    "CurveData",
    "DensityBundle",
    "DensityManifest",
    "DensityValidation",
    "Domain",
    "FileChange",
    "FileEntry",
    "GraphSpec",
    "InputBin",
    "Limits",
    "LogProbMetric",
    "Manifest",
    "ManifestHead",
    "Meaning",
    "Metric",
    "OpenBundle",
    "Parameter",
    "PriorFactor",
    "Provenance",
    "Reference",
    "SampleMetric",
    "SignalModel",
    "Software",
    "Teacher",
    "TeacherChannel",
    "TeacherFile",
    "TensorSpec",
    "Uncertainty",
    "ValidationData",
    "ValidationPaths",
    "ValueChange",
    "as_profile_likelihood",
    "check_closed_list",
    "check_density_rules",
    "check_folder",
    "check_free",
    "check_manifest",
    "check_rules",
    "check_target",
    "checked_bundle",
    "compare_bundles",
    "content_id",
    "copy_bundle",
    "dump_document",
    "dump_numbers",
    "file_digests",
    "is_current",
    "model_card",
    "open_container",
    "pack",
    "parse_json",
    "read_any_bundle",
    "read_archive",
    "read_bundle",
    "read_density_bundle",
    "read_raw_manifest",
    "upgrade_bundle",
    "write_bundle",
    "write_file",
    "write_files",
]
