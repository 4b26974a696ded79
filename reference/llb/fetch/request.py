"""What is asked for, and its file for as long as it is worked on: in a hidden folder beside the target."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from llb.fetch.download import Arrival, Demands, Progress, download
from llb.fetch.patience import Patience
from llb.fetch.record import Record, Resource, Wanted, choose
from llb.fetch.reference import parse_reference
from llb.fetch.resolve import file_behind, resolve
from llb.fetch.services import Services
from llb.fetch.web import Web
from llb_schema import FindingError, finding

__all__ = ["Request", "arriving", "list_resources"]


@dataclass(frozen=True)
class Request:
    """Something published, and on what terms.

    Attributes:
        reference: a DOI, a record or a URL.
        resource: name or number of the resource of a record; the only likely one if None.
        demands: size and digest of the download.
        services: where they are.
        patience: how long they are waited for.
    """

    reference: str
    resource: str | None = None
    demands: Demands = field(default_factory=Demands)
    services: Services = field(default_factory=Services)
    patience: Patience = field(default_factory=Patience)


def list_resources(request: Request) -> Record:
    """What there is to fetch.

    Raises:
        FindingError: `LLB-D...`, the record cannot be had.
    """
    with Web(request.patience) as web:
        return resolve(parse_reference(request.reference, request.services), request.services, web)


@contextmanager
def arriving(
    request: Request, wanted: Wanted, target: Path, progress: Progress
) -> Generator[tuple[Resource, Arrival]]:
    """The resource and its downloaded file, which is gone afterwards, whatever happens.

    Raises:
        FindingError: `LLB-D...`, it cannot be had; `LLB-X003`, the disk refuses.
    """
    reference = parse_reference(request.reference, request.services)
    behind = partial(file_behind, services=request.services)
    try:
        with (
            tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as staging,
            Web(request.patience) as web,
        ):
            resource = choose(resolve(reference, request.services, web), wanted, request.resource)
            path = Path(staging) / _safe(resource.name)
            yield resource, download(resource, path, web, request.demands, behind=behind, progress=progress)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(target))) from error


def _safe(name: str) -> str:
    """A name that is safe to have, and that findings may show."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")[-100:] or "file"
