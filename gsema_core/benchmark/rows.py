"""The rows of the paper's Table 1: what each changes of the settings that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gsema_core.training.config import TrainingConfig
from gsema_core.training.presets import NO_CONTRAST, overridden, preset_tables

Tables = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One method.

    Attributes:
        title: as tables show it.
        changes: settings that it has instead of the shared ones.
        preset: the preset whose settings it has instead of the shared ones; the row's own name.
        gated: False lets the teacher follow in conflict as it does in agreement.
        paper: the paper's DSC, Sen, Jac and VS on its own unseen data, Table 1, in percent.
        external: trained by another package (``benchmark.nnunet``).
    """

    title: str
    changes: Tables = field(default_factory=dict)
    preset: str = ""
    gated: bool = True
    paper: Mapping[str, float] = field(default_factory=dict)
    external: bool = False

    def config(self, base: TrainingConfig) -> TrainingConfig:
        """The shared settings with this row's."""
        tables = base.to_dict()
        for above in (preset_tables(self.preset) if self.preset else {}, self.changes):
            tables = overridden(tables, above)
        tables["preset"] = self.preset or base.preset_name
        method = tables["method"]
        if not self.gated:
            method.update(alpha_conflict=method["alpha_aligned"], conflict_warmup=True)
        return TrainingConfig.from_dict(tables)


def _paper(*percent: float) -> dict[str, float]:
    """A line of the paper's Table 1."""
    return dict(zip(("dice", "sensitivity", "jaccard", "volume_similarity"), percent, strict=True))


ROWS: dict[str, Row] = {
    "no_ema": Row("no EMA", preset="no_ema", paper=_paper(61.52, 55.64, 50.91, 69.01)),
    "ema": Row(
        "EMA", {"method": NO_CONTRAST}, gated=False, paper=_paper(64.71, 62.86, 54.03, 72.64)
    ),
    "gs_ema": Row("GS-EMA", {"method": NO_CONTRAST}, paper=_paper(68.49, 72.79, 58.40, 76.63)),
    "gs_ema_bacl_v": Row(
        "GS-EMA + BACL-V",
        {"method": {"volume_contrast": True, "boundary_contrast": False}},
        paper=_paper(68.49, 72.79, 58.40, 76.63),
    ),
    "gs_ema_bacl_b": Row(
        "GS-EMA + BACL-B",
        {"method": {"volume_contrast": False, "boundary_contrast": True}},
        paper=_paper(70.62, 75.14, 60.54, 78.22),
    ),
    "gs_ema_bacl": Row(
        "GS-EMA + BACL",
        {"method": {"volume_contrast": True, "boundary_contrast": True}},
        paper=_paper(71.89, 70.88, 62.36, 80.00),
    ),
    "vaseg": Row("VASeg", preset="vaseg", paper=_paper(60.28, 54.47, 49.82, 67.91)),
    "feddg": Row("FedDG", preset="feddg", paper=_paper(64.50, 64.31, 54.26, 74.73)),
    "cmdg": Row("CMDG", preset="cmdg", paper=_paper(65.01, 64.10, 54.11, 73.38)),
    "nnunet": Row("nnU-Net", external=True, paper=_paper(59.61, 57.51, 47.38, 70.91)),
}

OURS = "gs_ema_bacl"
"""The row that the others are compared with, where it is among them."""
