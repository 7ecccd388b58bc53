from __future__ import annotations

import argparse

import pytest

from gsema_core.configuration.options import add_options, chosen_options


@pytest.fixture
def parser(sample: type) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_options(parser, sample)
    return parser


def test_nothing_is_chosen_by_itself(parser: argparse.ArgumentParser, sample: type) -> None:
    assert chosen_options(parser.parse_args([]), sample) == {}


def test_options_have_the_fields_types(parser: argparse.ArgumentParser, sample: type) -> None:
    line = "--share 0.25 --no-sure --sort b --limit 3 --names p q"
    assert chosen_options(parser.parse_args(line.split()), sample) == {
        "share": 0.25, "sure": False, "kind": "b", "limit": 3.0, "names": ["p", "q"],
    }  # fmt: skip


def test_the_help_has_heading_text_and_default(parser: argparse.ArgumentParser) -> None:
    text = parser.format_help()
    assert "shares:\n" in text and "kinds:\n" in text
    assert "--share MM" in text and "a share, in % (default: 0.5)" in text
    assert "--sure, --no-sure" in text and "(default: yes)" in text


def test_settings_without_a_group_are_no_options(parser: argparse.ArgumentParser) -> None:
    assert "--name " not in parser.format_help() and "--size" not in parser.format_help()


def test_an_argument_of_the_same_name_is_no_setting(
    parser: argparse.ArgumentParser, sample: type
) -> None:
    parser.add_argument("--folder")  # a setting without a group has this name
    assert chosen_options(parser.parse_args(["--folder", "x"]), sample) == {}
