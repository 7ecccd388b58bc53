"""Stand-ins for the CTK widgets that the modules use."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from slicer_harness.widgets.stand_in import stand_in


@stand_in("ctk")
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A header that shows or hides the widgets laid out below it; checked means open.

    A child that was hidden by the module stays hidden when the section is opened, and one that is
    shown while the section is folded appears with it.
    """

    contentsCollapsed = Signal(bool)

    def __init__(self, *arguments: Any) -> None:
        texts = [argument for argument in arguments if isinstance(argument, str)]
        super().__init__(*[argument for argument in arguments if not isinstance(argument, str)])
        if texts:
            self.text = texts[0]
        self.checkable = True
        self.checked = True
        self._isFolding = False
        self.setContentsMargins(0, self._headerSize().height(), 0, 0)
        # As in CTK; a plain button's own would cut off what wraps into more lines.
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Preferred)
        self.toggled.connect(self._fold)

    def _headerSize(self) -> QtCore.QSize:
        style, option = self.style(), QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        pixels = QtWidgets.QStyle.PixelMetric
        indicator = [
            style.pixelMetric(which, option, self)
            for which in (pixels.PM_IndicatorWidth, pixels.PM_CheckBoxLabelSpacing)
        ]
        text = self.fontMetrics().size(QtCore.Qt.TextFlag.TextShowMnemonic, self.text or "XXXX")
        height = max(style.pixelMetric(pixels.PM_IndicatorHeight, option, self), text.height())
        content = QtCore.QSize(sum(indicator) + text.width(), height)
        kind = QtWidgets.QStyle.ContentsType.CT_PushButton
        return style.sizeFromContents(kind, option, content, self)

    def _fold(self, opened: bool) -> None:
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                self._showChild(child)
        self.setMaximumHeight(16777215 if opened else self._headerSize().height())
        self.contentsCollapsed.emit(not opened)

    def _showChild(self, child: QtWidgets.QWidget) -> None:
        """Show or hide it by the section's state, unless the module hides it."""
        wanted = child.property("visibilityToParent")
        self._isFolding = True
        child.setVisible(self.checked and wanted is not False)
        self._isFolding = False

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        child = event.child()
        if event.type() == QtCore.QEvent.Type.ChildAdded and child.isWidgetType():
            child.installEventFilter(self)

    def eventFilter(self, child: QtCore.QObject, event: QtCore.QEvent) -> bool:
        kinds = QtCore.QEvent.Type
        if not getattr(self, "_isFolding", True) and child.parent() is self:
            if event.type() == kinds.ShowToParent:
                child.setProperty("visibilityToParent", True)
                self._showChild(child)
            elif event.type() == kinds.HideToParent:
                child.setProperty("visibilityToParent", False)
        return False

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        # Children of a folded button were added while it was not on screen.
        if not self.checked:
            self._fold(False)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() < self._headerSize().height()

    def minimumSizeHint(self) -> QtCore.QSize:
        header = self._headerSize()
        if self.layout() is None or not self.checked:
            return header
        return super().minimumSizeHint().expandedTo(header)

    def sizeHint(self) -> QtCore.QSize:
        header = self._headerSize()
        if self.layout() is None or not self.checked:
            return header
        return self.layout().totalSizeHint().expandedTo(header)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, self._headerSize().height())
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
