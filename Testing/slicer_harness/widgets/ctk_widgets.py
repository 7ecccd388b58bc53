"""Stand-ins for the CTK widgets that the modules use."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from slicer_harness.widgets.stand_in import stand_in

_HEADER_HEIGHT = 24


@stand_in("ctk")
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A header that shows or hides the widgets laid out below it; checked means open."""

    contentsCollapsed = Signal(bool)

    def __init__(self, *arguments: Any) -> None:
        texts = [argument for argument in arguments if isinstance(argument, str)]
        super().__init__(*[argument for argument in arguments if not isinstance(argument, str)])
        if texts:
            self.text = texts[0]
        self._isForcing = False
        self.checkable = True
        self.checked = True
        self.setContentsMargins(8, _HEADER_HEIGHT, 2, 2)
        self.toggled.connect(self._fold)

    def _fold(self, opened: bool) -> None:
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                self._showOrHide(child)
        self.setMaximumHeight(16777215 if opened else _HEADER_HEIGHT)
        self.contentsCollapsed.emit(not opened)

    def _showOrHide(self, child: QtWidgets.QWidget) -> None:
        """Hidden while folded; else as the module wants it, which is kept as CTK keeps it."""
        self._isForcing = True
        child.setVisible(self.checked and child.property("visibilityToParent") is not False)
        self._isForcing = False

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        if event.type() == QtCore.QEvent.Type.ChildAdded and event.child().isWidgetType():
            event.child().installEventFilter(self)

    def eventFilter(self, child: QtCore.QObject, event: QtCore.QEvent) -> bool:
        wanted = {
            QtCore.QEvent.Type.ShowToParent: True,
            QtCore.QEvent.Type.HideToParent: False,
        }.get(event.type())
        if wanted is not None and not self._isForcing:
            child.setProperty("visibilityToParent", wanted)
            if not self.checked:
                self._showOrHide(child)
        return False

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        # Children of a folded button were added while it was not on screen.
        if not self.checked:
            self._fold(False)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() < _HEADER_HEIGHT

    def sizeHint(self) -> QtCore.QSize:
        layout = self.layout()
        if layout is None or not self.checked:
            return QtCore.QSize(100, _HEADER_HEIGHT)
        return layout.sizeHint()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, _HEADER_HEIGHT - 2)
        painter.drawPrimitive(QtWidgets.QStyle.PrimitiveElement.PE_PanelButtonBevel, option)
        painter.drawText(
            option.rect.adjusted(8, 0, 0, 0),
            int(QtCore.Qt.AlignmentFlag.AlignVCenter),
            f"{'▾' if self.checked else '▸'}  {self.text}",
        )

    collapsed = Property(
        bool,
        lambda self: not self.checked,
        lambda self, value: setattr(self, "checked", not value),
    )


@stand_in("ctk")
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that shows a default text while nothing is chosen."""

    _defaultText = ""

    defaultText = Property(
        str,
        lambda self: self._defaultText,
        lambda self, value: setattr(self, "_defaultText", value),
    )


@stand_in("ctk")
class ctkPathLineEdit(QtWidgets.QWidget):
    """A path with a history and a browse button."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Dirs, Files, Readable = 0x001, 0x002, 0x010

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*[item for item in arguments if isinstance(item, QtWidgets.QWidget)])
        self._edit = QtWidgets.QComboBox()
        self._edit.editable = True
        self._button = QtWidgets.QToolButton()
        self._button.text = "..."
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit, 1)
        layout.addWidget(self._button)
        self._edit.currentTextChanged.connect(self.currentPathChanged)
        self._nameFilters: list[str] = []
        self._filters, self._settingKey = self.Files, ""

    def addCurrentPathToHistory(self) -> None:
        if self._edit.findText(self.currentPath) < 0:
            self._edit.addItem(self.currentPath)

    def setCurrentPath(self, path: str) -> None:
        self.currentPath = path

    currentPath = Property(
        str,
        lambda self: self._edit.currentText,
        lambda self, value: self._edit.setCurrentText(value),
    )
    nameFilters = Property(
        "QStringList",
        lambda self: tuple(self._nameFilters),
        lambda self, value: setattr(self, "_nameFilters", list(value)),
    )
    filters = Property(
        int,
        lambda self: self._filters,
        lambda self, value: setattr(self, "_filters", int(value)),
    )
    settingKey = Property(
        str,
        lambda self: self._settingKey,
        lambda self, value: setattr(self, "_settingKey", value),
    )
    showHistoryButton = Property(bool, lambda self: True, lambda self, value: None)


def _delegated(name: str, kind: type) -> Property:
    """A property of a composite widget that really belongs to its spin box."""
    return Property(
        kind,
        lambda self: getattr(self._spinBox, name),
        lambda self, value: setattr(self._spinBox, name, value),
    )


@stand_in("ctk")
class ctkSliderWidget(QtWidgets.QWidget):
    """A slider and a spin box that share one number."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    _STEPS = 1000

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*[item for item in arguments if isinstance(item, QtWidgets.QWidget)])
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._slider.maximum = self._STEPS
        self._spinBox = QtWidgets.QDoubleSpinBox()
        self._spinBox.maximum = 100.0
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spinBox)
        self._spinBox.valueChanged.connect(self._onSpinBox)
        self._slider.sliderMoved.connect(self._onSlider)

    def _onSpinBox(self, value: float) -> None:
        extent = self.maximum - self.minimum
        self._slider.value = int(self._STEPS * (value - self.minimum) / extent) if extent else 0
        self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)

    def _onSlider(self, position: int) -> None:
        extent = self.maximum - self.minimum
        self._spinBox.value = self.minimum + extent * position / self._STEPS

    def setValue(self, value: float) -> None:
        self._spinBox.value = value

    value = _delegated("value", float)
    minimum = _delegated("minimum", float)
    maximum = _delegated("maximum", float)
    singleStep = _delegated("singleStep", float)
    decimals = _delegated("decimals", int)
    suffix = _delegated("suffix", str)
    prefix = _delegated("prefix", str)
    pageStep = _delegated("singleStep", float)
