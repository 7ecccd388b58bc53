"""Whole artery trees: what flows where, and what a scan of them shows.

Changes of the anatomy, such as transplanted aneurysms and what merely looks like one, are functions
``change(tree, labels, box, filled, ..., rng)`` that return a record of JSON values, or None where
nothing was changed:

* ``tree``: the `ArteryTree` before any change;
* ``labels``: a copy of ``tree.labels``, changed in place: 0 background, 1 vessel, 2 aneurysm. What
  a change adds is filled with contrast as the lumen nearest to it is;
* ``box``: the field of view, as a pair of (3,) indices k, j, i on the labels' grid: lowest, and one
  beyond the highest;
* ``filled``: (N,) bool, which of ``tree.voxels`` will show contrast.
"""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.simulation.trees.artery_tree import ArteryTree as ArteryTree
else:
    __getattr__, __dir__ = lazy_exports(__name__)
