"""A teacher is chosen by what its users get: the likeliest class, certainty, walls, cleaning."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gsema_core.datasets.cache import CachedVolume
from gsema_core.grids import Geometry
from gsema_core.inference import Segmenter
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.labels import ANEURYSM, IGNORE, VESSEL
from gsema_core.networks import NetworkConfig
from gsema_core.teachers import load_teacher, read_card
from gsema_core.training import train, validation
from gsema_core.training.validation import (
    OVERLAP,
    chosen_by,
    decided,
    validate,
    validation_settings,
)

SPACING = 0.5
DARK = np.zeros((40, 40, 40), np.float32)
DEFAULT = SegmentationSettings(overlap=0.25, walls_by_scan=False)
TUBE = (slice(2, 38), slice(18, 23), slice(18, 23))
BALL = (slice(16, 24), slice(23, 31), slice(16, 24))


def probabilities(*parts) -> np.ndarray:
    """(2, 40, 40, 40) of vessel and aneurysm: each part a box, a label and its probability."""
    foreground = np.zeros((2, 40, 40, 40), np.float32)
    for box, label, probability in parts:
        foreground[(label - 1, *box)] = probability
    return foreground


def volume_of(image: np.ndarray, labels: np.ndarray) -> CachedVolume:
    places = (np.argwhere(labels == label).astype(np.int32) for label in (VESSEL, ANEURYSM))
    return CachedVolume(None, image, labels, *places)


@pytest.mark.parametrize(("probability", "label"), [(0.69, VESSEL), (0.71, ANEURYSM)])
def test_an_aneurysm_that_is_not_certain_is_vessel(probability, label):
    foreground = probabilities((TUBE, VESSEL, 0.9), (BALL, ANEURYSM, probability))
    assert (decided(foreground, DARK, SPACING, DEFAULT)[BALL] == label).all()


def test_without_a_bar_the_likeliest_class_wins():
    foreground = probabilities((TUBE, VESSEL, 0.9), (BALL, ANEURYSM, 0.55))
    settings = SegmentationSettings(minimum_certainty=0.0)
    assert (decided(foreground, DARK, SPACING, settings)[BALL] == ANEURYSM).all()


def test_background_must_outweigh_vessel_and_aneurysm_together():
    """Argmax would leave a gap between a sac and its vessel."""
    foreground = probabilities((TUBE, VESSEL, 0.9), (BALL, ANEURYSM, 0.9))
    neck = (slice(18, 22), 22, slice(18, 22))
    foreground[(0, *neck)], foreground[(1, *neck)] = 0.35, 0.25  # and 0.40 of background
    assert (decided(foreground, DARK, SPACING, DEFAULT)[neck] == VESSEL).all()


def test_what_is_too_small_or_hangs_on_nothing_is_cleaned_away():
    far = (slice(30, 38), slice(32, 40), slice(0, 8))
    speck = (slice(8, 11), slice(23, 26), slice(18, 21))  # 27 voxels of 1/8 mm3
    crumb = (slice(2, 6), slice(2, 6), slice(2, 6))  # 8 mm3
    foreground = probabilities(
        (TUBE, VESSEL, 0.9), (far, ANEURYSM, 0.9), (speck, ANEURYSM, 0.9), (crumb, VESSEL, 0.9)
    )
    labels = decided(foreground, DARK, SPACING, DEFAULT)
    assert (labels[TUBE] == VESSEL).all()
    assert (labels[speck] == VESSEL).all()
    assert not labels[far].any() and not labels[crumb].any()


@pytest.mark.parametrize("walls", [False, True])
def test_it_is_the_segmenters_own_rule(teacher_file, make_scan, walls):
    """Of a scan whose grid is the working grid already, at every certainty."""
    teacher = load_teacher(teacher_file)
    size, spacing = (40, 48, 44), teacher.card.spacing_mm
    scan, truth = make_scan(Geometry(size, (spacing,) * 3))
    segmenter = Segmenter(teacher, "cpu")
    volume = volume_of(segmenter.prepare(scan).working.array, truth.array)
    window, got = teacher.card.window, []
    for certainty in (0.0, 0.7, 1.0):
        settings = SegmentationSettings(
            overlap=0.25, walls_by_scan=walls, skip_empty=False, precision="fp32",
            minimum_certainty=certainty,
        )  # fmt: skip
        expected = segmenter.segment(scan, settings).labels.array
        validate(teacher.network, [volume], window, spacing, settings, torch.device("cpu"),
                 lambda _, labels, scores: got.append(labels))  # fmt: skip
        # The segmenter keeps probabilities in 16 bits.
        assert (got[-1] != expected).mean() < 1e-5
        assert (expected == ANEURYSM).any() == (certainty < 1.0)


def test_the_card_says_how_the_teacher_was_chosen(make_tiny):
    config = make_tiny(run={"validation_certainty": 0.4, "validation_walls": False})
    text = read_card(train(config, lambda line: None).teacher).training["chosen_by"]
    assert text == chosen_by("aneurysm_dice", validation_settings(config))
    assert text == (
        "aneurysm_dice on the working grid, certainty 0.4, aneurysms from 4 mm3, vessels from "
        "10 mm3, overlap 0.25, walls by the teacher"
    )


def test_the_card_says_where_nothing_chose_the_teacher(make_tiny):
    config = make_tiny(data={"validation_share": 0.0})
    card = read_card(train(config, lambda line: None).teacher)
    assert card.training["chosen_by"].startswith("nothing: ")


def test_a_run_asks_for_what_a_segmentation_asks_for(make_tiny):
    assert validation_settings(make_tiny()) == SegmentationSettings(overlap=OVERLAP)


def test_ignored_voxels_count_in_no_score(monkeypatch):
    """Whatever is found there: both scores are those of the labeled rest."""
    reference = np.zeros(DARK.shape, np.uint8)
    reference[TUBE], reference[BALL], reference[:, :, :10] = VESSEL, ANEURYSM, IGNORE
    predicted = np.where(reference == IGNORE, ANEURYSM, reference)
    monkeypatch.setattr(validation, "blend_windows", lambda *arguments, **more: None)
    monkeypatch.setattr(validation, "decided", lambda *arguments: predicted)
    volumes, device = [volume_of(DARK, reference)], torch.device("cpu")
    teacher = torch.nn.Identity()
    teacher.config = NetworkConfig()
    scores = validate(teacher, volumes, (16, 16, 16), SPACING, DEFAULT, device)
    assert scores == {"aneurysm_dice": 1.0, "vessel_dice": 1.0}
