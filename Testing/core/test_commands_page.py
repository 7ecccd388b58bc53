"""The reference page of the commands is what their parsers say."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from gsema_core.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs" / "tools" / "commands_page.py"


def page() -> str:
    specification = importlib.util.spec_from_file_location("commands_page", SCRIPT)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    text: str = module.commands_page()
    return text


def test_the_page_in_the_docs_is_made_from_the_commands() -> None:
    written = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert written == page(), "run python docs/tools/commands_page.py > docs/reference/commands.md"


def options(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner, subparser in action.choices.items():
                yield from options(f"{name} {inner}", subparser)
        else:
            yield f"{name} {action.option_strings or action.metavar}", action.help


def test_every_option_says_what_it_does() -> None:
    assert [name for name, help in options("gsema", build_parser()) if not help] == []
