"""A hook of MkDocs: what code hosts show otherwise than Python-Markdown does.

On code hosts, pages link to the examples, the license and so on by their places in the repository.
What is linked this way becomes part of the site, at the same place from its top. And a bar within
code within a table, which hosts want escaped, loses its backslash.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = (
    "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE", "examples",
    "gsema_core/files/label_words.txt",
)  # fmt: skip
"""What pages link to beside the documentation; a link to anything else fails."""

_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)")
_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`]*`")


def on_files(files: Files, config: Any) -> Files:
    for name in OUTSIDE:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                place = path.relative_to(ROOT).as_posix()
                files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    source = Path(page.file.abs_src_path).relative_to(ROOT)
    here = Path(page.file.src_uri).parent

    def inside(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / match[1]))
        if target == Path("README.md"):
            target = Path("docs/index.md")
        elif (ROOT / target).is_dir():
            target /= "README.md"
        place = target.relative_to("docs") if target.parts[0] == "docs" else target
        return Path(os.path.relpath(place, here)).as_posix()

    def without_backslashes(row: re.Match[str]) -> str:
        return _CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0])

    return _ROW.sub(without_backslashes, _LINK.sub(inside, markdown))
