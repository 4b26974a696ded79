"""Published bundles and statistical models: from HEPData, Zenodo and plain URLs, checked on arrival."""

from llb.fetch.bundles import DEFAULT_LEVEL, FetchedBundle, fetch_bundle
from llb.fetch.download import Demands, Progress
from llb.fetch.models import PublishedModel
from llb.fetch.patience import Patience
from llb.fetch.record import Record, Resource
from llb.fetch.request import Request, list_resources
from llb.fetch.services import Services
from llb.fetch.workspaces import FetchedModel, fetch_model

__all__ = [
    "DEFAULT_LEVEL",
    "Demands",
    "FetchedBundle",
    "FetchedModel",
    "Patience",
    "Progress",
    "PublishedModel",
    "Record",
    "Request",
    "Resource",
    "Services",
    "fetch_bundle",
    "fetch_model",
    "list_resources",
]
