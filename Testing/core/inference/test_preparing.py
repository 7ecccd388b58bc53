"""What looks like no angiography is refused or noted, by the bundled teacher's card."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.inference.preparing import doubts, prepare_scan
from gsema_core.simulation.acquisition import acquire
from gsema_core.simulation.centers import CENTERS, random_protocol
from gsema_core.simulation.phantom import make_phantom
from gsema_core.teachers import BUNDLED_TEACHER, TeacherCard, load_teacher, read_card

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def card() -> TeacherCard:
    return read_card(BUNDLED_TEACHER)


@pytest.fixture(scope="module")
def no_angiography() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "no_angiography", BENCHMARKS / "no_angiography.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def labels() -> Volume:
    return make_phantom(3, size_mm=56.0)


def noise_of(no_angiography: ModuleType, name: str, voxels: int = 64) -> Volume:
    array = no_angiography.noise(name, np.random.default_rng(1), voxels)
    return Volume(array, Geometry(array.shape[::-1], (0.5,) * 3, (0.0,) * 3))


NOISES = (
    "white", "smoothed by 1", "smoothed by 2", "smoothed by 4", "salt and pepper", "salt",
    "salt, smoothed by 2", "Poisson of 0.02", "Poisson of 1", "Poisson of 30", "with a gradient",
    "with a steep gradient", "Poisson with a gradient", "Rician", "uniform", "exponential",
    "log-normal", "Cauchy", "Laplace", "of a power law", "of two levels",
)  # fmt: skip


@pytest.mark.parametrize("name", NOISES)
def test_noise_is_refused(no_angiography: ModuleType, card: TeacherCard, name: str) -> None:
    scan = prepare_scan(noise_of(no_angiography, name), card)
    with pytest.raises(UserError, match=r"looks like no angiography|Nothing in the scan"):
        doubts(scan, card)


def test_noise_yields_no_aneurysm_anywhere(no_angiography: ModuleType) -> None:
    segmenter = Segmenter(load_teacher(BUNDLED_TEACHER), "cpu")
    scan = noise_of(no_angiography, "smoothed by 4", 48)
    with pytest.raises(UserError, match="looks like no angiography"):
        segmenter.segment(scan)
    with pytest.raises(UserError, match="looks like no angiography"):
        segmenter.segment_at_points(segmenter.prepare(scan), [scan.geometry.center])
    anyway = SegmentationSettings(refuse_implausible=False)
    (note,) = segmenter.segment_at_points(scan, [scan.geometry.center], (), anyway).report["notes"]
    assert note.startswith("Unlike the model's training scans, ")
    assert "surroundings that vary by" in note


@pytest.mark.parametrize("center", ["A", "B", "C", "D"])
def test_a_good_scan_carries_no_note(card: TeacherCard, labels: Volume, center: str) -> None:
    scan, _ = acquire(labels, CENTERS[center], seed=4, model="light")
    assert doubts(prepare_scan(scan, card), card) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_scanners_carry_no_note(card: TeacherCard, seed: int) -> None:
    labels = make_phantom(100 + seed, size_mm=56.0)
    scan, _ = acquire(labels, random_protocol(100 + seed), seed=seed, model="light")
    assert doubts(prepare_scan(scan, card), card) == []


KINDS = [
    *(f"mask run of center {center}" for center in "ABCD"),
    *(f"inverted scan of center {center}" for center in "ABCD"),
    "scan in cm", "scan in m", "scan in micrometers",
    "projections, raw", "projections, log", "projections, subtracted",
    "CT of a head", "CT of a head, bone window", "CT of a head, brain window",
    "MR angiography (TOF) of a head", "T1-weighted MR of a head",
    "T1-weighted MR, cropped to 64 mm", "photo", "photos", "text", "text, noisy",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_angiography_is_noted_or_refused(
    no_angiography: ModuleType, card: TeacherCard, labels: Volume, kind: str
) -> None:
    scan = no_angiography.KINDS[kind](labels, np.random.default_rng(7))
    try:
        told = doubts(prepare_scan(scan, card), card)
    except UserError as error:
        told = [str(error)]
    assert len(told) == 1 and any(character.isdigit() for character in told[0])


@pytest.mark.parametrize("kind", ["mask run of center A", "inverted scan of center B"])
def test_without_vessels_there_is_no_result(
    no_angiography: ModuleType, card: TeacherCard, labels: Volume, kind: str
) -> None:
    scan = prepare_scan(no_angiography.KINDS[kind](labels, np.random.default_rng(7)), card)
    with pytest.raises(UserError, match="shaped like tubes"):
        doubts(scan, card)
    assert len(doubts(scan, card, refuse=False)) == 1


def test_a_card_without_ranges_refuses_only_what_is_empty(
    no_angiography: ModuleType, card: TeacherCard
) -> None:
    older = replace(card, appearance=None)
    assert doubts(prepare_scan(noise_of(no_angiography, "white"), older), older) == []
    empty = prepare_scan(noise_of(no_angiography, "salt"), older)
    with pytest.raises(UserError, match="Nothing in the scan is brighter"):
        doubts(empty, older)


@pytest.mark.parametrize(("mm", "told"), [(10.0, "640 mm along one axis"), (0.001, "only 0.1 x")])
def test_a_wrong_unit_is_told_at_once(card: TeacherCard, mm: float, told: str) -> None:
    geometry = Geometry((64, 64, 64), (mm,) * 3, (0.0,) * 3)
    with pytest.raises(UserError, match=told) as caught:
        prepare_scan(Volume(np.zeros((64, 64, 64), np.int16), geometry), card)
    assert "mm" in str(caught.value)
