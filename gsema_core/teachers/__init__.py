"""Teacher files: the trained networks that segment, and what they say about themselves."""

from typing import TYPE_CHECKING

from gsema_core.lazy import lazy_exports

if TYPE_CHECKING:
    from gsema_core.teachers.card import TeacherCard as TeacherCard
    from gsema_core.teachers.registry import (
        BUNDLED_TEACHER as BUNDLED_TEACHER,
        add_teacher as add_teacher,
        find_teacher as find_teacher,
        list_teachers as list_teachers,
        remove_teacher as remove_teacher,
    )
    from gsema_core.teachers.teacher_file import (
        Teacher as Teacher,
        load_teacher as load_teacher,
        read_card as read_card,
        save_teacher as save_teacher,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)
