"""What was done to the segmentations of the scene, so that the last of it can be taken back."""

from __future__ import annotations

from typing import Any, Protocol

import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError


class Change(Protocol):
    """Something that a user did to a segmentation.

    Attributes:
        node: the segmentation.
        title: what it was, after "take back": "the click", "the cut of Aneurysm 2".
    """

    node: Any
    title: str

    @property
    def isPossible(self) -> bool:
        """Whether what was changed is still in the scene."""
        ...

    def undo(self) -> None:
        """Take the change back completely.

        Raises:
            UserError: somebody has changed the same since; nothing is done.
        """
        ...


class UndoStack:
    """One for everything that changes segments: clicks, cuts, rejections; the last goes first."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    @property
    def changes(self) -> tuple[Change, ...]:
        """What can be taken back, the last one first."""
        return tuple(change for change in reversed(self._changes) if change.isPossible)

    def add(self, change: Change) -> None:
        """Remember a change, and forget those of segmentations that have left the scene."""
        present = slicer.mrmlScene.IsNodePresent
        self._changes = [one for one in self._changes if present(one.node)]
        self._changes.append(change)

    def undo(self) -> Change:
        """Take the last change back, and return it; those whose segments are gone are passed over.

        Raises:
            UserError: there is none, or its segments were changed since. It is then forgotten, so
                that the next call takes back the one before.
        """
        while self._changes:
            change = self._changes.pop()
            if change.isPossible:
                change.undo()
                return change
        raise UserError(_("There is nothing to take back."))
