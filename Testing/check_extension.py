"""What the Extensions Index asks of an extension, checked on this checkout.

    python Testing/check_extension.py [FOLDER]

Follows the criteria that the Index publishes: its check of catalog entries, and the first tier of
its list for pull requests. What only the public repository can show stays open: that its
addresses answer, and that it has the topic 3d-slicer-extension. Needs the standard library alone.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

NAME = "AneurysmSegmentation"
MODULES = ("GSEMASegmentation", "GSEMATraining")
LARGEST_MB = 100
IGNORED = {".git", ".venv", ".venv-docs", "demo_output", "site"}
PNG = b"\x89PNG\r\n\x1a\n"

FIELDS = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
"""Of the schema of catalog entries, version 1.0.1, which allows no others."""

REQUIRED = ("$schema", "category", "scm_url")
BUNDLED = {"slicer", "vtk", "vtkmodules", "SimpleITK", "numpy", "scipy", "qt", "ctk"} | {
    "AbstractScriptedSubjectHierarchyPlugin"
}
"""What every Slicer has and a module may import while Slicer starts."""

OWN = {"gsema_core", "SampleData", *MODULES, *(f"{module}Lib" for module in MODULES)}

README = {
    "summary": r"\A# AneurysmSegmentation\n+\S",
    "picture": r"!\[[^\]]+\]\([^)]+\.png\)",
    "tutorial": r"^## Tutorial",
    "sample data": r"3DRA phantom with aneurysm",
    "publication": r"https://(doi\.org|arxiv\.org)/\S+",
    "patents": r"(?i)\bpatent",
    "license": r"Apache-2\.0",
    "removal": r"(?i)^## Remov",
    **{f"sentence on {module}": rf"\*\*{module}\*\*, a Slicer module" for module in MODULES},
}


def faults(root: Path) -> Iterator[str]:
    """A sentence for each criterion that is not met."""
    cmake = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    yield from _cmake_faults(root, cmake)
    yield from _entry_faults(root / f"{NAME}.json", cmake)
    if not (root / "LICENSE").is_file():
        yield "There is no LICENSE at the root."
    readme = (root / "README.md").read_text(encoding="utf-8")
    for what, pattern in README.items():
        if not re.search(pattern, readme, re.MULTILINE):
            yield f"README.md has no {what} (no match for {pattern})."
    for module in MODULES:
        yield from _contributor_faults(root / module / f"{module}.py", cmake)
        yield from _source_faults(root / module)
    tracked = [path for path in root.rglob("*") if path.is_file() and not _ignored(path, root)]
    size = sum(path.stat().st_size for path in tracked) / 1e6
    if size > LARGEST_MB:
        yield f"The repository has {size:.0f} MB, where the Index takes {LARGEST_MB}."


def setting(cmake: str, name: str) -> str | None:
    """The text of ``set(EXTENSION_NAME "...")`` as the Index finds it, or None."""
    found = re.search(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"\s*\)', cmake)
    return found[1].strip() if found else None


def _cmake_faults(root: Path, cmake: str) -> Iterator[str]:
    project = re.search(r"project\s*\(\s*([^\s)]+)", cmake)
    if project is None or project[1] != NAME or NAME.startswith("Slicer"):
        yield f"The project is not called {NAME}, as its catalog entry is."
    if "## NEXT_MODULE" not in cmake:
        yield "CMakeLists.txt has no marker ## NEXT_MODULE."
    for name in ("HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"):
        text = setting(cmake, name)
        if text is None:
            yield f"EXTENSION_{name} is not set to one quoted text."
        elif ";" in text or "$" in text or "\n" in text:
            yield f"EXTENSION_{name} holds a semicolon, a variable or a line's end."
    contributors = setting(cmake, "CONTRIBUTORS") or ""
    for one in contributors.split(","):
        if not re.fullmatch(r"\S+( \S+)+ \([^()]+\)", one.strip()):
            yield f"The contributor {one.strip()!r} is not written as First Last (Organization)."
    if "patent" not in (setting(cmake, "DESCRIPTION") or ""):
        yield "EXTENSION_DESCRIPTION says nothing of patents."
    for name in ("ICONURL", "SCREENSHOTURLS"):
        for url in (setting(cmake, name) or "").split():
            yield from _picture_faults(root, name, url)


def _picture_faults(root: Path, name: str, url: str) -> Iterator[str]:
    """An address of the repository's raw files must lead to a picture of this checkout."""
    found = re.fullmatch(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[^/]+/(.+)", url)
    if found is None:
        yield f"EXTENSION_{name} has {url}, which is no address of a raw file."
    elif not (root / found[1]).is_file() or (root / found[1]).read_bytes()[:8] != PNG:
        yield f"EXTENSION_{name} leads to {found[1]}, which is no PNG of this checkout."


def _entry_faults(path: Path, cmake: str) -> Iterator[str]:
    if not path.is_file():
        yield f"There is no catalog entry {path.name}."
        return
    if b"\r" in path.read_bytes():
        yield f"{path.name} has line ends other than LF."
    entry = json.loads(path.read_text(encoding="utf-8"))
    for key, value in entry.items():
        kind = FIELDS.get(key)
        if (
            kind is None
            or not isinstance(value, kind)
            or isinstance(value, bool) is not (kind is bool)
        ):
            yield f"{path.name}: {key} is no field of the schema, or of another type."
    for key in REQUIRED:
        if not entry.get(key):
            yield f"{path.name} lacks {key}."
    if not 1 <= entry.get("tier", 1) <= 5:
        yield f"{path.name}: the tier is not from 1 to 5."
    url = str(entry.get("scm_url", ""))
    name = url.removesuffix(".git").rstrip("/").rsplit("/", 1)[-1]
    if not url.startswith("https://") or not name.startswith("Slicer"):
        yield f"{path.name}: {url} is no https address of a repository called Slicer..."
    if url.removesuffix(".git") != setting(cmake, "HOMEPAGE"):
        yield f"{path.name}: scm_url is not the homepage that CMakeLists.txt has."
    depends = (setting(cmake, "DEPENDS") or "").split()
    if entry.get("build_dependencies", []) != [one for one in depends if one != "NA"]:
        yield f"{path.name}: build_dependencies are not those of CMakeLists.txt."


def _source_faults(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name in sorted(_imported(tree.body)):
            if name not in BUNDLED | OWN and name not in sys.stdlib_module_names:
                yield f"{path.name} imports {name} at file scope."
        for text in (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)):
            if isinstance(text, str) and re.search(r"pip install torch\b", text):
                yield f"{path.name} installs torch by pip; the PyTorch extension does that."


def _contributor_faults(path: Path, cmake: str) -> Iterator[str]:
    """The module's About box must name whom the catalog names."""
    expected = [one.strip() for one in (setting(cmake, "CONTRIBUTORS") or "").split(",")]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "parent.contributors":
            if ast.literal_eval(node.value) == expected:
                return
            break
    yield f"{path.name} does not set parent.contributors to the {expected} of CMakeLists.txt."


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    """Top names of what is imported when a file is, but for types only."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from _imported([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _imported(node.body)


def _ignored(path: Path, root: Path) -> bool:
    first = path.relative_to(root).parts[0]
    return first.endswith((".egg-info", "_cache")) or first in IGNORED


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    found = list(faults(root))
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
