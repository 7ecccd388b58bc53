"""Train, and what comes after it, on a computer where packages are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gsema_core.errors import UserError


class FakeInstaller:
    """Stands for ``install.Installer``: installs nothing, and says that it has.

    Args:
        packages: what is missing at first.
        answer: of the user, when asked.
    """

    def __init__(self, packages: Sequence[Any], answer: bool = True) -> None:
        self.packages, self.answer = packages, answer
        self.asked, self.problem = 0, ""
        self.isThere = self.isPending = self.isInstalling = False

    def versionOf(self, package: Any) -> str | None:
        return package.requirement.split("=")[1].split(",")[0] if self.isThere else None

    def install(self, folder: str, onStart: Callable[[Sequence[Any]], None]) -> bool:
        if self.isThere:
            return True
        self.asked += 1
        if not self.answer:
            return False
        onStart(self.packages)
        if self.problem:
            raise UserError(self.problem)
        self.isThere = True
        return True


@pytest.fixture
def bare(panel, add_cases, monkeypatch):
    """The panel with cases, and what stands for pip."""
    from GSEMASegmentationLib.install import Requirements

    add_cases()
    installer = FakeInstaller(Requirements.PACKAGES)
    monkeypatch.setattr(Requirements, "installedVersion", installer.versionOf)
    panel.installation.installer = installer
    panel.installation.refresh()
    return panel, installer


def test_train_asks_installs_and_goes_on(bare, spin, look):
    panel, installer = bare
    assert panel.ui.trainButton.enabled and installer.asked == 0
    panel.ui.trainButton.click()
    assert installer.asked == 1 and panel.logic.isPreparing
    spin(lambda: look().isFinished and not panel.logic.isComparing, 60)
    assert (installer.asked, panel.shown) == (1, [])


def test_a_no_changes_nothing(bare, tmp_path):
    panel, installer = bare
    installer.answer = False
    panel.ui.trainButton.click()
    assert not panel.logic.isPreparing and not (tmp_path / "run").exists()
    text = panel.ui.statusLabel.text
    assert text.startswith("Nothing was installed and nothing done; PyTorch, MONAI")
    panel.train.watch.look()
    assert panel.ui.statusLabel.text == text and panel.ui.trainButton.enabled


def test_a_failed_installation_is_told_once(bare, tmp_path):
    panel, installer = bare
    installer.problem = "PyTorch could not be installed (no network): try again."
    panel.ui.trainButton.click()
    assert panel.shown == [installer.problem] and not (tmp_path / "run").exists()
    assert panel.ui.statusLabel.text == installer.problem


def test_a_press_while_it_installs_starts_nothing(bare, tmp_path):
    panel, installer = bare
    installer.isInstalling = True
    panel.ui.trainButton.click()
    assert "being installed" in panel.ui.statusLabel.text
    assert installer.asked == 0 and not (tmp_path / "run").exists()


@pytest.mark.parametrize("button", ["compareButton", "useTeacherButton"])
def test_the_result_needs_them_too(panel, trained, monkeypatch, button):
    from GSEMASegmentationLib.install import Requirements

    trained()
    installer = FakeInstaller(Requirements.PACKAGES, answer=False)
    monkeypatch.setattr(Requirements, "installedVersion", installer.versionOf)
    panel.installation.installer = installer
    getattr(panel.ui, button).click()
    assert installer.asked == 1
    assert not panel.logic.isComparing and not panel.logic.isRegistering
    assert "Nothing was installed" in panel.ui.verdictLabel.text


def test_from_a_console_it_is_one_sentence(bare, tmp_path):
    panel, installer = bare
    with pytest.raises(UserError, match="A training needs PyTorch, MONAI"):
        panel.logic.train(panel.cases.cases, output=tmp_path / "run")
    assert installer.asked == 0
