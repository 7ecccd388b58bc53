"""The check of the Extensions Index's criteria finds each fault; this checkout has none."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("CMakeLists.txt", "AneurysmSegmentation.json", "LICENSE", "README.md")


@pytest.fixture(scope="module")
def check() -> ModuleType:
    path = ROOT / "Testing" / "check_extension.py"
    spec = importlib.util.spec_from_file_location("check_extension", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("GSEMASegmentation", "GSEMATraining", "docs/images"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_this_checkout_has_no_fault(check: ModuleType, copy: Path) -> None:
    assert list(check.faults(ROOT)) == []
    assert list(check.faults(copy)) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("CMakeLists.txt", "research use, not", "research use; not", "semicolon"),
        ("CMakeLists.txt", "https://raw.githubusercontent.com/", "${HOME}/", "ICONURL"),
        ("CMakeLists.txt", "GSEMASegmentation.png", "Other.png", "no PNG"),
        ("CMakeLists.txt", "Lastname (Organization)", "Lastname", "First Last"),
        ("CMakeLists.txt", "## NEXT_MODULE", "", "NEXT_MODULE"),
        ("CMakeLists.txt", "related patents", "others' rights", "patents"),
        ("CMakeLists.txt", "project(Aneurysm", "project(SlicerAneurysm", "project"),
        ("CMakeLists.txt", 'DEPENDS "PyTorch"', 'DEPENDS "NA"', "build_dependencies"),
        ("AneurysmSegmentation.json", '"tier": 1', '"tier": 7', "tier"),
        ("AneurysmSegmentation.json", '"tier": 1', '"homepage": ""', "no field"),
        ("AneurysmSegmentation.json", "/SlicerAneurysm", "/Aneurysm", "called Slicer"),
        ("README.md", "## Tutorial", "## First steps", "tutorial"),
        ("GSEMATraining/GSEMATraining.py", "import slicer\n", "import torch\n", "imports torch"),
    ],
)  # fmt: skip
def test_each_fault_is_found(
    check: ModuleType, copy: Path, name: str, old: str, new: str, words: str
) -> None:
    path = copy / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any(words in fault for fault in check.faults(copy))


def test_a_missing_license_is_found(check: ModuleType, copy: Path) -> None:
    (copy / "LICENSE").unlink()
    assert any("LICENSE" in fault for fault in check.faults(copy))
