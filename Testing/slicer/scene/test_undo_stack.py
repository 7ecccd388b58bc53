"""The one stack of what can be taken back, whoever changed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gsema_core.errors import UserError


@dataclass
class Step:
    """A change that only keeps a record of itself."""

    node: Any
    title: str
    isPossible: bool = True
    record: list[str] = field(default_factory=list)
    problem: str = ""

    def undo(self) -> None:
        if self.problem:
            raise UserError(self.problem)
        self.record.append(self.title)


@pytest.fixture
def stack(segmentation_module, scene):
    from GSEMASegmentationLib.scene.UndoStack import UndoStack

    return UndoStack()


@pytest.fixture
def node(scene):
    return scene.AddNewNodeByClass("vtkMRMLSegmentationNode")


def test_the_last_goes_first_and_what_is_gone_is_passed_over(stack, node):
    steps = [Step(node, title) for title in ("first", "gone", "last")]
    for step in steps:
        stack.add(step)
    steps[1].isPossible = False
    assert stack.changes == (steps[2], steps[0])
    assert [stack.undo().title, stack.undo().title] == ["last", "first"]
    assert steps[1].record == []
    with pytest.raises(UserError, match="nothing to take back"):
        stack.undo()


def test_what_cannot_be_taken_back_does_not_block_what_was_before(stack, node):
    first, second = Step(node, "first"), Step(node, "second", problem="edited since")
    stack.add(first)
    stack.add(second)
    with pytest.raises(UserError, match="edited since"):
        stack.undo()
    assert stack.undo() is first


def test_changes_of_removed_segmentations_are_not_kept(stack, node, scene):
    stack.add(Step(node, "first"))
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    scene.RemoveNode(node)
    stack.add(Step(other, "second"))
    assert [one.title for one in stack._changes] == ["second"]
