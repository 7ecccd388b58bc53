"""What becomes of a scan's result when the scan holds values that are no image.

    python Testing/benchmarks/disturbed.py cases/datalist.json --use test --scans 6 --threads 1

Every scan is segmented as it is and after each disturbance: fill, scattered and wrapped voxels,
saturation, metal. Prints Markdown: a row a disturbance with the Dice to the undisturbed result,
median and lowest over the scans, of aneurysms and of the whole lumen; where the image was
overwritten nothing is compared. "noted" counts the scans whose report says what was left out. On
simulated scans these are simulated results.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.datasets import choose_cases, find_cases
from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationSettings
from gsema_core.inference.opening import load_segmenter
from gsema_core.labels import ANEURYSM, BACKGROUND
from gsema_core.text_tables import markdown_table

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scan:
    """A scan to disturb.

    Attributes:
        image: (k, j, i) float64.
        aneurysms: where the undisturbed result has some; kept free of lumps.
        background, contrast: the median, and how far the brightest voxels rise above it.
        noise: standard deviation, from neighbors.
    """

    image: Array
    aneurysms: Mask
    background: float
    contrast: float
    noise: float

    @classmethod
    def of(cls, image: Array, aneurysms: Mask) -> Scan:
        values = image.astype(np.float64)
        background, top = np.percentile(values, (50, 99.99))
        noise = 1.4826 * np.median(np.abs(np.diff(values, axis=2))) / np.sqrt(2)
        return cls(values, aneurysms, float(background), float(top - background), float(noise))


Disturbed = tuple[Array, Mask]
"""The image, and where it no longer is image."""

Disturbance = Callable[[Scan, np.random.Generator], Disturbed]


def places(shape: tuple[int, ...]) -> list[Array]:
    """Coordinates of the voxels along each axis, -1 to 1."""
    return np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)


def outside_cylinder(shape: tuple[int, ...], axis: int) -> Mask:
    across = [place for n, place in enumerate(places(shape)) if n != axis]
    return np.broadcast_to(across[0] ** 2 + across[1] ** 2 > 1, shape)


def outside_sphere(shape: tuple[int, ...], axis: int = 0) -> Mask:
    return np.asarray(sum(place**2 for place in places(shape)) > 1)


def slab(share: float) -> Callable[[tuple[int, ...], int], Mask]:
    def of(shape: tuple[int, ...], axis: int = 0) -> Mask:
        return np.broadcast_to(places(shape)[axis] < 2 * share - 1, shape)

    return of


def border(shape: tuple[int, ...], axis: int = 0) -> Mask:
    return np.asarray(sum(np.abs(place) > 0.93 for place in places(shape)) > 0)


def corner(shape: tuple[int, ...], axis: int = 0) -> Mask:
    return np.asarray(sum(place for place in places(shape)) < -1.6)


def block(shape: tuple[int, ...], axis: int = 0) -> Mask:
    return np.asarray(
        np.all(np.broadcast_arrays(*(np.abs(p + 0.45) < 0.2 for p in places(shape))), 0)
    )


def fill(where: Callable[..., Mask], value: float, axis: int = 0) -> Disturbance:
    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        mask = where(scan.image.shape, axis)
        return np.where(mask, value, scan.image), mask

    return apply


def fill_at(where: Callable[..., Mask], contrasts: float) -> Disturbance:
    """Fill so many contrasts above the background."""

    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        value = np.round(scan.background + contrasts * scan.contrast)
        return fill(where, float(value))(scan, random)

    return apply


def blurred_fill(value: float) -> Disturbance:
    """A fill whose border was resampled."""

    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        mask = outside_cylinder(scan.image.shape, 0)
        share = ndimage.uniform_filter(mask.astype(np.float64), 3)
        return np.round(scan.image * (1 - share) + value * share), share > 0

    return apply


def several(*disturbances: Disturbance) -> Disturbance:
    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        image, lost = scan.image, np.zeros(scan.image.shape, dtype=bool)
        for disturb in disturbances:
            other, mask = disturb(scan, random)
            image, lost = np.where(mask, other, image), lost | mask
        return image, lost

    return apply


def scattered(share: float, *values: float, count: int = 0) -> Disturbance:
    """A share of the voxels, or a count of them, has one of the values."""

    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        image = scan.image.copy()
        chosen = random.choice(image.size, count or round(share * image.size), replace=False)
        image.reshape(-1)[chosen] = random.choice(values, chosen.size)
        return image, np.zeros(image.shape, dtype=bool)

    return apply


def scattered_at(share: float, contrasts: float) -> Disturbance:
    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        value = scan.background + contrasts * scan.contrast
        return scattered(share, float(np.round(value)))(scan, random)

    return apply


def any_value(share: float) -> Disturbance:
    return lambda scan, random: scattered(share, *random.integers(-32768, 32768, 500))(scan, random)


def away(scan: Scan, random: np.random.Generator, radius: int) -> tuple[int, ...]:
    """A place inside the volume, some voxels away from aneurysms."""
    room = ndimage.distance_transform_edt(~scan.aneurysms)
    inner = tuple(slice(radius + 1, n - radius - 1) for n in room.shape)
    free = np.argwhere(room[inner] > 2 * radius + 4)
    return tuple(int(n) for n in free[random.integers(len(free))] + radius + 1)


def ball(scan: Scan, center: tuple[int, ...], radius: float) -> Mask:
    axes = np.ogrid[tuple(slice(0, n) for n in scan.image.shape)]
    return np.asarray(sum((a - c) ** 2 for a, c in zip(axes, center, strict=True)) <= radius**2)


def lump(value: float, radius: int) -> Disturbance:
    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        mask = ball(scan, away(scan, random, radius), radius)
        return np.where(mask, value, scan.image), ndimage.binary_dilation(mask, iterations=2)

    return apply


def metal(contrasts: float, radius: int, streaks: float = 0.15) -> Disturbance:
    """A clip or coil, as sharp as the scanner is, with dark and bright streaks around it."""

    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        center = away(scan, random, radius)
        mask = ball(scan, center, radius)
        body = ndimage.gaussian_filter(mask.astype(np.float64), 0.8)
        j, i = np.ogrid[: mask.shape[1], : mask.shape[2]]
        angle = np.arctan2(j - center[1], i - center[2])
        away_from = np.hypot(j - center[1], i - center[2]) + radius
        plane = np.cos(9 * angle) * (radius / away_from) ** 1.5 * streaks
        level = np.exp(-0.5 * ((np.arange(mask.shape[0]) - center[0]) / radius) ** 2)
        added = contrasts * scan.contrast * (body + level[:, None, None] * plane)
        return scan.image + added, ndimage.binary_dilation(mask, iterations=4)

    return apply


def wrapped_tops(bits: int) -> Disturbance:
    """The brightest voxels went beyond what the integers hold."""

    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        top = scan.background + 0.75 * scan.contrast
        nothing = np.zeros(scan.image.shape, dtype=bool)
        return np.where(scan.image > top, scan.image - 2**bits, scan.image), nothing

    return apply


def wrapped_noise(scan: Scan, random: np.random.Generator) -> Disturbed:
    """Noise around 0 was stored without a sign."""
    shifted = np.round(scan.image - scan.background + scan.noise)
    return np.where(shifted < 0, shifted + 65536, shifted), np.zeros(shifted.shape, dtype=bool)


def clamped(low: float, high: float) -> Disturbance:
    """Cut off at two percentiles."""

    def apply(scan: Scan, random: np.random.Generator) -> Disturbed:
        image = np.clip(scan.image, *np.percentile(scan.image, (low, high)))
        return image, np.zeros(image.shape, dtype=bool)

    return apply


def eight_bits(scan: Scan, random: np.random.Generator) -> Disturbed:
    """A window of a viewer, with the lowest value as fill outside a cylinder."""
    low, high = np.percentile(scan.image, (0.5, 99.95))
    image = np.round(255 * np.clip((scan.image - low) / (high - low), 0, 1))
    mask = outside_cylinder(image.shape, 0)
    return np.where(mask, 0, image), mask


def letters(scan: Scan, random: np.random.Generator) -> Disturbed:
    """Bars burnt into the first slices."""
    mask = np.zeros(scan.image.shape, dtype=bool)
    mask[:4, 4:14:3, 4:40] = True
    return np.where(mask, 32767, scan.image), ndimage.binary_dilation(mask, iterations=2)


DISTURBANCES: dict[str, Disturbance] = {
    **{
        f"fill {value} outside a cylinder": fill(outside_cylinder, value)
        for value in (-1000, -1024, -2000, -3024, -32768, 0, 32767, 63536, 65535)
    },
    "fill -2000 outside a cylinder along j": fill(outside_cylinder, -2000, 1),
    "fill -2000 outside a cylinder along i": fill(outside_cylinder, -2000, 2),
    "fill 65535 outside a cylinder along i": fill(outside_cylinder, 65535, 2),
    **{
        f"fill {value} outside a sphere": fill(outside_sphere, value) for value in (-2000, 0, 65535)
    },
    "fill -2000 in a fifth of the slices": fill(slab(0.2), -2000),
    "fill -3024 in half of the slices": fill(slab(0.5), -3024),
    "fill 65535 in a tenth of the columns": fill(slab(0.1), 65535, 2),
    "fill 0 at the border": fill(border, 0),
    "fill -2000 at the border": fill(border, -2000),
    "fill -1024 in a corner": fill(corner, -1024),
    "fill -2000 in the middle": fill(block, -2000),
    "fill 0.5 contrasts below, outside a cylinder": fill_at(outside_cylinder, -0.5),
    "fill as bright as vessels, outside a cylinder": fill_at(outside_cylinder, 1.0),
    "fill -2000 with a resampled border": blurred_fill(-2000),
    "fill 65535 with a resampled border": blurred_fill(65535),
    "fill -2000 and 0": several(fill(outside_cylinder, -2000), fill(slab(0.1), 0)),
    "fill -3024, -1024 and 65535": several(
        fill(outside_cylinder, -3024), fill(slab(0.1), -1024), fill(corner, 65535)
    ),
    "fill -2000, and 1 % absurd voxels": several(
        scattered(0.01, -32768, 32767), fill(outside_cylinder, -2000)
    ),
    "400 scattered voxels of 32767": scattered(0, 32767, count=400),
    "400 scattered voxels of -32768": scattered(0, -32768, count=400),
    "1 % scattered 32767": scattered(0.01, 32767),
    "1 % scattered 65535": scattered(0.01, 65535),
    "1 % scattered -32768": scattered(0.01, -32768),
    "1 % scattered at both ends": scattered(0.02, -32768, 32767),
    "1 % scattered of any value": any_value(0.01),
    "1 % scattered, 3 contrasts above": scattered_at(0.01, 3),
    "1 % scattered, 2 contrasts below": scattered_at(0.01, -2),
    "one voxel of 1e9": scattered(0, 1e9, count=1),
    "a lump of 500 voxels of 32767": lump(32767, 5),
    "a lump of 500 voxels of -32768": lump(-32768, 5),
    "letters of 32767": letters,
    "vessels wrapped at 16 bits": wrapped_tops(16),
    "vessels wrapped at 12 bits": wrapped_tops(12),
    "noise around 0 wrapped at 16 bits": wrapped_noise,
    "saturated at the percentile 99.5": clamped(0, 99.5),
    "cut off at the percentile 30": clamped(30, 100),
    "a viewer's 8 bits, fill 0": eight_bits,
    "a clip, 8 contrasts": metal(8, 3),
    "a clip, 3 contrasts": metal(3, 3),
    "a coil, 10 contrasts": metal(10, 9),
    "a coil, 20 contrasts": metal(20, 7, 0.05),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--use", default="test")
    parser.add_argument("--scans", type=int, default=6, help="how many, from all over the list")
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--output", type=Path, help="every figure, as JSON")
    arguments = parser.parse_args()
    segmenter = load_segmenter(arguments.teacher, "cpu")
    settings = SegmentationSettings(threads=arguments.threads)
    of_use = choose_cases(find_cases(arguments.datalist), use=arguments.use)
    spread = np.linspace(0, len(of_use) - 1, min(arguments.scans, len(of_use)))
    cases = [of_use[round(number)] for number in spread]

    def labels_of(image: Array, like: Volume) -> tuple[Array, list[str]]:
        result = segmenter.segment(Volume(image, like.geometry), settings)
        return result.labels.array, result.report["notes"]

    figures: dict[str, list[dict[str, Any]]] = {name: [] for name in DISTURBANCES}
    for case in cases:
        volume = read_volume(case.image)
        expected, notes = labels_of(volume.array, volume)
        print(case.image.name, *notes, flush=True)
        scan = Scan.of(volume.array, expected == ANEURYSM)
        for number, (name, disturb) in enumerate(DISTURBANCES.items()):
            image, lost = disturb(scan, np.random.default_rng(number))
            try:
                found, notes = labels_of(image.astype(np.float32), volume)
            except UserError as error:
                figures[name].append({"scan": case.image.name, "refused": str(error)})
                continue
            figure = compare(found, expected, lost)
            figures[name].append({"scan": case.image.name, **figure, "notes": notes})
        if arguments.output:
            arguments.output.write_text(json.dumps(figures, indent=1) + "\n")
    print(markdown_table([row(name, of_scans) for name, of_scans in figures.items()]))
    medians = [row(name, of_scans) for name, of_scans in figures.items()]
    for kind in ("aneurysm", "lumen"):
        print(f"median of the medians, {kind}: {np.median([m[kind] for m in medians]):.3f}")


def compare(found: Array, expected: Array, lost: Mask) -> dict[str, float]:
    """Dice of aneurysms and of the lumen, where the image is still image."""
    return {
        "aneurysm": dice((found == ANEURYSM) & ~lost, (expected == ANEURYSM) & ~lost),
        "lumen": dice((found != BACKGROUND) & ~lost, (expected != BACKGROUND) & ~lost),
    }


def dice(one: Mask, other: Mask) -> float:
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0


def row(name: str, figures: list[dict[str, Any]]) -> dict[str, Any]:
    compared = [figure for figure in figures if "refused" not in figure]
    cells: dict[str, Any] = {"disturbance": name}
    for kind in ("aneurysm", "lumen"):
        values = [figure[kind] for figure in compared] or [float("nan")]
        cells[kind] = float(np.median(values))
        cells[f"lowest {kind}"] = min(values)
    cells["noted"] = sum(bool(figure["notes"]) for figure in compared)
    cells["refused"] = len(figures) - len(compared)
    return cells


if __name__ == "__main__":
    main()
