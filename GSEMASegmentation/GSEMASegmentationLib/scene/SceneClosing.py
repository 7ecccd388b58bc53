"""Being told that the scene will be closed."""

from __future__ import annotations

from collections.abc import Callable

import slicer


def beforeSceneCloses(call: Callable[[], None]) -> Callable[[], None]:
    """Call a function each time that the scene is about to be closed.

    Returns:
        A function that ends this.
    """
    scene = slicer.mrmlScene
    observation = scene.AddObserver(scene.StartCloseEvent, lambda caller, event: call())
    return lambda: scene.RemoveObserver(observation)
