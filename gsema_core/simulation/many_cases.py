"""Imaging many cases into one folder, resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gsema_core.files import read_labels
from gsema_core.simulation.acquisition import VERSION, Model, acquire, resolve_model
from gsema_core.simulation.case_folder import Made, fill_folder, is_there, print_line
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.phantom import make_phantom


@dataclass(frozen=True)
class SimulatedCase:
    """One volume to be made.

    Args:
        patient: its name in the datalist.
        center: the center's name in the datalist.
        protocol: the scanner.
        seed: of the acquisition, and of the phantom.
        label_path: the label map, or None for a phantom.
        variant: which of the patient's random scanners this is, from 1; 0 is the center's own.
    """

    patient: str
    center: str
    protocol: Protocol
    seed: int
    label_path: Path | None = None
    variant: int = 0

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.patient}-random{self.variant}" if self.variant else self.patient

    def key(self, model: Model) -> str:
        """What decides the voxels: the labels, the protocol, the seed, the model, the code."""
        source = "phantom"
        if self.label_path:
            source = hashlib.sha256(self.label_path.read_bytes()).hexdigest()
        decisive = [source, self.center, self.protocol.to_dict(), self.seed, model, VERSION]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def image_cases(
    cases: Sequence[SimulatedCase],
    output: Path,
    model: Model = "auto",
    jobs: int = 1,
    uses: Mapping[str, str] | None = None,
    *,
    quiet: bool = False,
) -> int:
    """Write ``images``, ``labels`` and ``datalist.json`` into a folder; skip what is there.

    Args:
        cases: what to make, in this order.
        output: the folder; made where it is missing.
        model: see `acquire`.
        jobs: processes, each on one thread.
        uses: training, validation or test by patient, as which the datalist marks all of their
            cases, for good.
        quiet: print nothing.

    Returns:
        The number of volumes made now.

    Raises:
        UserError: the folder cannot be made or written to, or a label map cannot be read.
    """
    model = resolve_model(model)
    say = None if quiet else print_line
    if say:
        say(f"model {model}")
    return fill_folder(
        cases, output, partial(_make, model=model), partial(_key, model=model), jobs,
        uses, say,
    )  # fmt: skip


def _make(case: SimulatedCase, model: Model) -> Made:
    """Image one case."""
    labels = read_labels(case.label_path) if case.label_path else make_phantom(case.seed)
    image, labels = acquire(labels, case.protocol, case.seed, model)
    return Made(image, labels, {"model": model, "protocol": case.protocol.to_dict()})


def _key(case: SimulatedCase, model: Model) -> str:
    return case.key(model)


def is_finished(case: SimulatedCase, output: Path, model: Model) -> bool:
    """Whether the case lies in the folder, made from the same labels, scanner, seed and code."""
    return is_there(case.stem, case.key(model), output)
