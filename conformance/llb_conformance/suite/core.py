"""Which faults of the negative corpus every loader has to refuse (CONFORM-2), and why those.

A loader that overlooks one of them reads another document, another file or another number than the next
loader does. All other faults are a matter of class `recommended`, or `archives` where the bundle is one file.
"""

from __future__ import annotations

__all__ = ["CORE_FAULTS"]

# Two parsers could disagree about what the manifest says, or one of them never ends.
_TEXT = (
    "manifest-not-utf-8",
    "manifest-byte-order-mark",
    "manifest-utf-16",
    "manifest-empty",
    "manifest-truncated",
    "manifest-text-after-the-end",
    "manifest-trailing-comma",
    "manifest-comment",
    "manifest-single-quotes",
    "manifest-line-break-in-a-string",
    "manifest-leading-zero",
    "manifest-number-nan",
    "manifest-number-infinity",
    "manifest-number-overflows",
    "manifest-integer-beyond-a-double",
    "manifest-integer-of-a-million-digits",
    "manifest-key-twice",
    "manifest-key-twice-once-escaped",
    "manifest-key-twice-deep-inside",
    "manifest-nested-too-deeply",
    "manifest-never-ending-brackets",
    "manifest-too-large",
    "manifest-half-a-surrogate-pair",
)

# Another file would be read than the one that is meant.
_FILES = (
    "manifest-missing",
    "folder-symbolic-link",
    "folder-symbolic-link-outside",
    "listed-path-upwards",
    "listed-path-absolute",
    "listed-path-twice",
    "graph-path-upwards",
    "graph-path-an-address",
    "file-one-bit-flipped",
    "file-not-listed",
    "graph-not-listed",
)

# The document is of a kind, version or family that the loader does not have.
_KIND = (
    "manifest-an-array",
    "format-other",
    "format-missing",
    "version-newer-major",
    "version-between-the-known",
    "version-older",
    "version-not-a-version",
    "version-a-number",
    "version-missing",
    "feature-unknown",
    "feature-unknown-in-a-newer-version",
    "family-of-a-newer-version",
    "family-unknown",
)

# What a loader reads of the manifest is not what it takes it for, or contradicts itself.
_MEANING = (
    "key-missing-deep-inside",
    "key-unknown",
    "key-unknown-deep-inside",
    "number-as-text",
    "number-null",
    "integer-with-a-fraction",
    "curve-unknown",
    "mu-convention-unknown",
    "dtype-unknown",
    "batch-not-free",
    "truncation-negative",
    "inputs-none",
    "graphs-none",
    "shape-of-three",
    "bin-id-of-another-bin",
    "bin-twice",
    "bin-column-out-of-range",
    "curve-twice",
    "curve-columns-equal",
    "curve-observed-missing",
    "alias-of-itself",
    "alias-with-another-column",
    "domain-too-short",
    "domain-bounds-reversed",
    "domain-edges-equal",
    "domain-without-zero",
    "graph-of-no-role",
    "graph-role-twice",
    "shape-not-one-column-per-bin",
    "shape-not-one-column-per-curve",
)

# The graph is not what the manifest says, or more than a graph of the format may be.
_GRAPH = (
    "graph-not-onnx",
    "graph-empty",
    "graph-truncated",
    "graph-without-a-graph",
    "graph-input-of-a-node-missing",
    "graph-weights-too-short",
    "graph-in-a-circle",
    "graph-tensor-written-twice",
    "graph-opset-too-new",
    "graph-opset-not-the-declared",
    "graph-ir-version-too-new",
    "graph-ir-version-too-old",
    "graph-custom-domain-imported",
    "graph-custom-operator",
    "graph-operator-random",
    "graph-operator-not-portable",
    "graph-subgraph",
    "graph-function",
    "graph-external-data",
    "graph-external-data-outside",
    "graph-sparse-weights",
    "graph-sparse-constant",
    "graph-weight-nan",
    "graph-constant-tensor-nan",
    "graph-input-renamed",
    "graph-input-beside-the-declared",
    "graph-outputs-swapped",
    "graph-output-missing",
    "graph-in-single-precision",
    "graph-batch-fixed",
    "graph-of-more-bins",
)

CORE_FAULTS = frozenset((*_TEXT, *_FILES, *_KIND, *_MEANING, *_GRAPH))
"""Ids of the cases."""
