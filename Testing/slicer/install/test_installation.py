"""What is installed, and installing it: with fakes for pip, PyTorch's extension and the user.

What the fakes take and raise was read from the real sources: ``slicer.util.pip_install`` (Slicer
main at 5.13, August 2026: the requirements alone, a string or a list, handed on to
``slicer.packaging``, which raises CalledProcessError) and ``PyTorchUtils.PyTorchUtilsLogic``
(SlicerPyTorch, ``installTorch``: returns the module, or None after a "no" of the user; a failing
pip raises CalledProcessError, the import afterwards ImportError or OSError).
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import types
from pathlib import Path

import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

ROOT = Path(__file__).resolve().parents[3]


class Machine:
    """A fake computer: what is installed, what was asked, and what pip was told."""

    def __init__(self, **versions):
        self.versions = versions
        self.questions, self.calls, self.constraints = [], [], ""
        self.answer, self.network = True, True

    def version_of(self, package):
        return self.versions.get(package.name)

    def install_torch(self):
        self.calls.append("PyTorch extension")
        self.versions["torch"] = "2.8.0"

    def pip(self, arguments):
        assert type(arguments) is list  # slicer.packaging refuses anything but lists and strings
        self.calls.append(arguments)
        self.constraints = Path(arguments[arguments.index("--constraint") + 1]).read_text()
        if not self.network and "--no-index" not in arguments:
            raise subprocess.CalledProcessError(1, "pip")
        for argument in arguments:
            for name in ("torch", "monai", "einops", "safetensors"):
                if argument.startswith(f"{name}>="):
                    self.versions[name] = {"torch": "2.8.0", "monai": "1.5.1"}.get(name, "0.9")

    def confirm(self, text):
        self.questions.append(text)
        return self.answer


@pytest.fixture
def make_installer(scene, segmentation_module):
    from GSEMASegmentationLib.install.Installer import Installer

    slicer.app.userSettings().clear()

    def make(machine):
        return Installer(machine.version_of, machine.install_torch, machine.pip, machine.confirm)

    return make


def test_the_requirements_are_those_of_the_package(scene, segmentation_module):
    from GSEMASegmentationLib.install.Requirements import PACKAGES

    text = (ROOT / "pyproject.toml").read_text()
    for package in PACKAGES:
        assert f'"{package.requirement}"' in text


@pytest.mark.parametrize(
    ("versions", "missing"),
    [
        ({}, ["torch", "monai", "einops", "safetensors"]),
        ({"torch": "2.8.0+cu126", "monai": "1.5.2", "einops": "0.8", "safetensors": "0.6.2"}, []),
        ({"torch": "2.4", "monai": "1.6.1", "einops": "0.7.0", "safetensors": "0.4.3"}, []),
        ({"torch": "2.3.1", "monai": "1.5.0", "einops": "0.8", "safetensors": "0.6"},
         ["torch", "monai"]),
        ({"torch": "2.10.0", "monai": "1.7.0", "einops": "0.8", "safetensors": "0.4.2"},
         ["monai", "safetensors"]),
    ],
)  # fmt: skip
def test_versions_that_do_not_fit_count_as_missing(scene, segmentation_module, versions, missing):
    from GSEMASegmentationLib.install.Requirements import missingPackages, packagesText

    def version_of(package):
        return versions.get(package.name)

    found = missingPackages(version_of)
    assert [package.name for package in found] == missing
    assert ("Missing" in packagesText(version_of)) == bool(missing)


def test_the_slow_pytorch_is_warned_of(scene, segmentation_module):
    from GSEMASegmentationLib.install.Requirements import packagesText

    assert "slower" in packagesText(Machine(torch="2.9.1").version_of)
    assert "slower" not in packagesText(Machine(torch="2.8.0").version_of)


def test_one_question_lists_everything_and_pip_leaves_slicers_packages(make_installer):
    machine = Machine()
    assert make_installer(machine).install()
    assert len(machine.questions) == 1
    for name in ("PyTorch", "MONAI", "einops", "safetensors", "MB", "over the network"):
        assert name in machine.questions[0]
    assert machine.calls[0] == "PyTorch extension"
    (arguments,) = machine.calls[1:]
    assert "--no-deps" in arguments
    assert not any("torch" in argument for argument in arguments)
    assert f"numpy=={importlib.metadata.version('numpy')}" in machine.constraints
    assert f"SimpleITK=={importlib.metadata.version('SimpleITK')}" in machine.constraints


def test_what_is_there_is_not_touched(make_installer):
    machine = Machine(torch="2.8.0", monai="1.5.1", einops="0.8", safetensors="0.6")
    assert make_installer(machine).install()
    assert machine.calls == machine.questions == []
    del machine.versions["einops"]
    assert make_installer(machine).install()
    assert machine.calls[0][-1] == "einops>=0.7"
    assert "MONAI" not in machine.questions[0]


def test_no_means_that_nothing_happens(make_installer):
    machine = Machine()
    machine.answer = False
    installer = make_installer(machine)
    assert not installer.install()
    assert machine.calls == []
    assert not installer.isPending


def test_it_goes_on_after_a_failure_or_a_restart(make_installer):
    machine = Machine()
    machine.network = False
    with pytest.raises(UserError, match="MONAI, einops, safetensors could not be installed"):
        make_installer(machine).install()
    again = make_installer(machine)  # as after a restart: only the settings are left
    assert again.isPending
    machine.network = True
    assert again.install()
    assert machine.calls.count("PyTorch extension") == 1
    assert not again.isPending


def test_a_folder_of_wheels_needs_no_network(make_installer, tmp_path):
    machine = Machine()
    machine.network = False
    with pytest.raises(UserError, match="There are no wheels"):
        make_installer(machine).install(str(tmp_path))
    assert machine.questions == []
    folder = tmp_path / 'wheels "ü" 1'
    folder.mkdir()
    (folder / "monai-1.5.1-py3-none-any.whl").touch()
    assert make_installer(machine).install(str(folder))
    assert str(folder) in machine.questions[0]
    assert len(machine.calls) == 2  # PyTorch with what it needs, then the rest alone
    for arguments in machine.calls:
        assert arguments[arguments.index("--find-links") + 1] == str(folder)
        assert "--no-index" in arguments
    assert "--no-deps" not in machine.calls[0]


def test_what_cannot_be_seen_yet_asks_for_a_restart(make_installer):
    machine = Machine()
    machine.pip = lambda arguments: None
    with pytest.raises(UserError, match="MONAI, einops, safetensors cannot be found yet: restart"):
        make_installer(machine).install()


def test_pytorch_comes_through_its_extension(scene, segmentation_module, monkeypatch):
    from GSEMASegmentationLib.install.Installer import installTorchWithExtension

    with pytest.raises(UserError, match="install it in the Extensions Manager, restart Slicer"):
        installTorchWithExtension()
    broken = subprocess.CalledProcessError(2, ["light_the_torch", "install"])
    asked, answers = [], [object(), None, broken, OSError("c10.dll was not found")]

    class PyTorchUtilsLogic:
        def installTorch(
            self, askConfirmation=False, forceComputationBackend=None, torchVersionRequirement=None
        ):
            asked.append((askConfirmation, torchVersionRequirement))
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    extension = types.SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    installTorchWithExtension()
    assert asked == [(False, ">=2.4")]
    for reason in ("it gave none", "exit status 2", "c10.dll was not found"):
        with pytest.raises(UserError, match=f"did not install PyTorch .*{reason}"):
            installTorchWithExtension()


def test_nobody_is_asked_in_an_automatic_test(scene, segmentation_module):
    from GSEMASegmentationLib.install.Installer import askUser

    assert slicer.app.testingEnabled()
    assert not askUser("Shall it be?")


@pytest.fixture
def without_torch(monkeypatch, segmentation_module):
    from GSEMASegmentationLib.install import Requirements

    real = Requirements.installedVersion
    monkeypatch.setattr(
        Requirements,
        "installedVersion",
        lambda package: None if package.name == "torch" else real(package),
    )


def test_a_missing_package_is_one_sentence_and_starts_nothing(
    make_logic, make_balls, without_torch, scene
):
    logic, volume = make_logic("good"), make_balls()
    nodes = scene.GetNumberOfNodes()
    with pytest.raises(UserError, match=r"^A segmentation needs PyTorch: press Install"):
        logic.segment(volume)
    answers = []
    logic.measureDevice("default", "cpu", lambda *answer: answers.append(answer))
    assert answers[0][0] == {}
    assert "press Install" in answers[0][1]
    assert not logic._client.isRunning
    assert scene.GetNumberOfNodes() == nodes


def test_the_panel_opens_the_section_where_something_is_missing(panel, monkeypatch):
    assert panel.ui.installationCollapsibleButton.collapsed
    assert not panel.ui.installButton.enabled
    assert panel.ui.installButton.toolTip == "Everything is installed."
    assert panel.ui.packagesLabel.text.startswith("Installed: PyTorch 2.")
    from GSEMASegmentationLib.install import Requirements

    monkeypatch.setattr(Requirements, "installedVersion", lambda package: None)
    module = slicer.modules.gsemasegmentation
    module.closeWidget()
    again = module.widgetRepresentation().self()
    assert not again.ui.installationCollapsibleButton.collapsed
    assert again.ui.packagesLabel.text == "Missing: PyTorch, MONAI, einops, safetensors."
    assert again.ui.installButton.enabled


def test_the_install_button(panel, make_installer, monkeypatch, caplog):
    from GSEMASegmentationLib.install import Requirements

    machine = Machine()
    machine.network = False
    monkeypatch.setattr(Requirements, "installedVersion", machine.version_of)
    panel.installation.installer = make_installer(machine)
    panel.installation.refresh()
    panel.ui.installButton.click()
    assert "could not be installed" in caplog.text
    assert "The installation is not finished" in panel.ui.packagesLabel.text
    machine.network = True
    panel.ui.installButton.click()
    assert panel.ui.packagesLabel.text == (
        "Installed: PyTorch 2.8.0, MONAI 1.5.1, einops 0.9, safetensors 0.9."
    )
    assert not panel.ui.installButton.enabled
