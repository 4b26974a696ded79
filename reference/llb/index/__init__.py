"""Many bundles in a folder: what they are, as a document, a page to search and a list for HEPData."""

from llb.index.analyses import analyses_document
from llb.index.entries import Entry, ErrorOf
from llb.index.folder import Index, index_folder
from llb.index.page import index_page

__all__ = ["Entry", "ErrorOf", "Index", "analyses_document", "index_folder", "index_page"]
