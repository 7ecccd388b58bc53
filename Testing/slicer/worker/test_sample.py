"""The simulated angiography: in the panel, in the Sample Data module, and what may go wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


@pytest.fixture
def sample_data(sample, monkeypatch, tmp_path):
    """The Sample Data module, with our entry in it and an empty cache."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import fake_sample_data

    monkeypatch.setitem(sys.modules, "SampleData", fake_sample_data)
    monkeypatch.setattr(sample, "FIELD_MM", 32.0)  # soon made
    cache = slicer.mrmlScene.GetCacheManager()
    before = cache.GetRemoteCacheDirectory()
    folder = tmp_path / "cache äø"
    cache.SetRemoteCacheDirectory(str(folder))
    fake_sample_data.SOURCES.clear()
    fake_sample_data.RULES.clear()
    assert sample.registerSample(tmp_path / "icon.png")
    yield fake_sample_data
    cache.SetRemoteCacheDirectory(before)


def test_without_the_sample_data_module_nothing_is_offered(sample, tmp_path):
    assert not sample.registerSample(tmp_path / "icon.png")  # no such module here


def test_a_script_gets_it_by_its_name(sample, sample_data, monkeypatch):
    logic = sample_data.SampleDataLogic()
    node = logic.downloadSample("3DRA phantom with aneurysm")
    assert node.GetName() == "3DRA phantom"
    assert node.GetStorageNode() is None
    assert min(node.GetImageData().GetDimensions()) > 50
    assert slicer.util.arrayFromVolume(node).std() > 10
    # Made once: the second time it comes from Slicer's cache.
    monkeypatch.setattr(sample, "PROGRAM", "raise SystemExit('made again')")
    again = logic.downloadSample("3DRA phantom with aneurysm")
    assert again is not node
    first, second = (slicer.util.arrayFromVolume(one) for one in (node, again))
    assert (first == second).all()


def test_a_script_hears_why_it_could_not_be_made(sample, sample_data, monkeypatch):
    monkeypatch.setattr(sample, "PROGRAM", "raise SystemExit('no space left')")
    with pytest.raises(RuntimeError, match=r"The sample could not be made \(no space left\)"):
        sample_data.SampleDataLogic().downloadSample("3DRA phantom with aneurysm")
    cache = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
    assert list(cache.glob("*.nrrd")) == []


def test_other_addresses_are_left_alone(sample, sample_data):
    assert sample.fileOfSample("https://example.org/a.nrrd") == "https://example.org/a.nrrd"


def test_the_button_of_the_sample_data_module_makes_it(sample, sample_data, monkeypatch):
    ((category, (source,)),) = sample_data.SOURCES.items()
    assert (category, source.sampleName) == ("Aneurysm Segmentation", "3DRA phantom with aneurysm")
    made = []
    monkeypatch.setattr(sample, "makeSample", lambda: made.append(1) or "node")
    assert source.customDownloader(source) == "node"
    assert made
