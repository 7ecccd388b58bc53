"""PythonQt's rules for enumerations, overloads and arguments, each stated once.

They were read from its sources; ``Testing/slicer_harness/pythonqt/overloads.py`` says where.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def qt(scene):
    import qt

    return qt


def test_enumerations_are_whole_numbers(qt):
    ok, cancel = qt.QDialogButtonBox.Ok, qt.QDialogButtonBox.Cancel
    assert ok == 1024
    assert [1024].index(ok) == 0
    assert ok != cancel
    assert {ok: "ok"}[1024] == "ok"
    assert (int(ok), [10, 20, 30][qt.Qt.Vertical]) == (1024, 30)
    assert not qt.QDialogButtonBox.NoButton
    assert qt.QProcess.NormalExit == 0
    assert not qt.QProcess.NormalExit


def test_joined_enumerations_are_plain_numbers(qt):
    box, align = qt.QDialogButtonBox, qt.Qt
    for joined in (box.Ok | box.Cancel, 1024 | box.Cancel, box.Ok & box.Cancel, ~box.Ok):
        assert type(joined) is int
    assert box.Ok | box.Cancel == 0x400400
    assert align.AlignRight | align.AlignVCenter == 130


@pytest.mark.parametrize("flags", ["ok", "both", "all"])
def test_a_number_never_reaches_a_constructor_for_flags_that_has_one_for_an_enumeration(qt, flags):
    """``QDialogButtonBox(Orientation)`` comes before ``QDialogButtonBox(StandardButtons)``."""
    kind = qt.QDialogButtonBox
    given = {"ok": kind.Ok, "both": kind.Ok | kind.Cancel, "all": kind.Ok | kind.Cancel | kind.Help}
    assert kind(given[flags]).buttons() == ()
    mended = kind()
    mended.setStandardButtons(given[flags])
    assert len(mended.buttons()) == 1 + list(given).index(flags)


def test_the_question_of_the_training_panel_would_have_had_no_buttons(
    qt, training_module, monkeypatch
):
    """As it was written once: with the buttons in the constructor."""
    from GSEMATrainingLib.panels import LabelQuestion

    def buttons() -> int:
        question = LabelQuestion.LabelQuestion({"ACA": 0})
        return len(question.dialog.findChild(qt.QDialogButtonBox).buttons())

    assert buttons() == 2
    source = Path(LabelQuestion.__file__).read_text(encoding="utf-8")
    old = "qt.QDialogButtonBox(qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel)"
    lines = [line for line in source.splitlines() if "setStandardButtons" not in line]
    before = "\n".join(lines).replace("qt.QDialogButtonBox()", old)
    assert before != source
    monkeypatch.setattr(
        LabelQuestion, "LabelQuestion", _run(before, LabelQuestion.__name__)["LabelQuestion"]
    )
    assert buttons() == 0


def _run(source: str, name: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": name}
    exec(compile(source, name, "exec"), names)
    return names


def test_an_exact_overload_is_taken_before_one_that_has_to_convert(qt):
    assert qt.QPushButton("a text").text == "a text"
    # A picture could be turned into a text, and the constructor from a file's name comes first.
    assert not qt.QIcon(qt.QPixmap(4, 4)).isNull()
    assert len(qt.QIcon(qt.QPixmap(4, 4)).availableSizes()) == 1
    table = qt.QTableWidget(2, 3)
    assert (table.rowCount, table.columnCount) == (2, 3)
    item = qt.QTableWidgetItem("right")
    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    assert item.textAlignment() == 130
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
    assert item.flags() == 33


def test_what_is_not_overloaded_converts_numbers_truth_and_text(qt):
    spin, line, button = qt.QSpinBox(), qt.QLineEdit(), qt.QPushButton()
    spin.setValue(2.9)
    line.setText(3)
    button.setCheckable("yes")
    assert (spin.value, line.text, button.checkable) == (2, "3", True)
    label = qt.QLabel()
    label.setAlignment(130)
    assert label.alignment == 130
    for wrong in ("2", None, [1]):
        with pytest.raises(ValueError, match="no overload of setValue takes"):
            spin.setValue(wrong)


def test_properties_convert_alike(qt):
    spin, label = qt.QSpinBox(), qt.QLabel()
    spin.value, label.text = 2.9, 5
    label.alignment = qt.Qt.AlignRight | qt.Qt.AlignTop
    assert (spin.value, label.text, label.alignment) == (2, "5", 34)
    with pytest.raises(ValueError, match="cannot be 'two'"):
        spin.value = "two"


def test_none_fits_pointers_only(qt):
    assert qt.QLabel("text", None).text == "text"
    assert qt.QWidget(None).parent() is None
    with pytest.raises(ValueError, match="no overload of resize"):
        qt.QWidget().resize(None)
    with pytest.raises(ValueError, match="no overload of setWindowIcon"):
        qt.QWidget().setWindowIcon(None)


def test_keyword_arguments_are_refused(qt):
    with pytest.raises(ValueError, match="QLabel takes no keyword arguments in PythonQt: text"):
        qt.QLabel(text="a")
    with pytest.raises(ValueError, match="resize takes no keyword"):
        qt.QWidget().resize(w=1, h=2)
    with pytest.raises(ValueError, match="getOpenFileName takes no keyword"):
        qt.QFileDialog.getOpenFileName(None, caption="Open")


def test_the_number_of_arguments_must_be_one_that_there_is(qt):
    for call in (
        lambda: qt.QSpinBox().setValue(1, 2),
        lambda: qt.QSpinBox(1),
        lambda: qt.QGridLayout().addWidget(),
    ):
        with pytest.raises(ValueError, match="no overload of"):
            call()


def test_no_object_is_made_of_a_text_or_number_that_stands_for_it(qt):
    """PySide makes key sequences of texts and icons of pictures; PythonQt does not."""
    window = qt.QWidget()
    with pytest.raises(ValueError, match="no overload of QShortcut"):
        qt.QShortcut("Ctrl+K", window)
    shortcut = qt.QShortcut(qt.QKeySequence("Ctrl+K"), window)
    assert shortcut.key.toString() == "Ctrl+K"
    with pytest.raises(ValueError, match="no overload of setIcon"):
        qt.QPushButton().setIcon(qt.QPixmap(2, 2))
    # Colors are the exception: a name of Qt's own colors is one.
    palette = qt.QPalette()
    palette.setColor(qt.QPalette.Window, qt.Qt.red)
    assert palette.color(qt.QPalette.Window).red() == 255


def test_lists_come_back_as_tuples(qt):
    box = qt.QDialogButtonBox()
    box.setStandardButtons(qt.QDialogButtonBox.Ok)
    assert type(box.buttons()) is tuple
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    assert selector.nodeTypes == ("vtkMRMLScalarVolumeNode",)


def test_file_dialogs_return_the_path_alone(qt, monkeypatch):
    from slicer_harness.pythonqt import modules

    class Chooser:
        """As PySide: the path, and the filter that was chosen."""

        getOpenFileName = getSaveFileName = staticmethod(lambda *_: ("/a/b.csv", "*.csv"))
        getOpenFileNames = staticmethod(lambda *_: (["/a", "/b"], "*.csv"))

    fake = type("Qt", (), {"QFileDialog": Chooser})
    modules._bend_file_dialogs(fake)
    assert Chooser.getOpenFileName(None, "Open", "") == "/a/b.csv"
    assert Chooser.getOpenFileNames(None, "Open", "") == ("/a", "/b")


def constructor_calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("qt", "ctk")
        ):
            yield node


def risky_arguments(qt, source: str) -> list[str]:
    """Arguments of constructors that are flags, or joined by ``|``; keyword arguments."""
    found = []
    for call in constructor_calls(source):
        for argument in call.args:
            text = ast.unparse(argument)
            if isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.BitOr):
                found.append(text)
            elif text.startswith("qt.") and isinstance(argument, ast.Attribute):
                value = eval(text, {"qt": qt})
                if isinstance(value, enum.Flag) and not isinstance(value, enum.IntEnum):
                    found.append(text)
        found += [f"{keyword.arg}=" for keyword in call.keywords]
    return found


def test_the_scan_for_risky_constructors_sees_them(qt):
    for source, count in (
        ("qt.QDialogButtonBox(qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel)", 1),
        ("qt.QDialogButtonBox(qt.QDialogButtonBox.Ok)", 1),
        ("qt.QLabel(text='a')", 1),
        ("qt.QTableWidgetItem('a')", 0),
    ):
        assert len(risky_arguments(qt, source)) == count


@pytest.mark.parametrize("module", ["GSEMASegmentation", "GSEMATraining"])
def test_no_constructor_of_the_modules_takes_flags_or_keywords(qt, module):
    for path in sorted((ROOT / module).rglob("*.py")):
        assert risky_arguments(qt, path.read_text(encoding="utf-8")) == [], path
