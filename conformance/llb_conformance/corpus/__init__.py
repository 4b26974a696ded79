"""The negative corpus: bundles with one fault each, and the finding in which every reader has to end.

Start from `corpus()`. Every case is made from one good bundle (`good_bundle`) by a small change, has the same
bytes every time, and is valid up to the stage that has to refuse it.
"""

from functools import cache

from llb_conformance.corpus.archives import archive_cases
from llb_conformance.corpus.case import STAGES, Archive, Case, Folder, write_case
from llb_conformance.corpus.claims import claim_cases
from llb_conformance.corpus.documents import document_cases
from llb_conformance.corpus.draft import good_bundle
from llb_conformance.corpus.graphs import graph_cases
from llb_conformance.corpus.integrity import integrity_cases
from llb_conformance.corpus.meaning import meaning_cases
from llb_conformance.corpus.numerics import numerics_cases
from llb_conformance.corpus.schema import schema_cases
from llb_conformance.corpus.tables import table_cases

__all__ = ["STAGES", "Archive", "Case", "Folder", "corpus", "good_bundle", "write_case"]


@cache
def corpus() -> tuple[Case, ...]:
    """All cases in the order of their stages."""
    return (
        *archive_cases(),
        *document_cases(),
        *schema_cases(),
        *meaning_cases(),
        *integrity_cases(),
        *table_cases(),
        *graph_cases(),
        *numerics_cases(),
        *claim_cases(),
    )
