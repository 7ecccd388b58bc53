"""The scanners of the simulated hospitals.

A protocol holds everything by which one hospital's rotational angiography differs from
another's: the C-arm's run, the dose, the reconstruction kernel, the contrast agent, subtraction,
and how the volume is stored. The four centers differ in appearance, intensity distribution and
resolution, the three differences that the paper names (section 2.1, Fig. 1). C-arm distances,
arcs, numbers of views and voxel sizes are those of common neurovascular C-arms; where a comment
says nothing else, a number is our choice within their usual range.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from gsema_core.configuration import plain

Storage = Literal["hounsfield", "unsigned12", "window8", "offset16"]
Field = Literal["all", "cylinder", "sphere"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How one scanner acquires, reconstructs and stores a volume.

    Args:
        name: the center's name.
        views: number of projections over the arc.
        arc_deg: angle swept by the C-arm, more than 180 degrees plus the fan.
        source_detector_mm: distance from the x-ray source to the detector.
        source_isocenter_mm: distance from the x-ray source to the rotation axis.
        detector_pixel_mm: pixel side on the (binned) detector.
        detector_blur_mm: standard deviation of the blur on the detector (scintillator, focus).
        field_coverage: radius seen in every view over the volume's half diagonal; below 1 the
            volume's corners are truncated too, not only the head.
        photons: photons per detector pixel without anything in the beam.
        scatter: scattered share of the mean detected signal, left uncorrected.
        hann_cut: cut of the Hann window of the ramp filter, as a share of Nyquist.
        truncation_correction: share of the detector's width by which the filter extrapolates.
        contrast_hu: mean enhancement of the vessel that is nearest to the injection.
        contrast_fade_mm: distance over which the contrast falls to 1/e.
        contrast_mixing: relative standard deviation of the slowly varying concentration.
        subtracted: whether a mask run without contrast is subtracted.
        mask_shift_mm: how far the head moved between the mask run and the contrast run.
        bone_hu: density of the skull base.
        spacing_mm: side of a stored voxel.
        orientation: axis codes of the stored volume as in ITK ("LPS" is the identity).
        tilt_deg: largest angle by which the stored axes are oblique to the patient's.
        storage: int16 Hounsfield units, the same plus 1024 in uint16 ("offset16"), or a window in
            12 bits of uint16 or in uint8.
        window_hu: lowest and highest value kept by "unsigned12" and "window8".
        bones: kinds of bone in a head that was not subtracted (`scanner.bones.KINDS`).
        bone_gap_mm: no bone lies nearer to a lumen.
        marrow: share by which the inside of thick bone is less dense, as marrow and diploe are.
        air_cells: how much of thick bone is cells of air, 0 to 1; "skull_base" has its own.
        hardening: how much of beam hardening by bone, contrast and metal is left, 0 to 1.
        ring_gain: relative standard deviation of the detector pixels' gains: rings.
        motion_mm: how far the head moved from the first view to the last.
        motion_deg: by how much it turned meanwhile.
        motion_at: share of the run at which it moved at once; 0: slowly, all the time.
        mask_turn_deg: by how much it turned between the mask run and the contrast run. Above 0
            all of its bone is in both runs and leaves its edges, else a few smooth bones are.
        edge_gain: edge enhancement after reconstruction: how often the difference to a copy that
            is smoothed by `edge_mm` is added.
        edge_mm: standard deviation of that copy's smoothing.
        field: what is reconstructed: all, or a cylinder around the rotation axis, or a sphere.
        field_share: its radius over half of the volume's shorter side across the axis.
        fill_value: the stored value outside it.
        centered: whether `window_hu` and `cut_hu` count from the median of what is reconstructed,
            which truncation lifts by up to 1,000 HU, as windows are set on what is seen.
        cut_hu: what lies below has the lowest stored value (a background that was cut away).
    """

    name: str
    views: int
    arc_deg: float
    source_detector_mm: float
    source_isocenter_mm: float
    detector_pixel_mm: float
    detector_blur_mm: float
    field_coverage: float
    photons: float
    scatter: float
    hann_cut: float
    truncation_correction: float
    contrast_hu: float
    contrast_fade_mm: float
    contrast_mixing: float
    subtracted: bool
    mask_shift_mm: float
    bone_hu: float
    spacing_mm: float
    orientation: str
    tilt_deg: float
    storage: Storage
    window_hu: tuple[float, float]
    bones: tuple[str, ...] = ("skull_base",)
    bone_gap_mm: float = 0.6
    marrow: float = 0.0
    air_cells: float = 0.0
    hardening: float = 0.0
    ring_gain: float = 0.0
    motion_mm: float = 0.0
    motion_deg: float = 0.0
    motion_at: float = 0.0
    mask_turn_deg: float = 0.0
    edge_gain: float = 0.0
    edge_mm: float = 0.5
    field: Field = "all"
    field_share: float = 1.0
    fill_value: int = 0
    centered: bool = False
    cut_hu: float | None = None

    @property
    def magnification(self) -> float:
        """How much larger what lies at the isocenter is on the detector."""
        return self.source_detector_mm / self.source_isocenter_mm

    def to_dict(self) -> dict[str, Any]:
        """Its values as JSON has them, without those that are at their default.

        What identifies a scan by its protocol stays the same when protocols learn something new.
        """
        decisive = {one.name for one in fields(self) if getattr(self, one.name) != one.default}
        return {name: value for name, value in plain(self).items() if name in decisive}


