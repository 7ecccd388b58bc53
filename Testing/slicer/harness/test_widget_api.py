"""Nothing that the modules use of a widget, or a stand-in offers, is unknown to the real widget."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "GSEMASegmentation": ROOT / "GSEMASegmentation",
    "GSEMATraining": ROOT / "GSEMATraining",
}


@pytest.fixture
def facts(harness):
    from slicer_harness.widgets.facts import WIDGETS

    return WIDGETS


def classes_in(module: str) -> dict[str, str]:
    """Widget name -> class name, from the module's .ui file."""
    root = ElementTree.parse(MODULES[module] / "Resources" / "UI" / f"{module}.ui").getroot()
    return {widget.get("name", ""): widget.get("class", "") for widget in root.iter("widget")}


def uses_of(source: str) -> Iterator[tuple[str, str, str | None]]:
    """Widget name, attribute and, where it is connected, the signal of each ``self.ui.X.attr``.

    A widget that is first put into a variable (``button = self.ui.X``) is followed too.
    """
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        aliases = {
            node.targets[0].id: node.value.attr
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and _is_ui(node.value)
        }
        connected = {}
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("connect", "disconnect")
                and isinstance(node.args[0], ast.Constant)
            ):
                connected[node.func] = node.args[0].value
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute):
                continue
            if _is_ui(node.value):
                yield node.value.attr, node.attr, connected.get(node)
            elif isinstance(node.value, ast.Name) and node.value.id in aliases:
                yield aliases[node.value.id], node.attr, connected.get(node)


def _is_ui(node: ast.expr) -> bool:
    """Whether this is ``self.ui.X``."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "ui"
    )


def test_the_scan_sees_uses_and_aliases():
    source = """
def f(self):
    self.ui.a.text = "x"
    b = self.ui.b
    b.connect("clicked(bool)", g)
"""
    assert set(uses_of(source)) == {("a", "text", None), ("b", "connect", "clicked(bool)")}


def known_names(facts, class_name):
    import qt

    base = getattr(qt, facts[class_name].base if class_name in facts else class_name)
    # Of the C++ functions only slots, invokables and what PythonQt wraps of Qt are in Slicer.
    names = {"connect", "disconnect", "blockSignals", "property", "setProperty", "name"}
    names |= {name for name in dir(base) if not name.startswith("_")}
    return names | (set(facts[class_name].names) if class_name in facts else set())


def knows_signal(facts, class_name, signature):
    import qt

    if class_name in facts and signature in facts[class_name].signals:
        return True
    base = getattr(qt, facts[class_name].base if class_name in facts else class_name)
    return probe(base).staticMetaObject.indexOfSignal(signature) >= 0


@cache
def probe(base):
    """A class of its own, and kept: PySide's wrapper of a Qt class's meta object may die with any
    widget, and the meta object of a class that the garbage collector takes dies at once."""
    return type("Probe", (base,), {})


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_modules_use_only_what_the_real_widgets_have(facts, module):
    classes, checked = classes_in(module), 0
    for path in sorted(MODULES[module].rglob("*.py")):
        for name, attribute, signature in uses_of(path.read_text(encoding="utf-8")):
            class_name = classes[name]
            assert attribute in known_names(facts, class_name), f"{class_name}.{attribute}"
            if signature is not None:
                assert knows_signal(facts, class_name, signature), f"{class_name}: {signature}"
            checked += 1
    assert checked >= 8


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_ui_files_use_only_what_the_real_widgets_have(facts, module):
    path = MODULES[module] / "Resources" / "UI" / f"{module}.ui"
    root = ElementTree.parse(path).getroot()
    classes = classes_in(module)
    for widget in root.iter("widget"):
        class_name = widget.get("class", "")
        if class_name not in facts:
            assert class_name.startswith("Q"), f"{class_name} is not in the table"
            continue
        for item in widget.findall("property"):
            if item.get("stdset") != "0":
                assert item.get("name") in known_names(facts, class_name)
    for connection in root.iter("connection"):
        sender, receiver = (classes[connection.findtext(end, "")] for end in ("sender", "receiver"))
        assert knows_signal(facts, sender, connection.findtext("signal"))
        slot = connection.findtext("slot", "").split("(")[0]
        assert slot in known_names(facts, receiver)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_input_has_a_tooltip(module):
    path = MODULES[module] / "Resources" / "UI" / f"{module}.ui"
    # Buttons and the fields of settings, which lie in a plain widget, get theirs in code.
    silent = ("QLabel", "qMRMLWidget", "ctkCollapsibleButton", "QPushButton", "QWidget")
    for widget in ElementTree.parse(path).getroot().iter("widget"):
        if widget.get("class") not in silent:
            names = {item.get("name") for item in widget.findall("property")}
            assert "toolTip" in names, widget.get("name")


def test_the_stand_ins_offer_only_what_the_real_widgets_have(facts):
    from PySide6 import QtWidgets
    from slicer_harness.widgets.stand_in import STAND_INS

    # Virtual functions of Qt that a stand-in implements are not seen from Python in Slicer.
    virtual = {"showEvent", "hitButton", "paintEvent", "childEvent", "eventFilter"}
    virtual |= {"sizeHint", "minimumSizeHint"}
    enumerations = {"Dirs", "Files", "Readable"}
    assert len(STAND_INS) >= 6
    for name, stand_in in STAND_INS.items():
        base = getattr(QtWidgets, facts[name].base)
        assert issubclass(stand_in, base)
        own = {
            member
            for cls in stand_in.__mro__[: stand_in.__mro__.index(base)]
            for member in vars(cls)
            if not member.startswith("_") and member != "staticMetaObject"
        }
        # PySide adds each signal's name; the table has them with their arguments.
        extra = own - facts[name].names - virtual - enumerations
        assert not extra, f"{name} has {extra}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_tab_key_goes_from_top_to_bottom(module):
    """Through everything that takes the focus, in the order in which it is laid out.

    Without tab stops Qt takes the order of the file, which is the same.
    """
    root = ElementTree.parse(MODULES[module] / "Resources" / "UI" / f"{module}.ui").getroot()
    passive = ("QLabel", "QProgressBar", "QTabWidget", "QWidget", "qMRMLWidget")
    laid_out = [
        widget.get("name")
        for widget in root.iter("widget")
        if widget.get("class") not in (*passive, "ctkCollapsibleButton")
    ]
    stops = [stop.text for stop in root.iter("tabstop")]
    assert stops == (laid_out if stops or module == "GSEMASegmentation" else [])


@pytest.mark.parametrize("module", sorted(MODULES))
def test_labels_that_name_an_input_lead_to_it(module):
    root = ElementTree.parse(MODULES[module] / "Resources" / "UI" / f"{module}.ui").getroot()
    names = {widget.get("name") for widget in root.iter("widget")}
    buddies = [
        item.findtext("cstring") for item in root.iter("property") if item.get("name") == "buddy"
    ]
    assert buddies
    assert set(buddies) <= names
