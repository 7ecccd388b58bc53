"""A training's curves in Slicer's plot view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.training.metrics_table import TRAINING, VALIDATION
from GSEMATrainingLib.run.RunFolder import RunFolder

COLORS = ((0.12, 0.47, 0.71), (1.0, 0.5, 0.05), (0.17, 0.63, 0.17), (0.84, 0.15, 0.16))
"""Color-blind people can tell them apart, too (Tableau's first four)."""


@dataclass(frozen=True)
class Plot:
    """One chart.

    Attributes:
        key: tells its nodes from others'.
        title: for people.
        kind: of the lines of ``metrics.csv`` that its numbers come from.
        axis: what its numbers are.
        columns: of the table, with their titles.
    """

    key: str
    title: str
    kind: str
    axis: str
    columns: Mapping[str, str]


def plots() -> list[Plot]:
    """The charts, in the order of the panel's list."""
    losses = {
        "loss_source": _("scans"),
        "loss_target": _("altered copies"),
        "loss_contrast": _("contrast"),
    }
    gate = {"similarity": _("cosine of the gradients"), "gate_open_rate": _("gate open")}
    dice = {"aneurysm_dice": _("aneurysm"), "vessel_dice": _("vessel")}
    return [
        Plot("dice", _("Validation Dice"), VALIDATION, _("Dice"), dice),
        Plot("losses", _("Losses"), TRAINING, _("loss"), losses),
        Plot("gate", _("Gate"), TRAINING, _("cosine, share of steps"), gate),
    ]


class TrainingPlots:
    """Makes tables, series and charts of the scene when they are asked for; keeps them up to date.

    They are hidden from the data tree and from selectors, and never saved with the scene: the
    run's files have it all. When the scene is closed, or another run is shown, they are gone until
    they are asked for again.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Any] = {}
        self._shown: dict[str, int] = {}

    @property
    def areShown(self) -> bool:
        return any(slicer.mrmlScene.IsNodePresent(node) for node in self._nodes.values())

    def show(self, folder: RunFolder, index: int) -> None:
        """Make what is missing; put a chart into the plot view, where there is a window."""
        self._fillTables(folder)
        for plot in plots():
            self._chart(plot)
        chart = self._nodes[f"chart {plots()[index].key}"]
        if slicer.app.layoutManager() is not None:
            slicer.modules.plots.logic().ShowChartInLayout(chart)

    def update(self, folder: RunFolder) -> None:
        """Bring what is shown up to date; makes nothing."""
        if self.areShown and not slicer.mrmlScene.IsClosing():
            self._fillTables(folder)

    def _fillTables(self, folder: RunFolder) -> None:
        for kind in (TRAINING, VALIDATION):
            rows = folder.rows(kind)
            name = _("Training steps") if kind == TRAINING else _("Training validations")
            table = self._node("vtkMRMLTableNode", f"table {kind}", name)
            key = hash((str(folder.path), table.GetID(), len(rows), str(rows[-1:])))
            if self._shown.get(kind) != key:
                self._shown[kind] = key
                names = [name for plot in plots() if plot.kind == kind for name in plot.columns]
                _fill(table, rows, ["step", *names])

    def remove(self) -> None:
        """Take the nodes out of the scene."""
        for node in self._nodes.values():
            if slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)
        self._nodes.clear()
        self._shown.clear()

    def _chart(self, plot: Plot) -> None:
        chart = self._node("vtkMRMLPlotChartNode", f"chart {plot.key}", plot.title)
        table = self._nodes[f"table {plot.kind}"]
        if chart.GetNumberOfPlotSeriesNodes() == len(plot.columns):
            return
        chart.SetTitle(plot.title)
        chart.SetXAxisTitle(_("step"))
        chart.SetYAxisTitle(plot.axis)
        for number, (column, title) in enumerate(plot.columns.items()):
            series = self._node("vtkMRMLPlotSeriesNode", f"series {plot.key} {column}", title)
            series.SetAndObserveTableNodeID(table.GetID())
            series.SetXColumnName("step")
            series.SetYColumnName(column)
            series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
            series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
            series.SetColor(*COLORS[number])
            chart.AddAndObservePlotSeriesNodeID(series.GetID())

    def _node(self, kind: str, key: str, name: str) -> Any:
        node = self._nodes.get(key)
        if node is None or not slicer.mrmlScene.IsNodePresent(node):
            node = getattr(slicer, kind)()
            node.SetName(slicer.mrmlScene.GenerateUniqueName(name))
            node.SetHideFromEditors(True)  # before it is added: the data tree looks once
            node.SetSaveWithScene(False)
            self._nodes[key] = slicer.mrmlScene.AddNode(node)
        return self._nodes[key]


def _fill(tableNode: Any, rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> None:
    columns = [np.array([_number(row.get(name)) for row in rows]) for name in names]
    with slicer.util.NodeModify(tableNode):
        slicer.util.updateTableFromArray(tableNode, columns, names)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
