"""What a user may choose about a segmentation. No torch here: it is checked before anything."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

from gsema_core.errors import UserError

PRECISIONS = ("auto", "fp32", "bf16")
MAXIMUM_OVERLAP = 0.9
"""Ten windows a step along each axis, a thousand times the work: nobody means that. Ours."""


@dataclass(frozen=True)
class SegmentationSettings:
    """Checked when made.

    Attributes:
        overlap: share of a window that its neighbor covers too. Default 0.5, as nnU-Net has it
            (Isensee et al., Nature Methods 2021).
        minimum_aneurysm_mm3: smaller aneurysms are taken for noise. Default 4, ours: a sphere
            2 mm across has 4.2 mm3.
        minimum_vessel_mm3: smaller pieces of vessel are taken for noise. Default 10, ours: 5 mm
            of a vessel 1.6 mm wide.
        minimum_certainty: a whole scan's aneurysm that is less probable than this, in the mean over
            its voxels, is taken for vessel (``deciding.certainty``); 0 keeps all. Default 0.7,
            chosen for the bundled teacher on patients kept out of its training (docs/teacher.md).
            It has no part where a threshold is given.
        aneurysm_threshold: the probability from which on a voxel is aneurysm, 0.01 to 0.99.
            Default None: in a whole scan the likeliest class wins, as the network was trained;
            at a click half the highest probability there counts (``click.finding``).
        walls_by_scan: whether walls are drawn by the scan's own voxels (``deciding.walls``) or
            only by the teacher. They have no part where a threshold is given.
        precision: ``fp32``, ``bf16`` or ``auto``, which is bf16 where the device has it in
            hardware.
        skip_empty: whether windows in which nothing is bright are left out
            (``inference.windows.skipping``).
        probabilities: whether the aneurysm's probability is wanted on the scan's grid.
        memory_limit_gb: main memory that a whole scan's run may take, program included, in 10^9
            bytes; 0.5 to 4096. It is kept by an estimate. Default None: no limit.
        threads: CPU threads; None leaves the libraries their default, one a core.

    Raises:
        UserError: a value is out of its range.
    """

    overlap: float = 0.5
    minimum_aneurysm_mm3: float = 4.0
    minimum_vessel_mm3: float = 10.0
    minimum_certainty: float = 0.7
    aneurysm_threshold: float | None = None
    walls_by_scan: bool = True
    precision: str = "auto"
    skip_empty: bool = True
    probabilities: bool = False
    memory_limit_gb: float | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        _check_range("overlap", self.overlap, 0.0, MAXIMUM_OVERLAP)
        _check_range("smallest aneurysm (mm3)", self.minimum_aneurysm_mm3, 0.0, 1e6)
        _check_range("smallest vessel (mm3)", self.minimum_vessel_mm3, 0.0, 1e6)
        _check_range("smallest certainty", self.minimum_certainty, 0.0, 1.0)
        if self.aneurysm_threshold is not None:
            _check_range("aneurysm's probability threshold", self.aneurysm_threshold, 0.01, 0.99)
        if self.precision not in PRECISIONS:
            raise UserError(
                f"The precision {self.precision!r} is unknown: use {', '.join(PRECISIONS)}."
            )
        if self.memory_limit_gb is not None:
            _check_range("memory limit (GB)", self.memory_limit_gb, 0.5, 4096)
        if self.threads is not None:
            _check_range("number of threads", self.threads, 1, 1024)

    @property
    def draws_walls(self) -> bool:
        """Whether the scan's voxels draw walls: not where a probability was set that decides."""
        return self.walls_by_scan and self.aneurysm_threshold is None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_device_name(name: str) -> None:
    """Check how a device is named; whether this machine has it, only torch knows.

    Raises:
        UserError: it is none of ``auto``, ``cpu``, ``cuda`` and ``cuda:N``.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", name):
        raise UserError(f"The device {name!r} is unknown: use auto, cpu, cuda or cuda:N.")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise UserError(f"The {name} is {value:g}: give a number from {low:g} to {high:g}.")
