"""What is installed, and installing it: with fakes for pip, PyTorch's extension and the user.

What the fakes take and raise was read from the real sources: ``slicer.util.pip_install`` (Slicer
main at 5.13, August 2026: a string or a list, handed on to ``slicer.packaging``, which raises
CalledProcessError, after a box of its own unless it is told not to) and
``PyTorchUtils.PyTorchUtilsLogic`` (SlicerPyTorch, ``installTorch``: returns the module, or None
after a "no" of the user; installs light-the-torch first where that is missing; a failing pip raises
CalledProcessError, the import afterwards ImportError or OSError).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
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
        self.extension_fails = None

    def version_of(self, package):
        return self.versions.get(package.name)

    def install_torch(self, **named):
        """The PyTorch extension; with its own box where pip fails, as light-the-torch does."""
        offline = {name: os.environ.get(name) for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS")}
        self.calls.append(("PyTorch extension", named, offline))
        if self.extension_fails:
            raise self.extension_fails
        self.versions["torch"] = "2.8.0"
        return object()

    def pip(self, arguments):
        assert type(arguments) is list  # slicer.packaging refuses anything but lists and strings
        self.calls.append(arguments)
        self.constraints = Path(arguments[arguments.index("--constraint") + 1]).read_text()
        if not self.network and "--no-index" not in arguments:
            raise subprocess.CalledProcessError(1, "pip")
        for argument in arguments:
            for name in ("monai", "einops", "safetensors"):
                if argument.startswith(f"{name}>="):
                    self.versions[name] = {"monai": "1.5.1"}.get(name, "0.9")

    def confirm(self, text):
        self.questions.append(text)
        return self.answer


@pytest.fixture
def make_installer(scene, segmentation_module, monkeypatch):
    from GSEMASegmentationLib.install.Installer import Installer

    slicer.app.userSettings().clear()

    def make(machine):
        class PyTorchUtilsLogic:
            def installTorch(self, **named):
                return machine.install_torch(**named)

        extension = types.SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic)
        monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
        return Installer(machine.version_of, machine.pip, machine.confirm)

    return make


@pytest.fixture
def boxes(monkeypatch):
    """Every error box, ours and Slicer's own, in a Slicer that somebody sits at."""
    shown = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **_: shown.append(text))
    monkeypatch.setattr(type(slicer.app), "testingEnabled", lambda self: False)
    return shown


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
    wanted = {"askConfirmation": False, "torchVersionRequirement": ">=2.4"}
    light, (name, named, offline), arguments = machine.calls
    assert (name, named) == ("PyTorch extension", wanted)
    assert offline["PIP_NO_INDEX"] is None
    assert light[-1] == "light-the-torch>=0.5"
    assert "--no-deps" not in light
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
    machine = Machine(torch="2.8.0")
    machine.network = False
    with pytest.raises(UserError, match="MONAI, einops, safetensors could not be installed"):
        make_installer(machine).install()
    machine.network = True
    again = make_installer(machine)  # as after a restart: only the settings are left
    assert again.isPending
    assert again.install()
    assert machine.calls[-1][-3:] == machine.calls[0][-3:]
    assert not again.isPending


WHEELS = """
    torch-2.8.0-{tag} torch-2.6.0-{tag} torch-2.9.0-cp27-none-win32 torchvision-0.23.0-{tag}
    light_the_torch-0.8.1-{tag} sympy_not_here-1.13-{tag} numpy-9.0-{tag} monai-1.5.1-{tag}
    einops-0.9-{tag} safetensors-0.9-{tag}
"""


@pytest.fixture
def wheel_folder(tmp_path):
    folder = tmp_path / 'wheels "ü" 1'
    folder.mkdir()
    for name in WHEELS.format(tag="py3-none-any").split():
        (folder / f"{name}.whl").touch()
    (folder / "not a wheel.whl").touch()
    return folder


