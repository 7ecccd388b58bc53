"""The simulated angiography: in the panel, in the Sample Data module, and what may go wrong."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError


@pytest.fixture
def sample(scene, segmentation_module):
    from GSEMASegmentationLib.worker import SampleScan

    return SampleScan


@pytest.mark.slow
def test_the_sample_is_a_scan_that_can_be_segmented(panel, spin):
    panel.ui.sampleDataButton.click()
    assert not panel.ui.sampleDataButton.enabled
    assert panel.ui.statusLabel.text == "Making the sample..."
    spin(lambda: panel.ui.sampleDataButton.enabled, seconds=60)
    node = panel.ui.inputSelector.currentNode()
    assert node.GetName() == "3DRA phantom"
    assert node.GetImageData().GetDimensions() == (106, 106, 106)
    assert panel.ui.volumeInfoLabel.text == "106 × 106 × 106, 0.53 mm: ready"
    assert panel.ui.segmentButton.enabled
    assert node.GetStorageNode() is None  # no link to a file that is gone


def test_it_needs_only_what_slicer_brings(sample, tmp_path):
    path = tmp_path / "small.nrrd"
    code = sample.PROGRAM + "\nassert not {'torch', 'monai', 'itk'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(path), "8", "32"], check=True)
    assert path.stat().st_size > 1000


def test_a_failure_is_one_sentence(sample, panel, monkeypatch, spin):
    monkeypatch.setattr(sample, "PROGRAM", "raise SystemExit('no space left')")
    with pytest.raises(UserError, match=r"The sample could not be made \(no space left\)"):
        sample.makeSample()
    panel.ui.sampleDataButton.click()
    spin(lambda: panel.ui.sampleDataButton.enabled)
    assert "no space left" in panel.ui.statusLabel.text
    assert panel.ui.inputSelector.currentNode() is None


def test_the_end_of_the_panel_ends_it(panel, sample, scene, monkeypatch):
    monkeypatch.setattr(sample, "PROGRAM", "import time; time.sleep(60)")
    panel.ui.sampleDataButton.click()
    running = panel.volumes.sample.running
    slicer.modules.gsemasegmentation.closeWidget()
    assert not running.isRunning
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0


def test_it_is_offered_in_the_sample_data_module(sample, monkeypatch, tmp_path):
    assert not sample.registerSample(tmp_path / "icon.png")  # no such module here
    registered = []

    class SampleDataLogic:
        """Checked against Modules/Scripted/SampleData/SampleData.py (Slicer main at 5.13, August
        2026): these parameters, lists of one length, and a button that calls
        ``customDownloader(source)`` and is not interested in what it returns."""

        @staticmethod
        def registerCustomSampleDataSource(
            category="Custom", sampleName=None, uris=None, fileNames=None, nodeNames=None,
            customDownloader=None, thumbnailFileName=None, loadFileTypes=None, loadFiles=None,
            loadFileProperties=None, checksums=None, loadFileType=None,
        ):  # fmt: skip
            # None has no length there, and a string would be one file of that name.
            assert all(type(value) is list for value in (uris, fileNames, nodeNames))
            assert len(uris) == len(fileNames) == len(nodeNames)
            registered.append((category, sampleName, customDownloader))

    module = types.SimpleNamespace(SampleDataLogic=SampleDataLogic)
    monkeypatch.setitem(sys.modules, "SampleData", module)
    assert sample.registerSample(tmp_path / "icon.png")
    (category, name, download) = registered[0]
    assert (category, name) == ("Aneurysm Segmentation", "3DRA phantom with aneurysm")
    made = []
    monkeypatch.setattr(sample, "makeSample", lambda: made.append(1) or "node")
    assert download(None) == "node"
    assert made
