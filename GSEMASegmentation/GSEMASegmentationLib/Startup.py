"""What Slicer is given when it has started: codes, a sample, an entry of a menu."""

from __future__ import annotations

import logging
from pathlib import Path

import slicer

from GSEMASegmentationLib.worker.SampleScan import registerSample

MODULE = Path(__file__).resolve().parents[1]
"""The folder of GSEMASegmentation.py."""


def loadTerminology() -> None:
    """Load the codes of our segments into Slicer; its own lists lack the cerebral aneurysm."""
    path = MODULE / "Resources" / "Terminologies" / "CerebralAneurysms.term.json"
    if not slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(path)):
        logging.error("The terminology %s could not be loaded.", path)


def offerSample() -> None:
    """Put the simulated angiography into the Sample Data module."""
    registerSample(MODULE / "Resources" / "Icons" / "GSEMASegmentation.png")


def offerInDataTree() -> None:
    """Put "Segment aneurysms" into the context menu of volumes in the data tree."""
    import SubjectHierarchyPlugins  # Slicer's own: it puts the base class on the path

    name = "GSEMASegmentationSubjectHierarchyPlugin"
    path = MODULE / "SubjectHierarchyPlugins" / f"{name}.py"
    plugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
    if not plugin.setPythonSource(str(path)):
        logging.error("%s could not be added to %s.", path, SubjectHierarchyPlugins.__name__)
