"""Files with random damage: a teacher or one sentence, never anything else."""

from __future__ import annotations

import random
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.teachers import TeacherCard, load_teacher

ROUNDS = 300


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Overwrite, insert, delete or repeat a few stretches, mostly in the header."""
    result = bytearray(content)
    header_end = 8 + int.from_bytes(content[:8], "little")
    for _ in range(chance.randint(1, 4)):
        limit = header_end if chance.random() < 0.8 else len(result)
        start = chance.randrange(max(1, min(limit, len(result))))
        stretch = chance.choice([1, 1, 2, 8, 64])
        kind = chance.randrange(4)
        if kind == 0:
            result[start : start + stretch] = chance.randbytes(stretch)
        elif kind == 1:
            result[start:start] = chance.choice([b"9" * stretch, b"[" * stretch, b'"', b","])
        elif kind == 2:
            del result[start : start + stretch]
        else:
            result[start:start] = result[start : start + stretch]
    return bytes(result)


def with_right_length(content: bytes, header_end: int) -> bytes:
    """Damage the JSON only: its length in front is made to fit again."""
    return (header_end - 8).to_bytes(8, "little") + content[8:]


def test_damage_never_gives_more_than_a_sentence(
    teacher_file: Path, tmp_path: Path, tiny_card: TeacherCard
) -> None:
    content = teacher_file.read_bytes()
    weights = len(content) - 8 - int.from_bytes(content[:8], "little")
    chance = random.Random(20)
    path = tmp_path / "damaged.safetensors"
    refused = 0
    for number in range(ROUNDS):
        broken = damaged(content, chance)
        if number % 2:
            broken = with_right_length(broken, max(8, len(broken) - weights))
        path.write_bytes(broken)
        try:
            teacher = load_teacher(path)
        except UserError as error:
            assert str(error).startswith("The model file "), error
            assert str(error).endswith("."), error
            refused += 1
        else:  # the damage hit a weight or a free text
            assert teacher.card.network == tiny_card.network
    assert refused > ROUNDS / 2
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
