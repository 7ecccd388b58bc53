"""Installs what the extension needs into a released Slicer, in two starts:

    Slicer --no-splash --no-main-window --python-script install_needs.py extension
    Slicer --no-splash --no-main-window --additional-module-paths GSEMASegmentation \
        --python-script install_needs.py packages

The first fetches the PyTorch extension, which Slicer finds at its next start; the second has it
install PyTorch for the CPU, and installs the rest. Has not run yet.
"""

from __future__ import annotations

import sys

import slicer
import slicer.util


def installExtension() -> None:
    manager = slicer.app.extensionsManagerModel()
    manager.interactive = False
    if not manager.installExtensionFromServer("PyTorch", False):
        raise RuntimeError("The PyTorch extension could not be installed.")


def installPackages() -> None:
    import PyTorchUtils
    from GSEMASegmentationLib.install.Requirements import TORCH, missingPackages

    PyTorchUtils.PyTorchUtilsLogic().installTorch(forceComputationBackend="cpu")
    for package in missingPackages():
        if package is TORCH:
            raise RuntimeError("PyTorch is not there, although it was installed.")
        slicer.util.pip_install(package.requirement)


try:
    {"extension": installExtension, "packages": installPackages}[sys.argv[1]]()
except Exception as error:  # without a window nobody would see it, and Slicer would stay
    print(f"error: {error}", file=sys.stderr)
    slicer.util.exit(1)
else:
    slicer.util.exit(0)