def test_a_folder_of_wheels_needs_no_network(make_installer, wheel_folder, monkeypatch):
    """PyTorch comes through its extension all the same, which is shown the file."""
    monkeypatch.setenv("PIP_FIND_LINKS", "/elsewhere")
    machine = Machine()
    machine.network = False
    assert make_installer(machine).install(str(wheel_folder))
    assert str(wheel_folder) in machine.questions[0]
    before, light, (_name, named, offline), ours = machine.calls
    for arguments in (before, light, ours):
        assert arguments[arguments.index("--find-links") + 1] == str(wheel_folder)
        assert "--no-index" in arguments
    # What PyTorch stands on, but nothing that is here already.
    assert before[before.index("--no-index") + 3 :] == ["light-the-torch", "sympy-not-here"]
    address = wheel_folder.as_uri()
    assert named == {
        "askConfirmation": False,
        "torchVersionRequirement": f" @ {address}/torch-2.8.0-py3-none-any.whl",
        "torchvisionVersionRequirement": f" @ {address}/torchvision-0.23.0-py3-none-any.whl",
    }
    assert offline == {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": address}
    assert ours[-3:] == ["monai>=1.5.1,<1.7", "einops>=0.7", "safetensors>=0.4.3"]
    assert (os.environ["PIP_FIND_LINKS"], "PIP_NO_INDEX" in os.environ) == ("/elsewhere", False)


def test_no_pip_call_of_ours_names_pytorch(make_installer, wheel_folder):
    for folder in ("", str(wheel_folder)):
        machine = Machine()
        make_installer(machine).install(folder)
        for arguments in (call for call in machine.calls if type(call) is list):
            assert not {"torch", "torchvision"} & {item.split(">")[0] for item in arguments}


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ("torchvision", "no wheel of torchvision for this computer"),
        ("torch-2.8", "no wheel of torch>=2.4 for this computer"),
        ("torch-2", "no wheel of torch for this computer"),
        ("", "There are no wheels"),
    ],
)
def test_a_folder_that_lacks_a_wheel_is_named(
    make_installer, wheel_folder, left_out, expected, tmp_path
):
    for path in wheel_folder.glob(f"{left_out}*.whl"):
        if "cp27" not in path.name:
            path.unlink()
    if left_out == "torch-2.8":
        (wheel_folder / "torch-2.6.0-py3-none-any.whl").rename(
            wheel_folder / "torch-2.3.0-py3-none-any.whl"
        )
    folder = wheel_folder
    if not left_out:
        folder = tmp_path / "empty"
        folder.mkdir()
    machine = Machine()
    with pytest.raises(UserError, match=expected):
        make_installer(machine).install(str(folder))
    assert machine.calls == []


def test_what_cannot_be_seen_yet_asks_for_a_restart(make_installer):
    machine = Machine()
    machine.pip = lambda arguments: machine.calls.append(arguments)
    with pytest.raises(UserError, match="MONAI, einops, safetensors cannot be found yet: restart"):
        make_installer(machine).install()


def test_pytorch_comes_through_its_extension(make_installer, monkeypatch):
    machine = Machine()
    installer = make_installer(machine)
    with monkeypatch.context() as without:
        without.delitem(sys.modules, "PyTorchUtils")
        with pytest.raises(UserError, match="install it in the Extensions Manager, restart Slicer"):
            installer.install()
    for error in (
        subprocess.CalledProcessError(2, ["light_the_torch", "install"]),
        OSError("c10.dll was not found"),
        RuntimeError("PythonSlicer executable not found"),
        TypeError("unexpected keyword argument 'torchvisionVersionRequirement'"),
    ):
        machine.extension_fails = error
        with pytest.raises(UserError, match="did not install PyTorch") as raised:
            installer.install()
        assert str(error) in str(raised.value)
        assert installer.isPending
        assert not installer.isInstalling
    machine.install_torch = lambda **_: None  # what it returns after a "no"
    with pytest.raises(UserError, match=r"did not install PyTorch \(it gave none\)"):
        installer.install()


PIP_FAILS = subprocess.CalledProcessError(1, "pip install")


@pytest.mark.parametrize("error", [PIP_FAILS, RuntimeError("PythonSlicer executable not found")])
@pytest.mark.parametrize("torch", ["2.8.0", None])
def test_a_failing_pip_shows_one_box_which_is_ours(panel, monkeypatch, boxes, error, torch):
    """Slicer's ``pip_install`` shows a box of its own, for light-the-torch as well."""
    from GSEMASegmentationLib.install import Requirements
    from GSEMASegmentationLib.install.Installer import Installer

    def execute(module, arguments, **_):
        raise error

    class PyTorchUtilsLogic:
        def installTorch(self, **named):
            if importlib.util.find_spec("light_the_torch") is None:
                slicer.util.pip_install("light-the-torch>=0.5")
            execute("light_the_torch", [])

    machine = Machine(**({"torch": torch} if torch else {}))
    monkeypatch.setattr(slicer.util, "executePythonModule", execute)
    extension = types.SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    monkeypatch.setattr(Requirements, "installedVersion", machine.version_of)
    panel.installation.installer = Installer(machine.version_of, confirm=machine.confirm)
    panel.installation.refresh()
    panel.ui.installButton.click()
    assert len(boxes) == 1
    assert "could not be installed" in boxes[0]
    assert str(error) in boxes[0]
    assert len(machine.questions) == 1


def test_slicers_own_installation_shows_a_box_and_raises(scene, monkeypatch, boxes):
    """What the test above would count, were Slicer not told to be quiet."""

    def execute(module, arguments, **_):
        raise PIP_FAILS

    monkeypatch.setattr(slicer.util, "executePythonModule", execute)
    with pytest.raises(subprocess.CalledProcessError):
        slicer.util.pip_install(["monai"])
    assert boxes == ["Package installation failed."]
    with pytest.raises(subprocess.CalledProcessError):
        slicer.util.pip_install(["monai"], show_progress=False)
    assert len(boxes) == 1
    with pytest.raises(ValueError, match="string or list"):
        slicer.util.pip_install(("monai",))


