"""Teachers by name: the bundled one, and those that the user added."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path, is_there, make_folder
from gsema_core.teachers.card import TeacherCard, is_plain_name
from gsema_core.teachers.teacher_file import SUFFIX, read_card, read_checked

DEFAULT = "default"
BUNDLED_TEACHER = Path(__file__).parent / "default" / f"teacher{SUFFIX}"
"""The file of the teacher that comes with the program."""


@dataclass(frozen=True)
class ListedTeacher:
    """One line of the list.

    Attributes:
        name: what ``find_teacher`` takes.
        path: its file.
        card: what it says about itself; None where the file cannot be used.
        problem: why it cannot be used, one sentence; empty where it can.
    """

    name: str
    path: Path
    card: TeacherCard | None
    problem: str = ""


def user_folder() -> Path:
    """Where added teachers lie.

    Raises:
        UserError: the user has no home folder.
    """
    try:
        return Path.home() / ".gsema" / "teachers"
    except RuntimeError as error:
        raise UserError(
            "This user has no home folder to keep models in: set HOME, or use a model by the "
            "path of its file."
        ) from error


def find_teacher(teacher: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """The file of a teacher: ``default``, the name of an added one, or a path.

    Args:
        teacher: ``default``, a name or a path. A name wins over a path: write ``./name`` for a file
            of that name.
        folder: where added teachers lie; default ``user_folder()``.

    Raises:
        UserError: there is no such teacher.
    """
    if teacher == DEFAULT:
        if not BUNDLED_TEACHER.is_file():
            raise UserError(
                f"This copy of the program has no bundled model: give the path of a {SUFFIX} file."
            )
        return BUNDLED_TEACHER
    added = {path.stem: path for path in _added_files(folder)}
    if teacher in added:
        return added[str(teacher)]
    if is_there(teacher):
        return Path(teacher)
    names = ", ".join([DEFAULT, *added])
    raise UserError(
        f"There is no model named {teacher} and no such file: use one of {names}, or the path "
        f"of a {SUFFIX} file."
    )


def list_teachers(folder: Path | None = None) -> list[ListedTeacher]:
    """The bundled teacher first, then the added ones by name, broken files included."""
    listed = [_look_at(DEFAULT, BUNDLED_TEACHER)] if BUNDLED_TEACHER.is_file() else []
    return listed + [_look_at(path.stem, path) for path in _added_files(folder)]


def add_teacher(source: str | os.PathLike[str], folder: Path | None = None) -> ListedTeacher:
    """Copy a teacher file into the user's folder, under the name on its card.

    Raises:
        UserError: it is no teacher file, or its name is taken by another one.
    """
    folder = folder or user_folder()
    content, card = read_checked(source)
    target = folder / f"{card.name}{SUFFIX}"
    if card.name == DEFAULT or (target.is_file() and target.read_bytes() != content):
        raise UserError(f"A model named {card.name} is there already: remove that one first.")
    make_folder(folder)
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    return ListedTeacher(card.name, target, card)


def remove_teacher(name: str, folder: Path | None = None) -> None:
    """Delete an added teacher.

    Raises:
        UserError: there is none of that name; the bundled one stays.
    """
    target = (folder or user_folder()) / f"{name}{SUFFIX}"
    if not is_plain_name(name) or not target.is_file():
        raise UserError(f"No model named {name} was added, so there is none to remove.")
    target.unlink()


def _added_files(folder: Path | None) -> list[Path]:
    """The files of the user's folder; none where there is no folder, or none that may be read."""
    try:
        return sorted((folder or user_folder()).glob(f"*{SUFFIX}"))
    except (UserError, OSError):
        return []


def _look_at(name: str, path: Path) -> ListedTeacher:
    try:
        return ListedTeacher(name, path, read_card(path))
    except UserError as error:
        return ListedTeacher(name, path, None, str(error))
