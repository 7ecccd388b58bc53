"""The reference pages of the API have every name that a package exports."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import gsema_core

PACKAGE = Path(gsema_core.__file__).parent
PAGES = PACKAGE.parent / "docs" / "reference" / "api"
DOCUMENTED = {
    name
    for page in PAGES.glob("*.md")
    for name in re.findall(r"^::: ([\w.]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
}
NOT_EXPORTED = {"lazy_exports", "name_the_user", "__version__"}


def exports(path: Path) -> set[str]:
    """The names that an ``__init__.py`` imports of this project."""
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gsema_core.")
        for alias in node.names
    } - NOT_EXPORTED


PUBLIC = exports(PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/__init__.py")), ids=lambda p: p.parent.name)
def test_every_exported_name_is_on_a_page(path: Path) -> None:
    names = {f"gsema_core.{path.parent.name}.{name}" for name in exports(path) - PUBLIC}
    assert names <= DOCUMENTED, f"add ::: {min(names - DOCUMENTED)} to a page of docs/reference/api"


def test_the_public_face_has_a_page_of_its_own() -> None:
    assert {f"gsema_core.{name}" for name in PUBLIC} <= DOCUMENTED