def test_slicer_before_5_12_is_asked_in_its_own_way(scene, segmentation_module, monkeypatch):
    from GSEMASegmentationLib.install import Installer

    asked = []
    monkeypatch.setattr(slicer.util, "pip_install", lambda *given, **named: asked.append(named))
    Installer.pipInstallQuietly(["monai"])
    monkeypatch.setattr(Installer.importlib.util, "find_spec", lambda name: None)
    Installer.pipInstallQuietly(["monai"])
    assert asked == [{"show_progress": False}, {}]


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


@pytest.fixture
def bare_panel(panel, make_installer, make_balls, monkeypatch):
    """The panel with a volume, on a computer without any of the packages."""
    from GSEMASegmentationLib.install import Requirements

    machine = Machine()
    monkeypatch.setattr(Requirements, "installedVersion", machine.version_of)
    panel.installation.installer = make_installer(machine)
    panel.installation.refresh()
    panel.ui.inputSelector.setCurrentNode(make_balls())
    return panel, machine


@pytest.fixture
def wanted(bare_panel, monkeypatch):
    """What the worker is told."""
    commands = []
    client = bare_panel[0].logic._client
    submit = client.submit
    monkeypatch.setattr(
        client, "submit", lambda name, **named: commands.append(name) or submit(name, **named)
    )
    return commands


def test_before_the_press_nothing_is_asked_and_it_is_said_what_is_missing(bare_panel, boxes):
    panel, machine = bare_panel
    assert panel.ui.segmentButton.enabled
    assert panel.ui.packagesLabel.text == "Missing: PyTorch, MONAI, einops, safetensors."
    assert "color" in panel.ui.packagesLabel.styleSheet
    assert (machine.questions, machine.calls, boxes) == ([], [], [])


def test_segment_asks_installs_and_goes_on(bare_panel, wanted, spin, boxes):
    panel, machine = bare_panel
    said = []
    shown = panel.run.showStatus
    panel.run.showStatus = lambda text, **more: said.append(text) or shown(text, **more)
    panel.ui.segmentButton.click()
    assert len(machine.questions) == 1
    assert said[0].startswith("Installing PyTorch, MONAI, einops, safetensors;")
    spin(lambda: not panel.logic.isRunning)
    assert wanted == ["segment"]
    assert panel.ui.outputSelector.currentNode() is not None
    assert panel.ui.packagesLabel.text.startswith("Installed: PyTorch 2.8.0")
    assert not panel.ui.installButton.enabled
    assert boxes == []


def test_click_asks_installs_and_goes_on(bare_panel, wanted, boxes):
    panel, machine = bare_panel
    panel.ui.clickButton.click()
    assert len(machine.questions) == 1
    assert wanted == ["prepare"]
    assert panel.ui.clickButton.checked
    panel.ui.clickButton.click()


@pytest.mark.parametrize("button", ["segmentButton", "clickButton"])
def test_a_no_changes_nothing_and_is_one_plain_sentence(bare_panel, wanted, boxes, scene, button):
    panel, machine = bare_panel
    machine.answer = False
    nodes = scene.GetNumberOfNodes()
    getattr(panel.ui, button).click()
    assert len(machine.questions) == 1
    assert (machine.calls, wanted, boxes) == ([], [], [])
    assert panel.ui.statusLabel.text == (
        "Nothing was installed and nothing done; "
        "PyTorch, MONAI, einops, safetensors would be needed."
    )
    assert scene.GetNumberOfNodes() == nodes
    assert not panel.ui.clickButton.checked
    assert panel.ui.segmentButton.text == "Segment"
    assert panel.ui.segmentButton.enabled


def test_a_failure_is_one_box_and_the_same_sentence_below(bare_panel, wanted, boxes):
    panel, machine = bare_panel
    machine.network = False
    panel.ui.segmentButton.click()
    assert len(boxes) == 1
    assert panel.ui.statusLabel.text == boxes[0]
    assert wanted == []


def test_a_second_press_while_pip_runs_asks_nothing(bare_panel, wanted, boxes, spin):
    """Slicer handles clicks while pip runs."""
    panel, machine = bare_panel
    pip = machine.pip

    def pip_with_a_click(arguments):
        panel.ui.segmentButton.click()
        assert panel.ui.statusLabel.text == "The packages are being installed: wait for the end."
        assert not panel.ui.installButton.enabled
        pip(arguments)

    panel.installation.installer._pipInstall = pip_with_a_click
    panel.ui.segmentButton.click()
    assert len(machine.questions) == 1
    spin(lambda: not panel.logic.isRunning)
    assert wanted == ["segment"]
    assert boxes == []
