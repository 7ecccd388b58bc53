"""PyTorch through Slicer's extension for it, which chooses the build that fits the machine.

It runs light-the-torch, which looks for PyTorch in its own index only. From a folder it takes a
wheel that is named by its address, if all that PyTorch stands on is there already and pip is told
to stay off the network.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.Wheels import TORCH_WHEELS, absentPackages, torchWheels

LIGHT_THE_TORCH = "light-the-torch>=0.5"
"""As the PyTorch extension asks for it."""


def installTorchWithExtension(
    requirement: str,
    folder: Path | None,
    ours: set[str],
    pip: Callable[[Sequence[str], Path | None, bool], None],
) -> None:
    """Let the PyTorch extension install PyTorch.

    Args:
        requirement: what PyTorch has to be, such as ``torch>=2.4``.
        folder: a folder of wheels, then no network is used; None for the network.
        ours: names of packages that are installed afterwards.
        pip: installs packages from the folder or the index, with what they depend on or without.

    Raises:
        UserError: the extension is missing, or it did not install PyTorch.
    """
    logic = _extensionLogic()
    if folder is not None:
        torch, torchvision = torchWheels(folder, requirement)
        pip(absentPackages(folder, ours | set(TORCH_WHEELS)), folder, False)
        named = {
            "torchVersionRequirement": f" @ {torch.path.resolve().as_uri()}",
            "torchvisionVersionRequirement": f" @ {torchvision.path.resolve().as_uri()}",
        }
    else:
        named = {"torchVersionRequirement": requirement.removeprefix("torch")}
    if importlib.util.find_spec("light_the_torch") is None:
        # The extension would install it, and Slicer show a box of its own where that fails.
        pip([LIGHT_THE_TORCH], folder, True)
        importlib.invalidate_caches()
    try:
        with _offTheNetwork(folder):
            installed = logic.installTorch(askConfirmation=False, **named)
        reason = _("it gave none")
    except Exception as error:  # pip's, that of the import afterwards, or another one of its own
        installed, reason = None, str(error)
    if installed is None:
        raise UserError(
            _(
                "The PyTorch extension did not install PyTorch ({reason}): try it in its own "
                "module PyTorch Utils first."
            ).format(reason=reason)
        )


def _extensionLogic() -> Any:
    try:
        module: Any = importlib.import_module("PyTorchUtils")
    except ModuleNotFoundError:
        raise UserError(
            _(
                "PyTorch comes through the extension PyTorch, which is not installed: install it "
                "in the Extensions Manager, restart Slicer, and press Install again."
            )
        ) from None
    return module.PyTorchUtilsLogic()


@contextmanager
def _offTheNetwork(folder: Path | None) -> Iterator[None]:
    """Tell pip, in the extension's process, to look into the folder and nowhere else."""
    if folder is None:
        yield
        return
    ours = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": folder.resolve().as_uri()}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
