"""What was done to the segmentations of the scene, so that the last of it can be taken back."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Redoable(Change, Protocol):
    """A change that can be done again after it was taken back."""

    @property
    def canRedo(self) -> bool:
        """Whether the scene is as it was before, so far as that is seen at once."""
        ...

    def redo(self) -> None:
        """Do it again.

        Raises:
            UserError: somebody has changed the same since; nothing is done.
        """
        ...


class UndoStack:
    """One for everything that changes segments: clicks, cuts, rejections; the last goes first."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._undone: list[Redoable] = []

    @property
    def changes(self) -> tuple[Change, ...]:
        """What can be taken back, the last one first."""
        return tuple(change for change in reversed(self._changes) if change.isPossible)

    def add(self, change: Change) -> None:
        """Remember a change, and forget those of segmentations that have left the scene."""
        present = slicer.mrmlScene.IsNodePresent
        self._changes = [one for one in self._changes if present(one.node)]
        self._changes.append(change)
        self._undone.clear()

    @property
    def undone(self) -> Redoable | None:
        """What ``redo`` would do again; None for nothing."""
        last = self._undone[-1] if self._undone else None
        return last if last is not None and last.canRedo else None

    def redo(self) -> Change:
        """Do again what was taken back last, and return it.

        Only until something else is changed or taken back that cannot be done again.

        Raises:
            UserError: there is nothing, or the segments were changed since.
        """
        change = self.undone
        if change is None:
            raise UserError(_("There is nothing to do again."))
        self._undone.pop()
        change.redo()
        self._changes.append(change)
        return change

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
                if isinstance(change, Redoable):
                    self._undone.append(change)
                else:
                    self._undone.clear()
                return change
        raise UserError(_("There is nothing to take back."))
