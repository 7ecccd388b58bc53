"""``qt.QUiLoader`` that builds the stand-ins and refuses what Slicer's designer plugins refuse."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from PySide6 import QtCore, QtUiTools

from slicer_harness.widgets.stand_in import STAND_INS


class UiLoader(QtUiTools.QUiLoader):
    """Loads a .ui file; an unknown class, property, signal or slot raises."""

    def load(self, device: Any, parent: Any = None) -> Any:
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        used = {widget.get("class", "") for widget in root.iter("widget")}
        custom = {item.findtext("class", "") for item in root.iter("customwidget")} & used
        if missing := sorted(custom - set(STAND_INS)):
            raise RuntimeError(f"the harness has no stand-in for {', '.join(missing)}")
        for name in sorted(custom):
            self.registerCustomWidget(STAND_INS[name])
        for widget in root.iter("widget"):
            _check_properties(widget)
        # Qt would connect these itself, but it knows neither vtk types nor our strictness.
        connections = root.find("connections")
        pending = [] if connections is None else list(connections)
        if connections is not None:
            root.remove(connections)
        loaded = self._load_xml(ElementTree.tostring(root), parent)
        for connection in pending:
            _connect(loaded, connection)
        return loaded

    def _load_xml(self, xml: bytes, parent: Any) -> Any:
        buffer = QtCore.QBuffer()
        buffer.setData(xml)
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        loaded = super().load(buffer, parent)
        if loaded is None:
            raise RuntimeError(self.errorString())
        return loaded


def _check_properties(widget: ElementTree.Element) -> None:
    stand_in: Any = STAND_INS.get(widget.get("class", ""))
    for item in widget.findall("property") if stand_in else ():
        known = stand_in.staticMetaObject.indexOfProperty(item.get("name")) >= 0
        if item.get("stdset") != "0" and not known:
            raise RuntimeError(f"{widget.get('class')} has no property {item.get('name')}")


def _named(top: Any, name: str | None) -> Any:
    found = top if top.objectName == name else top.findChild(QtCore.QObject, name)
    if found is None:
        raise RuntimeError(f"a connection names {name}, which is not in the file")
    return found


def _connect(top: Any, connection: ElementTree.Element) -> None:
    sender = _named(top, connection.findtext("sender"))
    receiver = _named(top, connection.findtext("receiver"))
    sender.connect(connection.findtext("signal"), receiver, connection.findtext("slot"))
