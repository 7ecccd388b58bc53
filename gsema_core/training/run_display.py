"""What a run shows of itself while it goes on: pictures of validation cases, and its curves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.datalist import Case
from gsema_core.files.atomic import atomic_path, make_folder
from gsema_core.files.native_libraries import native_libraries
from gsema_core.training.beside import Beside
from gsema_core.training.board import Board
from gsema_core.training.case_pictures import draw_case
from gsema_core.training.config import TrainingConfig
from gsema_core.training.curves import can_draw, draw_curves
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.run_files import CURVES, PICTURES, picture, pictures
from gsema_core.training.run_record import is_simulated
from gsema_core.training.run_reporter import RunReporter

DRAWING_SHARE = 0.02
"""The most of a run's time that its curves take, but for the last drawing (ours)."""


class RunDisplay:
    """Draws; whatever fails in it is told once and never ends the run.

    Args:
        config: of the run.
        cases: of the run; the places in its datalist are the cases' numbers.
        board: TensorBoard, which gets the pictures too.
        reporter: is told what fails.
        most: cases to show, where the configuration wants more.
    """

    def __init__(
        self,
        config: TrainingConfig,
        cases: PreparedCases,
        board: Board,
        reporter: RunReporter,
        most: int,
    ) -> None:
        self.config = config
        self.folder: Path = config.run.output
        self.board = board
        most = min(most, config.run.pictures)
        self.shown = choose_cases(cases.validation, cases.split.listed, most)
        self._scans = "simulated scans" if is_simulated(config) else ""
        self._pictures = Beside(f"The folder {PICTURES} cannot be written to", reporter.warn)
        self._curves = Beside(f"{CURVES} cannot be drawn", reporter.warn)
        self._reporter = reporter
        self._drawn_at = -float("inf")
        self._took = 0.0

    def resume_at(self, step: int) -> None:
        """Remove pictures of steps that will be made again."""
        with self._pictures():
            for later, paths in pictures(self.folder).items():
                if later > step:
                    _remove(paths)
        if not can_draw():
            self._reporter.report(
                f'There will be no {CURVES}: pip install "gsema_core[training]" brings matplotlib, '
                "which draws it."
            )

    def see(
        self,
        step: int,
        volume: CachedVolume,
        predicted: NDArray[np.uint8],
        scores: Mapping[str, float],
    ) -> None:
        """Draw a case that was just validated, where it is one of the shown.

        Args:
            step: of the teacher.
            volume: the case.
            predicted: the teacher's labels (k, j, i).
            scores: Dice by the columns of ``metrics.csv``.
        """
        number = next((n for n, each in self.shown.items() if each is volume), None)
        if number is None or not self._pictures.works:
            return
        with self._pictures():
            caption = [f"Case {number}", f"step {step}", *(
                f"{name.removesuffix('_dice')} Dice {score:.2f}" for name, score in scores.items()
            )]  # fmt: skip
            caption += [self._scans] if self._scans else []
            spacing_mm = self.config.data.spacing_mm
            pixels = draw_case(volume, predicted, spacing_mm, ", ".join(caption))
            _write(pixels, picture(self.folder, step, number))
            if is_kept(step // self.config.run.validate_every):
                self.board.picture(f"case {number}", step, pixels)

    def validated(self, step: int) -> None:
        """A validation is done: keep only some of the older pictures, and draw the curves anew."""
        with self._pictures():
            for earlier, paths in pictures(self.folder).items():
                if earlier < step and not is_kept(earlier // self.config.run.validate_every):
                    _remove(paths)
        if time.monotonic() - self._drawn_at >= self._took / DRAWING_SHARE:
            self.draw_curves(step)

    def draw_curves(self, step: int) -> None:
        """Draw the curves as they are after a step."""
        if not self._curves.works or not can_draw():
            return
        begun = time.monotonic()
        with self._curves():
            scope = self.config.method.gate_scope
            gate = "" if scope == "all" else f"gate of the {scope}"
            parts = (self.config.run.name, f"step {step}", gate, self._scans)
            draw_curves(self.folder, ", ".join(filter(None, parts)))
        self._drawn_at = time.monotonic()
        self._took = self._drawn_at - begun


def choose_cases(
    volumes: Sequence[CachedVolume], listed: Sequence[Case], most: int
) -> dict[int, CachedVolume]:
    """The cases to show, by their numbers in the datalist, from 1.

    Those with an aneurysm come first, and each center in turn: the same ones in every session.
    """
    places = {case.image: number for number, case in enumerate(listed, start=1)}
    numbers = {places.get(volume.case.image, 0): volume for volume in volumes}
    turns: dict[tuple[bool, str], int] = {}
    order = []
    for number in sorted(numbers):
        volume = numbers[number]
        kind = (not len(volume.aneurysm_voxels), volume.case.center)
        turns[kind] = turns.get(kind, 0) + 1
        order.append((kind[0], turns[kind], number))
    return {number: numbers[number] for _, _, number in sorted(order)[:most]}


def is_kept(validation: int) -> bool:
    """Whether a validation's pictures stay when newer ones are there, by its place in the run.

    The first 16 do; then 8 between each number and its double, so 10 000 validations leave 90.
    """
    return validation < 16 or validation % (1 << (validation.bit_length() - 4)) == 0


def _write(pixels: NDArray[np.uint8], path: Path) -> None:
    make_folder(path.parent)
    with atomic_path(path) as temporary, native_libraries():
        image = sitk.GetImageFromArray(pixels, isVector=True)
        sitk.WriteImage(image, str(temporary), useCompression=True, compressionLevel=9)


def _remove(paths: Mapping[int, Path]) -> None:
    for path in paths.values():
        path.unlink(missing_ok=True)
