"""What the extension ships, and what importing it costs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gsema_core.terminology import terminology_context

ROOT = Path(__file__).resolve().parents[2]
MODULES = ["GSEMASegmentation", "GSEMATraining"]
HEAVY = ["torch", "monai", "SimpleITK", "scipy"]

LOAD = """
import sys
from pathlib import Path
sys.path.insert(0, {testing!r})
from slicer_harness import boot
sys.path.pop(0)
boot(with_widgets=False)
from slicer_harness.loader import load_module
load_module(Path({module!r}))
import gsema_core
print(Path(gsema_core.__file__).parent)
print([name for name in {heavy!r} if name in sys.modules])
"""


def load_in_another_process(module: Path, cwd: Path) -> list[str]:
    code = LOAD.format(testing=str(ROOT / "Testing"), module=str(module), heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("module", MODULES)
def test_importing_a_module_loads_nothing_heavy(harness, module, tmp_path):
    lines = load_in_another_process(ROOT / module / f"{module}.py", tmp_path)
    assert lines[-1] == "[]"


@pytest.mark.parametrize("module", MODULES)
def test_a_copied_checkout_finds_its_own_core_package(harness, module, tmp_path, monkeypatch):
    """As with "Additional module paths": nothing of the project is installed."""
    for name in (*MODULES, "gsema_core"):
        ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    # A finder that hides the installed package, for the subprocess alone.
    hiding = tmp_path / "site" / "sitecustomize.py"
    hiding.parent.mkdir()
    hiding.write_text(
        "import sys\n"
        f"sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]\n"
        "sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(hiding.parent))
    lines = load_in_another_process(tmp_path / module / f"{module}.py", tmp_path / "site")
    assert lines[-2] == str(tmp_path / "gsema_core")


@pytest.mark.parametrize("module", MODULES)
def test_cmake_lists_every_file_of_a_module(module):
    text = (ROOT / module / "CMakeLists.txt").read_text().replace("${MODULE_NAME}", module)
    listed = []
    for variable in ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"):
        found = re.search(rf"set\({variable}\s([^)]*)\)", text)
        assert found is not None
        listed += found[1].split()
    folder = ROOT / module
    present = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    ]
    assert sorted(listed) == sorted(present)


ROOMS = ("install", "scene", "measure", "worker", "correct", "click", "neck",
         "CorrectionLogic", "SegmentationLogic", "panels")  # fmt: skip
TRAINING_ROOMS = ("ParameterNode", "cases", "run", "comparison", "ScriptedTraining",
                  "TrainingLogic", "panels")  # fmt: skip


@pytest.mark.parametrize(
    ("module", "rooms"), [("GSEMASegmentation", ROOMS), ("GSEMATraining", TRAINING_ROOMS)]
)
def test_rooms_use_each_other_in_one_direction(module, rooms):
    library = f"{module}Lib"
    for path in (ROOT / module / library).rglob("*.py"):
        here = path.relative_to(ROOT / module / library).parts[0].removesuffix(".py")
        for there in re.findall(rf"^from {library}\.(\w+)", path.read_text(), re.MULTILINE):
            if here in rooms and there in rooms:
                assert rooms.index(there) <= rooms.index(here), f"{path} imports {there}"


@pytest.mark.skipif(
    shutil.which("cmake") is None or shutil.which("c++") is None, reason="needs cmake and c++"
)
def test_the_extension_configures_and_hands_over_every_file(tmp_path):
    """With stand-ins for Slicer's macros, which say what they were given."""
    macros = tmp_path / "UseSlicer.cmake"
    macros.write_text(
        "set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/qt-scripted-modules)\n"
        "set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR lib/qt-scripted-modules)\n"
        'function(slicerMacroBuildScriptedModule)\n  message(STATUS "MODULE ${ARGN}")\n'
        'endfunction()\nfunction(ctkMacroCompilePythonScript)\n  message(STATUS "CORE ${ARGN}")\n'
        "endfunction()\nfunction(slicer_add_python_unittest)\n"
        '  message(STATUS "TEST ${ARGN}")\nendfunction()\n'
    )
    (tmp_path / "Empty.cmake").write_text("")
    (tmp_path / "SlicerConfig.cmake").write_text(
        f"set(Slicer_USE_FILE {macros})\nset(BUILD_TESTING ON)\n"
        f"set(Slicer_EXTENSION_GENERATE_CONFIG {tmp_path}/Empty.cmake)\n"
        'set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/Empty.cmake")\n'
    )
    command = ["cmake", "-S", str(ROOT), "-B", str(tmp_path / "build"), f"-DSlicer_DIR={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CMake Warning" not in done.stderr
    core = next(line for line in done.stdout.splitlines() if "CORE" in line).split(";")
    for path in (ROOT / "gsema_core").rglob("*.py"):
        assert path.relative_to(ROOT / "gsema_core").as_posix() in core
    assert "py.typed" in core
    assert done.stdout.count("MODULE NAME") == 2
    for module in MODULES:
        assert f"TEST SCRIPT;{module}.py" in done.stdout


def test_the_top_level_describes_an_extension():
    text = (ROOT / "CMakeLists.txt").read_text()
    assert "project(AneurysmSegmentation)" in text
    for name in ("HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"):
        assert re.search(rf"set\(EXTENSION_{name} \"?\S", text)
    assert text.rstrip().endswith("include(${Slicer_EXTENSION_CPACK})")


def test_the_terminology_file_is_what_the_core_says():
    path = ROOT / "GSEMASegmentation/Resources/Terminologies/CerebralAneurysms.term.json"
    assert json.loads(path.read_text()) == terminology_context()


@pytest.mark.parametrize("module", MODULES)
def test_the_modules_own_tests_pass(
    scene, segmentation_module, training_module, module, monkeypatch
):
    import slicer

    ran: list[object] = []
    test_class = {
        "GSEMASegmentation": getattr(segmentation_module, "GSEMASegmentationTest", None),
        "GSEMATraining": getattr(training_module, "GSEMATrainingTest", None),
    }[module]
    for name in test_class().moduleTestNames:
        original = getattr(test_class, name)
        setattr(
            test_class, name, lambda self, run=original, name=name: ran.append(name) or run(self)
        )
    slicer.selfTests[module]()
    assert ran
    assert all(name.startswith("test_") for name in ran)


@pytest.mark.parametrize("module", MODULES)
def test_the_module_describes_itself(scene, segmentation_module, training_module, module):
    import slicer

    description = getattr(slicer.modules, module.lower())
    assert "Aneurysm" in description.title
    assert "research use" in description.helpText
    assert "GS-EMA" in description.acknowledgementText
    icon = ROOT / module / "Resources" / "Icons" / f"{module}.png"
    assert icon.read_bytes().startswith(b"\x89PNG")
