"""The reference page of the commands, made from what ``gsema COMMAND --help`` is made from.

    python docs/tools/commands_page.py > docs/reference/commands.md

The parsers are read, not their printed help: that is laid out differently by each Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gsema_core.cli import build_parser

START = """# Commands

This page is made from what `gsema COMMAND --help` prints
(`python docs/tools/commands_page.py > docs/reference/commands.md`).
What a command's exit code means is told in [Exit codes](exit_codes.md).
"""
_TITLES = {"positional arguments": "Arguments"}


def commands_page() -> str:
    """docs/reference/commands.md."""
    parts = [START]
    for name, help, parser in _subparsers(build_parser()):
        parts += _command(f"gsema {name}", help, parser, "##")
    return "\n".join(parts)


def _command(name: str, help: str, parser: argparse.ArgumentParser, heading: str) -> Iterator[str]:
    yield f"{heading} {name}\n"
    yield f"{parser.description or f'{help[:1].upper()}{help[1:]}.'}\n"
    inner = list(_subparsers(parser))
    for action, what, subparser in inner:
        yield from _command(f"{name} {action}", what, subparser, heading + "#")
    if inner:
        return
    yield f"```text\n{' '.join([name, *_usage(parser)])}\n```\n"
    for group in parser._action_groups:
        rows = [_row(parser, action) for action in group._group_actions if action.dest != "help"]
        if rows:
            title = _TITLES.get(group.title or "", (group.title or "").capitalize())
            yield f"| {title} | |\n|---|---|\n" + "\n".join(rows) + "\n"
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```\n"


def _subparsers(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, help and parser of each."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action._choices_actions:
                yield one.dest, one.help or "", action.choices[one.dest]


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    """What must be given, and that there is more."""
    if any(action.option_strings and not action.required for action in parser._actions[1:]):
        yield "[options]"
    for action in parser._actions:
        if action.required and action.option_strings:
            yield f"{action.option_strings[-1]} {_values(parser, action)}"
        elif not action.option_strings:
            yield _values(parser, action)


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    values = _values(parser, action)
    names = [" ".join(filter(None, (name, values))) for name in action.option_strings] or [values]
    help = parser._get_formatter()._expand_help(action) if action.help else ""
    cells = "<br>".join(f"`{name}`" for name in names), help
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    formatter = parser._get_formatter()
    default = action.dest.upper() if action.option_strings else action.dest
    return formatter._format_args(action, default)


if __name__ == "__main__":
    print(commands_page(), end="")
