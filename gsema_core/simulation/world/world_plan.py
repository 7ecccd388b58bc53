"""How many scans of each kind, of each patient and by each model: exact, not left to luck."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from gsema_core.simulation.many_cases import SimulatedCase

Kind = Literal["real", "transplant", "none"]
Model = Literal["cone_beam", "light"]
Name = TypeVar("Name", bound=str)

SHARES: dict[Kind, float] = {"real": 0.42, "transplant": 0.28, "none": 0.30}
"""Shares of the kinds of scans. Of a pilot's scans, half had transplanted sacs and a quarter none:
its teacher claimed less that was not there and lost sacs of other patients. So more of the
patients' own, and transplants in less than a third."""

CONE_BEAM = 0.5
"""Share by the cone-beam model, where both are used: after the light model alone, a pilot's
teacher claimed aneurysms in bone."""

TOGETHER = 4
"""So many scans of a patient follow each other, for which the arteries are read once."""


@dataclass(frozen=True)
class WorldScan:
    """One scan to be drawn and made.

    Args:
        patient: whose arteries.
        label_path: the label map of the whole tree.
        number: which of the patient's scans, from 1.
        kind: whether it shows an aneurysm of the patient's own, a transplanted one, or none.
        model: "cone_beam" or "light".
        seed: of everything that is drawn.
        use: training, validation or test; empty leaves it to the run.
        held_out: whether by a scanner and with a bone that training never sees.
        neck_rule: whether all its aneurysms are divided from their vessels by one rule.
        center: its name in the datalist; every scan has a scanner of its own.
    """

    patient: str
    label_path: Path
    number: int
    kind: Kind
    model: Model
    seed: int
    use: str = ""
    held_out: bool = False
    neck_rule: bool = False
    center: str = "world"

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.patient}-world{self.number:03d}"


def plan_world(
    cases: Sequence[SimulatedCase],
    count: int,
    seed: int,
    cone_beam: float = CONE_BEAM,
    uses: Mapping[str, str] | None = None,
    shares: Mapping[Kind, float] | None = None,
    held_out: bool = False,
    neck_rule: bool = False,
) -> list[WorldScan]:
    """Plan ``count`` scans.

    Every patient has as many as any other, give or take one; so has every kind its share, of all
    scans and nearly so of each patient's; and the models have theirs of each kind. The patients
    take turns, so that an unfinished run holds nearly all of them.

    Args:
        cases: the patients and their label maps.
        count: number of scans.
        seed: the same gives the same plan and scans.
        cone_beam: share by the cone-beam model, 0 to 1; the others are by the light one.
        uses: training, validation or test by patient.
        shares: of the kinds; `SHARES` by default.
        held_out: image all of them by a scanner and with a bone that training never sees, for
            choosing between networks.
        neck_rule: divide all aneurysms from their vessels by one rule (`sacs.divide`).
    """
    shares, uses = shares or SHARES, uses or {}
    numbers = [range(1, len(range(first, count, len(cases))) + 1) for first in range(len(cases))]
    slots = [(case, number) for case, each in zip(cases, numbers, strict=True) for number in each]
    kinds = list(_deal(shares, len(slots)))
    by_model: dict[Model, float] = {"cone_beam": cone_beam, "light": 1.0 - cone_beam}
    models = {kind: _deal(by_model, kinds.count(kind)) for kind in shares}
    scans = []
    for (case, number), kind in zip(slots, kinds, strict=True):
        assert case.label_path is not None
        own = zlib.crc32(f"world/{seed}/{case.patient}/{number}".encode())
        use = uses.get(case.patient, "")
        model = next(models[kind])
        scans.append(
            WorldScan(
                case.patient, case.label_path, number, kind, model, own, use, held_out, neck_rule
            )
        )
    order = np.random.default_rng(seed).permutation(len(cases))
    turn = {cases[index].patient: place for place, index in enumerate(order.tolist())}
    return sorted(
        scans, key=lambda scan: ((scan.number - 1) // TOGETHER, turn[scan.patient], scan.number)
    )


def _deal(shares: Mapping[Name, float], count: int) -> Iterator[Name]:
    """``count`` names, so that after each of them every name has its share, give or take one."""
    dealt = dict.fromkeys(shares, 0)
    for number in range(1, count + 1):
        name = max(shares, key=lambda name: shares[name] * number - dealt[name])
        dealt[name] += 1
        yield name
