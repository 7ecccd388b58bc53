"""A manifest of two small artery trees, and coarse scans of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gsema_core.files import write_labels
from gsema_core.grids import Volume
from gsema_core.simulation.phantom import make_phantom
from gsema_core.simulation.trees import field_of_view
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.world import world_scan


@pytest.fixture(scope="session")
def phantoms() -> list[Volume]:
    return [make_phantom(seed, size_mm=48.0, spacing_mm=0.8) for seed in (3, 4)]


@pytest.fixture(scope="session")
def artery_tree(phantoms) -> ArteryTree:
    return ArteryTree.of(phantoms[0], "one")


@pytest.fixture
def trees(phantoms, tmp_path) -> Path:
    """A manifest of two patients."""
    entries = []
    for name, phantom in zip(("one", "two"), phantoms, strict=True):
        write_labels(phantom, tmp_path / f"{name}.nrrd")
        entries.append({"patient": name, "centre": "A", "label": f"{name}.nrrd"})
    path = tmp_path / "trees.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def coarse(monkeypatch) -> None:
    """Few voxels, so that a scan takes a second."""
    monkeypatch.setattr(field_of_view, "FEWEST_VOXELS", 1e5)
    monkeypatch.setattr(field_of_view, "MOST_VOXELS", 2e5)
    monkeypatch.setattr(field_of_view, "COARSEST_MM", 1.5)
    monkeypatch.setattr(field_of_view, "LARGEST_MM", 60.0)
    monkeypatch.setattr(world_scan, "SCENE_MM", (1.0, 1.0))