CENTERS: dict[str, Protocol] = {
    # Sharp, high dose, head present, Hounsfield-like values.
    "A": Protocol(
        name="A", views=120, arc_deg=240.0, source_detector_mm=1195.0, source_isocenter_mm=810.0,
        detector_pixel_mm=0.6, detector_blur_mm=0.25, field_coverage=1.0, photons=6e5,
        scatter=0.03, hann_cut=0.9, truncation_correction=0.3, contrast_hu=2600.0,
        contrast_fade_mm=160.0, contrast_mixing=0.08, subtracted=False, mask_shift_mm=0.0,
        bone_hu=900.0, spacing_mm=0.37, orientation="LPS", tilt_deg=0.0, storage="hounsfield",
        window_hu=(-1000.0, 4000.0),
    ),
    # Subtracted: black background, bright vessels, smooth kernel, 12 bits.
    "B": Protocol(
        name="B", views=133, arc_deg=200.0, source_detector_mm=1200.0, source_isocenter_mm=750.0,
        detector_pixel_mm=0.65, detector_blur_mm=0.45, field_coverage=1.0, photons=4e5,
        scatter=0.05, hann_cut=0.55, truncation_correction=0.2, contrast_hu=3600.0,
        contrast_fade_mm=110.0, contrast_mixing=0.12, subtracted=True, mask_shift_mm=0.25,
        bone_hu=900.0, spacing_mm=0.45, orientation="RAS", tilt_deg=0.0, storage="unsigned12",
        window_hu=(-600.0, 5200.0),
    ),
    # Fine voxels, low dose and a sharp kernel: noisy; head present; windowed to 8 bits.
    "C": Protocol(
        name="C", views=100, arc_deg=205.0, source_detector_mm=1180.0, source_isocenter_mm=720.0,
        detector_pixel_mm=0.6, detector_blur_mm=0.3, field_coverage=1.0, photons=2.5e5,
        scatter=0.1, hann_cut=1.0, truncation_correction=0.1, contrast_hu=2100.0,
        contrast_fade_mm=200.0, contrast_mixing=0.1, subtracted=False, mask_shift_mm=0.0,
        bone_hu=700.0, spacing_mm=0.32, orientation="LAI", tilt_deg=0.0, storage="window8",
        window_hu=(-300.0, 2600.0),
    ),
    # Coarse voxels, few views, dilute and badly mixed contrast, subtracted with motion, oblique.
    "D": Protocol(
        name="D", views=88, arc_deg=210.0, source_detector_mm=1050.0, source_isocenter_mm=700.0,
        detector_pixel_mm=0.75, detector_blur_mm=0.6, field_coverage=0.95, photons=3e5,
        scatter=0.12, hann_cut=0.75, truncation_correction=0.0, contrast_hu=1500.0,
        contrast_fade_mm=80.0, contrast_mixing=0.2, subtracted=True, mask_shift_mm=0.6,
        bone_hu=1100.0, spacing_mm=0.53, orientation="PSL", tilt_deg=12.0, storage="hounsfield",
        window_hu=(-1000.0, 3000.0),
    ),
}  # fmt: skip
"""The simulated scanners of four centers, which differ in dose, kernel, contrast and voxels."""

# Fields that are mixed on a logarithmic scale, because their ratios matter.
_RATIOS = (
    "detector_pixel_mm", "detector_blur_mm",
    "photons", "scatter", "contrast_hu", "contrast_fade_mm", "contrast_mixing", "bone_hu",
    "spacing_mm", "hann_cut",
)  # fmt: skip

# Fields that are mixed as they are; the C-arm's distances stay those of a possible C-arm.
_DIFFERENCES = (
    "source_detector_mm", "source_isocenter_mm", "views", "arc_deg", "field_coverage",
    "truncation_correction", "tilt_deg",
)  # fmt: skip

_JITTER = 0.12
"""Relative standard deviation around the mixture (ours), so that draws also leave the hull."""

_DOSE = (0.08, 1.5)
"""Range of the dose of random draws over the centers' (ours): also noisier than all of them."""

ORIENTATIONS = ("LPS", "RAS", "LAI", "PSL", "RAI", "SPL", "LSA", "IRP")


def random_protocol(seed: int) -> Protocol:
    """Draw a scanner around and between the four centers.

    Continuous values are a random mixture of the four centers' with some jitter; whether the run
    is subtracted, how it is stored and its orientation are drawn on their own, so that a network
    trained on such draws meets combinations that no single center has.
    """
    rng = np.random.default_rng(seed)
    centers = list(CENTERS.values())
    weights = rng.dirichlet(np.full(len(centers), 0.7))
    values: dict[str, Any] = {"name": f"random-{seed}"}
    for field in _RATIOS:
        logs = np.log([getattr(center, field) for center in centers])
        values[field] = float(np.exp(weights @ logs + rng.normal(0.0, _JITTER)))
    for field in _DIFFERENCES:
        values[field] = float(weights @ [getattr(center, field) for center in centers])
    values["views"] = round(values["views"])
    values["photons"] *= float(np.exp(rng.uniform(*np.log(_DOSE))))
    values["hann_cut"] = min(values["hann_cut"], 1.0)
    values["spacing_mm"] = float(np.clip(values["spacing_mm"], 0.25, 0.55))
    values["subtracted"] = bool(rng.random() < 0.5)
    values["mask_shift_mm"] = float(rng.uniform(0.0, 0.7)) if values["subtracted"] else 0.0
    values["orientation"] = str(rng.choice(ORIENTATIONS))
    values["storage"] = str(rng.choice(["hounsfield", "unsigned12", "window8"]))
    # Windows from tight (bright vessels saturate) to wide (they use half of the range).
    top = values["contrast_hu"] * rng.uniform(0.9, 1.8) + 300.0
    values["window_hu"] = (float(rng.uniform(-1000.0, -200.0)), float(top))
    return Protocol(**values)
