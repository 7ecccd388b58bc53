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
        paper_dice: the paper's DSC on its own unseen data, Table 1, in percent.
        external: trained by another package (``benchmark.nnunet``).
    """

    title: str
    changes: Tables = field(default_factory=dict)
    preset: str = ""
    gated: bool = True
    paper_dice: float | None = None
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


ROWS: dict[str, Row] = {
    "no_ema": Row("no EMA", preset="no_ema", paper_dice=61.52),
    "ema": Row("EMA", {"method": NO_CONTRAST}, gated=False, paper_dice=64.71),
    "gs_ema": Row("GS-EMA", {"method": NO_CONTRAST}, paper_dice=68.49),
    "gs_ema_bacl_v": Row(
        "GS-EMA + BACL-V",
        {"method": {"volume_contrast": True, "boundary_contrast": False}},
        paper_dice=68.49,
    ),
    "gs_ema_bacl_b": Row(
        "GS-EMA + BACL-B",
        {"method": {"volume_contrast": False, "boundary_contrast": True}},
        paper_dice=70.62,
    ),
    "gs_ema_bacl": Row(
        "GS-EMA + BACL",
        {"method": {"volume_contrast": True, "boundary_contrast": True}},
        paper_dice=71.89,
    ),
    "vaseg": Row("VASeg", preset="vaseg", paper_dice=60.28),
    "feddg": Row("FedDG", preset="feddg", paper_dice=64.50),
    "cmdg": Row("CMDG", preset="cmdg", paper_dice=65.01),
    "nnunet": Row("nnU-Net", external=True, paper_dice=59.61),
}

OURS = "gs_ema_bacl"
"""The row that the others are compared with, where it is among them."""
