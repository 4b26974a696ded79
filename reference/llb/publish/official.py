"""What HEPData's own validator says of a submission, as findings."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from hepdata_validator.full_submission_validator import FullSubmissionValidator

from llb_schema import Finding, finding

__all__ = ["official_findings"]

_REMOTE = "Autoloading of remote schema"


def official_findings(upload: Path) -> tuple[Finding, ...]:
    """All messages of the `hepdata-validator` about an archive for upload; nothing is fetched for it.

    Its remark that it did not fetch a table's own schema is left out: that is LLB-H012.
    """
    validator: Any = FullSubmissionValidator(autoload_remote_schemas=False)
    with warnings.catch_warnings():
        # It leaves files to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        validator.validate(archive=str(upload))
    return tuple(
        finding("LLB-H101", " ".join(message.message.split()), pointer=file)
        for file, messages in sorted(validator.get_messages().items())
        for message in messages
        if message.level == "error" and not message.message.startswith(_REMOTE)
    )
