"""The new teacher into this computer's list."""

from __future__ import annotations

from gsema_core.teachers.registry import list_teachers


def test_no_name_of_a_patient_reaches_the_card(panel, trained, spin, tmp_path):
    trained()
    panel.ui.nameLineEdit.text = "mine"
    panel.ui.useTeacherButton.click()
    spin(lambda: not panel.logic.isRegistering, 60)
    (listed,) = [one for one in list_teachers() if one.name == "mine"]
    content = listed.path.read_bytes()
    assert b"Muster" not in content and str(tmp_path).encode() not in content


def test_a_taken_name_is_explained(panel, trained, spin):
    trained()
    panel.ui.nameLineEdit.text = "default"
    panel.ui.useTeacherButton.click()
    spin(lambda: not panel.logic.isRegistering, 60)
    assert "A model named default is there already" in panel.shown[0]
    panel.ui.nameLineEdit.text = "../away"
    panel.ui.useTeacherButton.click()
    assert "not plain" in panel.shown[1]
