"""The house's plan: rooms on floors, arrows that only point down, one name for one thing."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import gsema_core

PACKAGE = Path(gsema_core.__file__).parent

FLOORS = (
    # Each may import what stands before it; what shares a line may import each other's neighbors
    # only from left to right.
    (
        "version",
        "errors",
        "plugins",
        "lazy",
        "labels",
        "exit_codes",
        "text_tables",
        "progress_line",
        "repeating",
        "stop_signals",
        "user_name",
    ),
    ("configuration", "terminology", "error_log"),
    ("grids", "files", "intensities", "machine"),
    ("clicks", "networks", "losses", "transforms", "surgery"),
    ("teachers", "measurements", "surfaces", "datasets", "simulation"),
    ("inference", "training", "evaluation", "benchmark"),
    ("worker", "commands", "cli", "__main__"),
)
ORDER = [room for floor in FLOORS for room in floor]


def modules() -> Iterator[tuple[str, Path]]:
    """Every module's dotted name below gsema_core, and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:
            yield name, path


def room(name: str) -> str:
    """The room that a module is in; what starts a program stands above all."""
    return "__main__" if name.endswith("__main__") else name.split(".")[0]


def imports(path: Path) -> Iterator[str]:
    """What a file imports of gsema_core, wherever in the file, as dotted names below it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gsema_core."):
            assert node.module is not None
            below = node.module.removeprefix("gsema_core.")
            for alias in node.names:
                deeper = f"{below}.{alias.name}"
                yield deeper if deeper in NAMES else below
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("gsema_core."):
                    yield alias.name.removeprefix("gsema_core.")


NAMES = {name for name, _ in modules()}


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in NAMES} == set(ORDER)


def test_no_arrow_runs_up() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in modules()
        for other in imports(path)
        if ORDER.index(room(other)) > ORDER.index(room(name))
    ]
    assert not wrong


def test_no_circle_of_imports() -> None:
    arrows = {
        name: {other for other in imports(path) if other != name}
        for name, path in modules()
        if path.name != "__init__.py"  # a package's face names its own files
    }
    left = dict(arrows)
    while True:
        free = [name for name, others in left.items() if not others & set(left)]
        if not free:
            break
        for name in free:
            del left[name]
    assert not left, f"these import each other: {sorted(left)}"


def test_no_base_name_is_in_two_rooms() -> None:
    """A command is named after what a user types; its module's name may be another room's too."""
    counted = Counter(
        name.rsplit(".", 1)[-1]
        for name, path in modules()
        if path.stem not in ("__init__", "__main__") and not name.startswith("commands.")
    )
    assert not [name for name, count in counted.items() if count > 1]


def test_the_lowest_floors_and_the_slicer_side_need_the_standard_library_alone() -> None:
    """The panels open before anything is installed."""
    for name in (
        "version",
        "errors",
        "plugins",
        "lazy",
        "labels",
        "configuration",
        "terminology",
        "worker.protocol",
    ):
        for path in (PACKAGE / f"{name.replace('.', '/')}.py", PACKAGE / name):
            files = [path] if path.is_file() else path.rglob("*.py") if path.is_dir() else []
            for file in files:
                assert _foreign(file) <= {"gsema_core", "tomli"}, file


def _foreign(path: Path) -> set[str]:
    import sys

    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names)


def test_the_page_on_the_house_names_files_that_are_there() -> None:
    root = PACKAGE.parent
    page = (root / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    journeys = page[page.index("## Journeys") : page.index("## What is written here")]
    libraries = [
        root / module / f"{module}Lib" for module in ("GSEMASegmentation", "GSEMATraining")
    ]
    for name in re.findall(r"`([\w/]+\.py)`", journeys):
        places = [root, PACKAGE, *libraries]
        assert any((place / name).is_file() for place in places), name


def test_the_docs_name_files_that_are_there() -> None:
    root = PACKAGE.parent
    pages = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("examples/*.md")]
    named = r"(?:Testing|demo|docs|examples|gsema_core)/[\w/.-]+\.(?:md|png|py|toml|txt)"
    for page in pages:
        for name in re.findall(named, page.read_text(encoding="utf-8")):
            assert (root / name).is_file(), f"{page.name} names {name}"


@pytest.mark.parametrize(
    "script",
    sorted((PACKAGE.parent / "Testing" / "benchmarks").glob("*.py"))
    + sorted((PACKAGE.parent / "demo").glob("*.py")),
    ids=lambda path: path.stem,
)
def test_scripts_import_what_is_there(script: Path) -> None:
    """No test runs them, so a name that moved would be missed by whoever runs them next."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gsema_core"):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                assert hasattr(module, alias.name) or importlib.import_module(deeper)
