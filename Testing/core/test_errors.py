from __future__ import annotations

import pickle

import pytest

from gsema_core.errors import LONGEST, UserError
from gsema_core.worker.protocol import ProtocolError


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\0", r"\x00"),
        ("\u2028", r"\u2028"),
        ("\udc80", r"\udc80"),
        ("Anévrisme 動脈瘤\u3000تمدد", "Anévrisme 動脈瘤\u3000تمدد"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_what_a_file_says_cannot_break_the_line(quoted: str, shown: str) -> None:
    assert str(UserError(f"The name {quoted} is wrong.")) == f"The name {shown} is wrong."
    assert str(ProtocolError(quoted, 3)) == shown


def test_a_value_of_a_megabyte_loses_its_middle() -> None:
    message = str(UserError(f"The name {'A' * 10**6} is wrong: use another."))
    assert len(message) == LONGEST
    assert message.startswith("The name AAA")
    assert message.endswith("AAA is wrong: use another.")


def test_an_error_can_be_sent_between_processes() -> None:
    copy = pickle.loads(pickle.dumps(UserError("The file a\nb is wrong.")))
    assert str(copy) == r"The file a\nb is wrong."
