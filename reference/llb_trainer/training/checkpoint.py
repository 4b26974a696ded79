"""Checkpoints of a training: a killed run goes on where it was, and ends with the same network."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np

from llb_schema import FindingError, finding
from llb_trainer.labels.files import replace_file

__all__ = ["Checkpoints"]

_IDENTITY = "training.json"


def _orbax() -> Any:
    """The library; importing it makes every package's log appear on stderr, which is undone here."""
    before = logging.root.handlers[:]
    import orbax.checkpoint

    logging.root.handlers[:] = before
    return orbax.checkpoint


class Checkpoints:
    """The checkpoints of one training, below a directory.

    Args:
        folder: the directory; made if it is not there.
        identity: what the training is made from; one with another identity is never gone on with.

    Raises:
        FindingError: LLB-T041 the directory holds the checkpoints of another training.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        said = self.folder / _IDENTITY
        if not said.exists():
            replace_file(said, json.dumps(identity, indent=2).encode())
        elif json.loads(said.read_text(encoding="utf-8")) != json.loads(json.dumps(identity)):
            raise FindingError(finding("LLB-T041", pointer=str(folder)))
        self.orbax = ocp = _orbax()
        self.manager = ocp.CheckpointManager(
            self.folder / "steps",
            options=ocp.CheckpointManagerOptions(max_to_keep=2, enable_async_checkpointing=False),
        )

    def save(self, step: int, state: Any, history: list[tuple[float, ...]]) -> None:
        """Keep the state (a tree of arrays) after `step` steps, and the history up to there."""
        ocp = self.orbax
        leaves = {str(number): np.asarray(leaf) for number, leaf in enumerate(jax.tree.leaves(state))}
        items = ocp.args.Composite(
            state=ocp.args.StandardSave(leaves), history=ocp.args.JsonSave({"rows": history})
        )
        self.manager.save(step, args=items)

    def latest(self, like: Any) -> tuple[int, Any, list[tuple[float, ...]]] | None:
        """Step, state and history of the newest checkpoint, the state of the same structure as `like`."""
        ocp = self.orbax
        step = self.manager.latest_step()
        if step is None:
            return None
        leaves, structure = jax.tree.flatten(like)
        template = {str(number): np.asarray(leaf) for number, leaf in enumerate(leaves)}
        found = self.manager.restore(
            step,
            args=ocp.args.Composite(state=ocp.args.StandardRestore(template), history=ocp.args.JsonRestore()),
        )
        arrays = [jax.numpy.asarray(found["state"][str(number)]) for number in range(len(leaves))]
        return step, jax.tree.unflatten(structure, arrays), [tuple(row) for row in found["history"]["rows"]]

    def clear(self) -> None:
        """Remove them: the training is done."""
        self.manager.close()
        shutil.rmtree(self.folder, ignore_errors=True)
