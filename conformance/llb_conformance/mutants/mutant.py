"""A wrong loader: the reference one, with one fault in what it hears, what it says, or what it opens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from llb.loader import Loader, Opened
from llb.runtime import ProfileLikelihood

__all__ = ["Mutant", "Opened", "WrongLoader"]

Message = dict[str, Any]


class WrongLoader:
    """The reference loader with a fault; subclasses change one thing. One object is one run.

    Args:
        opened: opens a bundle by its path, as the reference does.
    """

    def __init__(self, opened: Callable[[str], Opened]) -> None:
        self._loader = Loader(lambda path: self.opening(opened(path)))

    def answer(self, request: Message) -> Message:
        """The reply to a request."""
        # Where nothing is open, a fault that needs the bundle has nothing to get wrong.
        with suppress(RuntimeError):
            heard = self.heard(deepcopy(request))
            return self.said(request, deepcopy(self._loader.answer(heard)))
        return self._loader.answer(request)

    def heard(self, request: Message) -> Message:
        """What the loader makes of a request."""
        return request

    def said(self, request: Message, reply: Message) -> Message:
        """What the loader makes of the right reply."""
        return reply

    def opening(self, opened: Opened) -> Opened:
        """What the loader makes of a bundle, or of a refusal."""
        return opened

    def line(self, text: str) -> str:
        """The line that goes out."""
        return text

    @property
    def model(self) -> ProfileLikelihood:
        """The profile likelihood that is open."""
        return self._loader.model


@dataclass(frozen=True)
class Mutant:
    """A fault that loaders have.

    Attributes:
        name: of the fault, stable.
        what: the fault in a sentence.
        make: makes a loader that has it.
        conformance_class: the class whose cases have to notice it.
    """

    name: str
    what: str
    make: Callable[[Callable[[str], Opened]], WrongLoader]
    conformance_class: str = "core"
