"""A training's curves in Slicer's plot view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.training.run_files import STEPS, VALIDATION
from GSEMATrainingLib.run.RunFolder import RunFolder

COLORS = ((0.12, 0.47, 0.71), (1.0, 0.5, 0.05), (0.17, 0.63, 0.17), (0.84, 0.15, 0.16))
"""Color-blind people can tell them apart, too (Tableau's first four)."""


@dataclass(frozen=True)
class Plot:
    """One chart.

    Attributes:
        key: tells its nodes from others'.
        title: for people.
        file: where its numbers come from.
        axis: what its numbers are.
        columns: of the file, with their titles.
    """

    key: str
    title: str
    file: str
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
        Plot("losses", _("Losses"), STEPS, _("loss"), losses),
        Plot("gate", _("Gate"), STEPS, _("cosine, share of steps"), gate),
    ]


class TrainingPlots:
    """Makes tables, series and charts of the scene, and keeps them up to date.

    They are made again after the scene was closed, and never saved with it: the files have it all.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Any] = {}
        self._shown: dict[str, int] = {}

    def update(self, folder: RunFolder) -> None:
        """Bring the tables up to date; charts of a run that has no numbers yet are empty."""
        if slicer.mrmlScene.IsClosing():
            return
        for file in (STEPS, VALIDATION):
            rows = folder.rows(file)
            name = _("Training steps") if file == STEPS else _("Training validations")
            table = self._node("vtkMRMLTableNode", f"table {file}", name)
            key = hash((str(folder.path), table.GetID(), len(rows), str(rows[-1:])))
            if self._shown.get(file) != key:
                self._shown[file] = key
                names = [name for plot in plots() if plot.file == file for name in plot.columns]
                _fill(table, rows, ["step", *names])
        for plot in plots():
            self._chart(plot)

    def show(self, index: int) -> None:
        """Put a chart into the plot view of the layout, where there is a window."""
        chart = self._nodes.get(f"chart {plots()[index].key}")
        if chart is not None and slicer.app.layoutManager() is not None:
            slicer.modules.plots.logic().ShowChartInLayout(chart)

    def remove(self) -> None:
        """Take the nodes out of the scene."""
        for node in self._nodes.values():
            if slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)
        self._nodes.clear()
        self._shown.clear()

    def _chart(self, plot: Plot) -> None:
        chart = self._node("vtkMRMLPlotChartNode", f"chart {plot.key}", plot.title)
        table = self._nodes[f"table {plot.file}"]
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
            node = slicer.mrmlScene.AddNewNodeByClass(kind, name)
            node.SetSaveWithScene(False)
            self._nodes[key] = node
        return node


def _fill(tableNode: Any, rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> None:
    columns = [np.array([_number(row.get(name)) for row in rows]) for name in names]
    with slicer.util.NodeModify(tableNode):
        slicer.util.updateTableFromArray(tableNode, columns, names)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
