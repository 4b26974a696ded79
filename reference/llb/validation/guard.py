"""The last line of defence: whatever a hostile bundle breaks in a check is reported, not raised."""

from __future__ import annotations

from collections.abc import Callable

from llb_schema import Finding, FindingError, finding

__all__ = ["guarded"]


def guarded(check: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """What a check finds, or the finding in which its failure ends."""
    try:
        return check()
    except FindingError as error:
        return error.findings
    except MemoryError:
        return (finding("LLB-G017", pointer="/graphs"),)
    except Exception as error:
        return (finding("LLB-X900", f"the check failed with {type(error).__name__}: {str(error)[:200]}"),)
