"""A tiny teacher that really segments, a scan for it, and grids of every kind."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.files import write_volume
from gsema_core.grids import Geometry, Volume

VESSEL_LEVEL = 0.3
ANEURYSM_LEVEL = 0.8


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """``own_module("name", source)`` writes ``name.py`` into the current folder of the test.

    Only that makes it importable; what the test imported or added to the path is forgotten.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    before = set(sys.modules)

    def write(name: str, source: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        importlib.invalidate_caches()
        return path

    yield write
    for name in {path.stem for path in tmp_path.rglob("*.py")} - before:
        sys.modules.pop(name, None)


OWN_NETWORK = textwrap.dedent("""
    import torch
    from torch import nn
    from gsema_core.networks import Encoded

    class Small(nn.Module):
        def __init__(self, config, width: int = 4):
            super().__init__()
            self.config = config
            self.multiple = config.multiple
            self.down = nn.Conv3d(1, width, config.multiple, stride=config.multiple)
            self.up = nn.ConvTranspose3d(width, 3, config.multiple, stride=config.multiple)

        def encode(self, image):
            return Encoded(self.down(image), ())

        def decode(self, encoded):
            return self.up(encoded.latent)

        def forward(self, image):
            return self.decode(self.encode(image))
""")


@pytest.fixture
def own_network(own_module: Any) -> Callable[..., Any]:
    """``own_network("name", width=6)`` is the configuration of a network from outside."""
    from gsema_core.networks import NetworkConfig

    def make(name: str, **options: Any) -> Any:
        own_module(name, OWN_NETWORK)
        return NetworkConfig(f"{name}:Small", stages=2, options=options)

    return make


@pytest.fixture
def entry_point(tmp_path: Path, own_module: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``entry_point(group, name, value)`` installs a package that offers it."""

    def install(group: str, name: str, value: str, package: str = "offering") -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


@pytest.fixture(scope="session")
def tiny_config() -> Any:
    """The smallest network there is."""
    from gsema_core.networks import NetworkConfig

    return NetworkConfig(kind="cnn", features=8, stages=2, depth=1)


@pytest.fixture(scope="session")
def tiny_card(tiny_config: Any) -> Any:
    from gsema_core.teachers import TeacherCard

    return TeacherCard(
        name="tiny",
        network=tiny_config.to_dict(),
        spacing_mm=0.8,
        window=(32, 32, 32),
        intensity={"low": 1.0, "high": 99.9},
        training={"preset": "none", "steps": 0},
        metrics={"D": {"aneurysm_dice": 0.5}},
        license="CC0-1.0",
    )


@pytest.fixture(scope="session")
def random_network(tiny_config: Any) -> Any:
    """Seeded random weights."""
    import torch

    from gsema_core.networks import build_network

    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return build_network(tiny_config).eval()


@pytest.fixture(scope="session")
def threshold_network(tiny_config: Any) -> Any:
    """A network of the real architecture whose weights make it a threshold of the intensity.

    Its last convolution also sees the image itself: only that tap is left. Logits are 0 for the
    background, 40 (x - 0.3) for vessel and, steeper, an aneurysm's that overtake at x = 0.8.
    """
    import torch

    from gsema_core.networks import build_network

    torch.set_num_threads(1)
    network = build_network(tiny_config).eval()
    with torch.no_grad():
        head = network.head
        head.weight.zero_()
        head.bias.zero_()
        for subvoxel in range(8):
            seen = tiny_config.features + subvoxel
            head.weight[8 + subvoxel, seen, 1, 1, 1] = 40.0
            head.bias[8 + subvoxel] = -40.0 * VESSEL_LEVEL
            head.weight[16 + subvoxel, seen, 1, 1, 1] = 80.0
            head.bias[16 + subvoxel] = -40.0 * (VESSEL_LEVEL + ANEURYSM_LEVEL)
    return network


@pytest.fixture(scope="session")
def teacher_file(
    tmp_path_factory: pytest.TempPathFactory, threshold_network: Any, tiny_card: Any
) -> Path:
    """A teacher file that segments ``scan`` by its intensity."""
    from gsema_core.teachers import save_teacher

    path = tmp_path_factory.mktemp("teacher") / "tiny.safetensors"
    save_teacher(path, threshold_network, tiny_card)
    return path


@pytest.fixture(scope="session")
def oblique() -> Geometry:
    """Tilted, permuted, flipped and anisotropic."""
    angle = np.deg2rad(25.0)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    axes = turn @ np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return Geometry((44, 36, 52), (0.7, 0.9, 0.6), (31.0, -12.5, 77.0), tuple(axes.reshape(-1)))


@pytest.fixture(scope="session")
def make_scan() -> Callable[[Geometry], tuple[Volume, Volume]]:
    """Scan and truth on a grid: a tube 5 mm wide and an aneurysm 10 mm across beside it."""

    def make(geometry: Geometry) -> tuple[Volume, Volume]:
        k, j, i = np.indices(geometry.shape).reshape(3, -1)
        points = geometry.index_to_world(np.stack([i, j, k], axis=1).astype(float))
        points = points - np.asarray(geometry.center)
        tube = np.hypot(points[:, 0], points[:, 1]) < 2.5
        sac = np.linalg.norm(points - [6.0, 0.0, 2.0], axis=1) < 5.0
        truth = np.where(sac, 2, np.where(tube, 1, 0)).astype(np.uint8)
        brightness = np.array([100.0, 1300.0, 2000.0])[truth]
        noise = np.random.default_rng(3).normal(0.0, 15.0, truth.shape)
        image = (brightness + noise).astype(np.int16).reshape(geometry.shape)
        return Volume(image, geometry), Volume(truth.reshape(geometry.shape), geometry)

    return make


@pytest.fixture(scope="session")
def scan(make_scan: Any, oblique: Geometry) -> Volume:
    return make_scan(oblique)[0]


@pytest.fixture(scope="session")
def truth(make_scan: Any, oblique: Geometry) -> Volume:
    return make_scan(oblique)[1]


@pytest.fixture(scope="session")
def scan_file(tmp_path_factory: pytest.TempPathFactory, scan: Volume) -> Path:
    path = tmp_path_factory.mktemp("scan") / "scan.nrrd"
    write_volume(scan, path)
    return path


@pytest.fixture
def with_card(tiny_card: Any) -> Callable[..., Any]:
    """The tiny card with other values."""
    return lambda **changes: dataclasses.replace(tiny_card, **changes)


def _rotation(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[one, one, two, two], [one, two, one, two]] = c, -s, s, c
    return matrix


_OBLIQUE = _rotation(2, 20) @ _rotation(0, -15) @ _rotation(1, 10)
_PERMUTED = np.eye(3)[:, [2, 0, 1]]
_FLIPPED = np.diag([-1.0, -1.0, 1.0])
_MIRRORED = np.diag([1.0, -1.0, 1.0])  # left-handed, as some exports are

_DIRECTIONS = {
    "plain": np.eye(3),
    "flipped": _FLIPPED,
    "mirrored": _MIRRORED,
    "permuted": _PERMUTED,
    "oblique": _OBLIQUE,
    "oblique permuted flipped": _OBLIQUE @ _PERMUTED @ _FLIPPED,
}
GRIDS = [(name, spacing) for name in _DIRECTIONS for spacing in ("cubic", "anisotropic")]


@pytest.fixture(params=GRIDS, ids=lambda grid: f"{grid[0]}, {grid[1]}")
def geometry(request: pytest.FixtureRequest) -> Geometry:
    name, kind = request.param
    spacing = (0.4, 0.4, 0.4) if kind == "cubic" else (0.3, 0.5, 0.8)
    size = (60, 50, 44) if kind == "cubic" else (70, 48, 30)
    direction = tuple(_DIRECTIONS[name].reshape(-1))
    return Geometry(size, spacing, (-31.0, 17.0, 102.5), direction)


def world_of(geometry: Geometry) -> np.ndarray:
    """Every voxel's position in mm (LPS), as (k, j, i, 3)."""
    k, j, i = np.indices(geometry.shape)
    return geometry.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3)).reshape(
        *geometry.shape, 3
    )


@pytest.fixture
def world() -> Callable[[Geometry], np.ndarray]:
    return world_of


@pytest.fixture
def sphere_distance() -> Callable[[Geometry], np.ndarray]:
    """Signed distance in mm (negative inside) of each voxel from an off-center sphere."""

    def distance(geometry: Geometry) -> np.ndarray:
        center = np.add(geometry.center, (1.3, -1.1, 0.7))
        return np.linalg.norm(world_of(geometry) - center, axis=-1) - 4.0

    return distance
