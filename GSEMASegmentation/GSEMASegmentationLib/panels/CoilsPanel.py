"""The panel's section on coils: the packing density of the chosen aneurysm."""

from __future__ import annotations

from collections import Counter
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.measurements.aneurysm_table import value_text
from gsema_core.measurements.coils import INCH_MM, Coil
from GSEMASegmentationLib.measure.Packing import segmentVolumeMm3
from GSEMASegmentationLib.panels.ResultsPanel import ResultsPanel
from GSEMASegmentationLib.panels.Widgets import enable, showText
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic

UNITS = (("inch", 4, INCH_MM), ("mm", 3, 1.0))
"""Name, digits after the point and mm of each unit of a diameter; coils are sold in inches."""

CM_MM = 10.0


class CoilsPanel:
    """Takes coils for the aneurysm that is chosen in the table, and tells how much they fill.

    Args:
        ui: the panel's widgets.
        logic: computes.
        results: knows which aneurysm is chosen.
    """

    def __init__(self, ui: Any, logic: GSEMASegmentationLogic, results: ResultsPanel) -> None:
        self.ui = ui
        self._logic, self._results = logic, results
        self._coils: dict[tuple[str, str], list[Coil]] = {}
        self._unit = 0
        self.ui.coilUnitComboBox.connect("currentIndexChanged(int)", self._onUnit)
        self.ui.addCoilButton.connect("clicked(bool)", self._onAdd)
        self.ui.removeCoilButton.connect("clicked(bool)", self._onRemove)
        self.ui.aneurysmTable.connect("itemSelectionChanged()", self.update)
        results.onShown.append(self.update)
        self.update()

    def update(self) -> None:
        """Show the coils of the chosen aneurysm, and what they fill of it as it is now."""
        coils = self._ofChosen()
        none = _("Choose an aneurysm in the table above.") if coils is None else ""
        enable(self.ui.addCoilButton, _("Put a coil of this size into the aneurysm."), none)
        nothing = none or ("" if coils else _("There is no coil to take out."))
        enable(self.ui.removeCoilButton, _("Take the last coil out again."), nothing)
        if not coils:
            showText(self.ui.coilsLabel, none or _("No coils yet."))
            return
        try:
            showText(self.ui.coilsLabel, self._told(coils))
        except UserError as error:
            showText(self.ui.coilsLabel, f"{_listed(coils)}\n{error}", isError=True)

    def forget(self) -> None:
        """Forget all coils: the scene is closed, and another one may have nodes of these ids."""
        self._coils.clear()
        self.update()

    def _key(self) -> tuple[str, str] | None:
        segmentId = self._results.selectedSegment
        return (self._results.segmentation.GetID(), segmentId) if segmentId else None

    def _ofChosen(self) -> list[Coil] | None:
        """The coils of the chosen aneurysm, each its own; None where none is chosen."""
        key = self._key()
        return None if key is None else self._coils.setdefault(key, [])

    def _told(self, coils: list[Coil]) -> str:
        node, segmentId = self._results.segmentation, self._results.selectedSegment
        share = self._logic.packingDensity(node, segmentId, coils)
        return _(
            "{coils}\nPacking density {percent:.1f} %: {filled} of {volume} mm³. For research use."
        ).format(
            coils=_listed(coils),
            percent=100 * share,
            filled=value_text(sum(coil.volume_mm3 for coil in coils), "mm³"),
            volume=value_text(segmentVolumeMm3(node, segmentId), "mm³"),
        )

    def _onUnit(self, index: int) -> None:
        """The same diameter in the other unit."""
        mm = self.ui.coilDiameterSpinBox.value * UNITS[self._unit][2]
        self._unit = index
        _name, digits, unitMm = UNITS[index]
        self.ui.coilDiameterSpinBox.decimals = digits
        self.ui.coilDiameterSpinBox.maximum = 1.0 / unitMm
        self.ui.coilDiameterSpinBox.singleStep = 10.0 ** (1 - digits)
        self.ui.coilDiameterSpinBox.value = mm / unitMm

    def _onAdd(self, _checked: bool) -> None:
        coils = self._ofChosen()
        if coils is None:
            return
        mm = self.ui.coilDiameterSpinBox.value * UNITS[self._unit][2]
        try:
            coils.append(Coil(mm, self.ui.coilLengthSpinBox.value * CM_MM))
        except UserError as error:
            showText(self.ui.coilsLabel, str(error), isError=True)
        else:
            self.update()

    def _onRemove(self, _checked: bool) -> None:
        coils = self._ofChosen()
        if coils:
            coils.pop()
        self.update()


def _listed(coils: list[Coil]) -> str:
    """``2 × 0.0100 inch (0.254 mm), 20 cm; ...``"""
    sizes = Counter((coil.diameter_mm, coil.length_mm) for coil in coils)
    return "; ".join(
        _("{count} × {inch:.4f} inch ({mm:.3f} mm), {cm:g} cm").format(
            count=count, inch=mm / INCH_MM, mm=mm, cm=length / CM_MM
        )
        for (mm, length), count in sizes.items()
    )
