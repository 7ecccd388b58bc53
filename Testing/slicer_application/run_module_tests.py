"""Runs both modules' own tests in the real application and keeps a picture of each panel:

    Slicer --testing --no-splash --additional-module-paths GSEMASegmentation GSEMATraining \
        --python-script run_module_tests.py FOLDER

The exit code is 0 only if all tests passed. Has not run yet.
"""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path

import slicer
import slicer.util

MODULES = ("GSEMASegmentation", "GSEMATraining")


def keepPicture(module: str, folder: Path) -> None:
    slicer.util.selectModule(module)
    slicer.app.processEvents()
    if not slicer.util.mainWindow().grab().save(str(folder / f"{module}.png")):
        raise RuntimeError(f"The picture of {module} could not be written to {folder}.")


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    suite = unittest.TestSuite()
    for module in MODULES:
        keepPicture(module, folder)
        tests = getattr(importlib.import_module(module), f"{module}Test")
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(tests))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun else 1


try:
    slicer.util.exit(main())
except Exception as error:  # Slicer would stay open
    print(f"error: {error}", file=sys.stderr)
    slicer.util.exit(1)
