"""Scans for benchmarks: simulated ones are made once and kept in the temporary folder."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from gsema_core.files import read_volume, write_volume
from gsema_core.grids import Volume
from gsema_core.grids.boxes import box_geometry, box_of
from gsema_core.simulation import CENTERS, acquire, make_phantom


def add_scan_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scan", type=Path, help="a scan's file instead of a simulated one")
    parser.add_argument("--voxels", type=int, default=256, help="along each axis, if simulated")
    parser.add_argument("--spacing", type=float, default=0.3, help="mm, if simulated")
    parser.add_argument("--center", choices=sorted(CENTERS), default="A")
    parser.add_argument(
        "--crop", type=int, help="only the middle, this many voxels along each axis"
    )


def scan_of(arguments: argparse.Namespace) -> tuple[str, Volume]:
    """A scan and a name for it."""
    if arguments.scan is not None:
        name, volume = arguments.scan.name, read_volume(arguments.scan)
    else:
        name = f"simulated_{arguments.center}_{arguments.voxels}_{arguments.spacing:g}mm"
        volume = _simulated(name, arguments)
    if arguments.crop:
        lengths = [min(arguments.crop, n) for n in volume.array.shape]
        starts = [(n - length) // 2 for n, length in zip(volume.array.shape, lengths, strict=True)]
        box = box_of(starts, lengths)
        volume = Volume(volume.array[box].copy(), box_geometry(volume.geometry, box))
        name += f"_middle_{arguments.crop}"
    return name, volume


def _simulated(name: str, arguments: argparse.Namespace) -> Volume:
    kept = Path(tempfile.gettempdir()) / "gsema_benchmark_scans" / f"{name}.nrrd"
    if not kept.is_file():  # 512 voxels take minutes and 11 GB
        kept.parent.mkdir(exist_ok=True)
        spacing = arguments.spacing
        phantom = make_phantom(seed=5, size_mm=arguments.voxels * spacing, spacing_mm=spacing)
        protocol = replace(CENTERS[arguments.center], spacing_mm=spacing)
        write_volume(acquire(phantom, protocol, seed=5, model="light")[0], kept)
    return read_volume(kept)
