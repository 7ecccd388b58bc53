"""Teacher files: the trained networks that segment, and what they say about themselves."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.teachers.card import TeacherCard as TeacherCard
    from gsema_core.teachers.registry import BUNDLED_TEACHER as BUNDLED_TEACHER
    from gsema_core.teachers.registry import add_teacher as add_teacher
    from gsema_core.teachers.registry import find_teacher as find_teacher
    from gsema_core.teachers.registry import list_teachers as list_teachers
    from gsema_core.teachers.registry import remove_teacher as remove_teacher
    from gsema_core.teachers.teacher_file import Teacher as Teacher
    from gsema_core.teachers.teacher_file import load_teacher as load_teacher
    from gsema_core.teachers.teacher_file import read_card as read_card
    from gsema_core.teachers.teacher_file import save_teacher as save_teacher
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "BUNDLED_TEACHER": "registry",
            "Teacher": "teacher_file",
            "TeacherCard": "card",
            "add_teacher": "registry",
            "find_teacher": "registry",
            "list_teachers": "registry",
            "load_teacher": "teacher_file",
            "read_card": "teacher_file",
            "remove_teacher": "registry",
            "save_teacher": "teacher_file",
        },
    )
