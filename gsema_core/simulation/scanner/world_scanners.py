"""Scanners of the larger world, and one that is kept out of it.

`world_protocol` draws scanners for training, more different than the four centers and what lies
between them (`random_protocol`). `held_out_protocol` draws around one scanner model and one kind
of bone that `world_protocol` never draws: what a network does there was not learned, so it is for
choosing between networks. Where nothing else is said, ranges are our choice around what common
C-arms and published exports of them have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gsema_core.simulation.centers import ORIENTATIONS, Protocol

HELD_OUT_BONE = "vertebra"
"""The kind of bone that `world_protocol` never draws."""

WORLD_BONES = {
    "skull_base": 0.3, "plates": 0.14, "lumps": 0.1, "edge": 0.14, "sinus": 0.08,
    "vault": 0.09, "teeth": 0.05, "orbits": 0.05, "struts": 0.05,
}  # fmt: skip
"""How often each kind is drawn first (ours: what most fields of view hold, most often)."""

MOST_VOXELS = 400
"""Voxels along a side at most: a larger scan takes minutes to simulate (ours; scanners store 256
to 512)."""

FILLS = {
    "hounsfield": (-1000, -1024, -2000, -3024, -32768, 0),
    "unsigned12": (0, 0, 4095, 65535),
    "window8": (0, 0, 255),
    "offset16": (0, 24, 65535),
}
"""Stored values outside the reconstructed field, as exports have them."""


def world_protocol(seed: int, field_mm: float = 64.0) -> Protocol:
    """Draw a scanner for training.

    Args:
        seed: the same seed gives the same scanner.
        field_mm: the longest side of the field of view, which bounds how fine voxels are.
    """
    rng = np.random.default_rng([seed, 1])
    values: dict[str, Any] = {"name": f"world-{seed}"}
    values |= _c_arm(rng, field_mm) | _run(rng) | _contrast(rng)
    values |= _head(rng, values["contrast_hu"]) | _faults(rng, values["subtracted"])
    return Protocol(**values, **_storage(rng, values))


def held_out_protocol(seed: int, field_mm: float = 64.0) -> Protocol:
    """Draw a scanner that no training has: another C-arm, kernel and storage, another bone.

    Its source is nearer and its detector coarser than any of `world_protocol`'s, it takes more
    views, enhances edges more, and stores unsigned integers of 16 bits; half of its runs are
    subtracted.
    """
    rng = np.random.default_rng([seed, 2])
    subtracted = bool(rng.random() < 0.5)
    contrast = float(rng.uniform(1800.0, 3200.0))
    spacing = max(float(rng.choice([0.28, 0.42])), field_mm / MOST_VOXELS)
    filled = bool(rng.random() < 0.5)
    return Protocol(
        name=f"held-out-{seed}",
        views=int(rng.integers(150, 180)), arc_deg=220.0, source_detector_mm=980.0,
        source_isocenter_mm=610.0, detector_pixel_mm=0.8, detector_blur_mm=0.35,
        field_coverage=0.92, photons=float(rng.uniform(1.0e5, 1.6e5)), scatter=0.16,
        hann_cut=0.6, truncation_correction=0.4, edge_gain=1.6, edge_mm=0.9,
        contrast_hu=contrast, contrast_fade_mm=130.0, contrast_mixing=0.14,
        subtracted=subtracted, mask_shift_mm=0.35 if subtracted else 0.0,
        mask_turn_deg=0.4 if subtracted else 0.0,
        bone_hu=contrast * float(rng.uniform(0.35, 0.8)),
        bones=(HELD_OUT_BONE,), bone_gap_mm=0.4, marrow=0.5, hardening=0.8, ring_gain=0.004,
        spacing_mm=spacing, orientation="LSA", tilt_deg=8.0, storage="offset16",
        window_hu=(-1024.0, 4 * 1024.0), centered=True,
        field="cylinder" if filled else "all", fill_value=24,
    )  # fmt: skip


def _c_arm(rng: np.random.Generator, field_mm: float) -> dict[str, Any]:
    isocenter = float(rng.uniform(690.0, 830.0))
    spacing = max(float(np.exp(rng.uniform(*np.log((0.15, 0.6))))), field_mm / MOST_VOXELS)
    detector = isocenter + float(rng.uniform(330.0, 480.0))
    # Detectors are binned to about the voxels that are wanted, and no finer than 0.3 mm.
    pixel = spacing * detector / isocenter * float(rng.uniform(0.8, 1.3))
    return {
        "source_isocenter_mm": isocenter,
        "source_detector_mm": detector,
        "spacing_mm": spacing,
        "detector_pixel_mm": float(np.clip(pixel, max(0.4, field_mm / 130.0), 0.8)),
        "detector_blur_mm": float(np.exp(rng.uniform(*np.log((0.15, 0.65))))),
        "field_coverage": float(rng.choice([1.0, 1.0, rng.uniform(0.85, 1.0)])),
        "orientation": str(rng.choice(ORIENTATIONS)),
        "tilt_deg": float(rng.choice([0.0, rng.uniform(0.0, 15.0)])),
    }


def _run(rng: np.random.Generator) -> dict[str, Any]:
    subtracted = bool(rng.random() < 0.5)
    sharp = rng.random()
    return {
        "views": int(rng.integers(75, 145)),
        "arc_deg": float(rng.uniform(198.0, 240.0)),
        "photons": float(np.exp(rng.uniform(*np.log((2.5e4, 1.2e6))))),
        "scatter": float(np.exp(rng.uniform(*np.log((0.02, 0.15))))),
        # A quarter is smoothed strongly, a quarter enhances edges.
        "hann_cut": float(rng.uniform(0.3, 0.55) if sharp < 0.25 else rng.uniform(0.55, 1.0)),
        "edge_gain": float(rng.uniform(0.3, 1.2)) if sharp > 0.75 else 0.0,
        "edge_mm": float(rng.uniform(0.3, 0.7)),
        "truncation_correction": float(rng.uniform(0.0, 0.35)),
        "subtracted": subtracted,
    }


def _contrast(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "contrast_hu": float(np.exp(rng.uniform(*np.log((1100.0, 4200.0))))),
        "contrast_fade_mm": float(np.exp(rng.uniform(*np.log((80.0, 220.0))))),
        "contrast_mixing": float(rng.uniform(0.04, 0.22)),
    }


def _head(rng: np.random.Generator, contrast_hu: float) -> dict[str, Any]:
    names, shares = list(WORLD_BONES), np.array(list(WORLD_BONES.values()))
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))
    bones = rng.choice(names, count, replace=False, p=shares / shares.sum())
    bone = float(rng.uniform(500.0, 1500.0))
    if rng.random() < 0.3:  # as bright as vessels
        bone = contrast_hu * float(rng.uniform(0.6, 1.1))
    return {
        "bones": tuple(str(name) for name in bones),
        "bone_hu": bone,
        "bone_gap_mm": float(rng.uniform(0.2, 0.8)),
        "marrow": float(rng.choice([0.0, rng.uniform(0.2, 0.7)])),
        "air_cells": float(rng.choice([0.0, 0.0, rng.uniform(0.1, 0.5)])),
    }


def _faults(rng: np.random.Generator, subtracted: bool) -> dict[str, Any]:
    still, steady = rng.random() < 0.6, rng.random() < 0.6
    return {
        "hardening": float(rng.choice([0.0, rng.uniform(0.2, 1.0)])),
        "ring_gain": 0.0 if steady else float(np.exp(rng.uniform(*np.log((5e-4, 8e-3))))),
        "motion_mm": 0.0 if still else float(rng.uniform(0.1, 1.2)),
        "motion_deg": 0.0 if still else float(rng.uniform(0.0, 1.0)),
        "motion_at": float(rng.choice([0.0, rng.uniform(0.2, 0.8)])),
        "mask_shift_mm": float(rng.uniform(0.0, 0.7)) if subtracted else 0.0,
        "mask_turn_deg": float(rng.uniform(0.02, 0.8)) if subtracted else 0.0,
    }


def _storage(rng: np.random.Generator, values: dict[str, Any]) -> dict[str, Any]:
    """Window, fill and cut. A window reaches from where vessels saturate to half unused."""
    contrast = values["contrast_hu"]
    low, high = float(rng.uniform(-1000.0, -200.0)), contrast * float(rng.uniform(0.6, 2.0)) + 200.0
    storage = str(rng.choice(["hounsfield", "unsigned12", "window8"], p=[0.35, 0.3, 0.35]))
    cut = None
    if rng.random() < (0.3 if values["subtracted"] else 0.08):
        cut = contrast * float(rng.uniform(0.12, 0.4))
        storage = str(rng.choice(["unsigned12", "window8"], p=[0.25, 0.75]))
        # Most let brightness begin at the cut, as the public scan of an aneurysm does, of which
        # a fifth is saturated.
        if rng.random() < 0.7:
            low, high = cut, cut + contrast * float(rng.uniform(0.25, 1.2))
    elif storage == "hounsfield":
        low, high = -1024.0, max(high, 0.9 * contrast)
    shape = str(rng.choice(["all", "cylinder", "sphere"], p=[0.6, 0.3, 0.1]))
    fill = int(rng.choice(FILLS[storage]))
    if cut is not None and storage == "window8":
        fill = 0
    return {
        "storage": storage,
        "window_hu": (low, high),
        "centered": True,
        "cut_hu": cut,
        "field": shape,
        "field_share": float(rng.uniform(0.92, 1.0 if shape == "sphere" else 1.15)),
        "fill_value": fill if shape != "all" else 0,
    }
