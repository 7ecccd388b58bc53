"""Scenes as 3D Slicer saves them; no voxel is ever read."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.datasets import find_cases
from gsema_core.errors import UserError

VOLUME = (
    '<Volume id="vtkMRMLScalarVolumeNode{n}" name="CTA {n}" references="display:vtkD{n};'
    'storage:vtkMRMLVolumeArchetypeStorageNode{n};{more}" ></Volume>'
    '<VolumeArchetypeStorage id="vtkMRMLVolumeArchetypeStorageNode{n}" fileName="{file}" >'
    "</VolumeArchetypeStorage>"
)
SEGMENTATION = (
    '<Segmentation id="vtkMRMLSegmentationNode{n}" name="Segmentation {n}" '
    'references="display:vtkS{n};{reference}storage:vtkMRMLSegmentationStorageNode{n};{more}" >'
    '</Segmentation><SegmentationStorage id="vtkMRMLSegmentationStorageNode{n}" '
    'fileName="{file}" ></SegmentationStorage>'
)
OF_1 = "referenceImageGeometryRef:vtkMRMLScalarVolumeNode1;"


def volume(n: int, file: str, more: str = "") -> str:
    return VOLUME.format(n=n, file=file, more=more)


def segmentation(n: int, file: str, reference: str = OF_1, more: str = "") -> str:
    return SEGMENTATION.format(n=n, file=file, reference=reference, more=more)


def save(folder: Path, *nodes: str, files: str = "", name: str = "Scene.mrml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    scene = '<?xml version="1.0" encoding="UTF-8"?>\n<MRML version="Slicer 5.8.1">{}</MRML>\n'
    (folder / name).write_text(scene.format("\n ".join(nodes)), encoding="utf-8")
    for file in files.split():
        path = folder / file.replace("~", " ")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_the_reference_says_what_belongs_together(tmp_path):
    """Names do not: this is a scene with two volumes, saved as Slicer does, and one unpacked."""
    save(
        tmp_path / "lab" / "p1", volume(1, "CTA%20head.nrrd"), volume(2, "MRA.nrrd"),
        segmentation(1, "IA.seg.nrrd"), files="CTA~head.nrrd MRA.nrrd IA.seg.nrrd",
    )  # fmt: skip
    save(
        tmp_path / "lab" / "p2", volume(1, "Data/CTA.nrrd"),
        segmentation(1, "Data\\Segmentation.seg.nrrd"),
        files="Data/CTA.nrrd Data/Segmentation.seg.nrrd",
    )  # fmt: skip
    notes: list[str] = []
    first, second = find_cases(tmp_path / "lab", tell=notes.append)
    assert (first.patient, first.center) == ("p1", "lab")
    assert (first.image.name, first.label.name) == ("CTA head.nrrd", "IA.seg.nrrd")
    assert second.patient == "p2" and second.label.name == "Segmentation.seg.nrrd"
    assert len(notes) == 1
    assert "p1/Scene.mrml, 'CTA 2' has no segmentation and is left out" in notes[0]
    assert find_cases(tmp_path / "lab" / "p2" / "Scene.mrml")[0].image == second.image


def test_two_scans_of_a_scene_are_one_patient(tmp_path):
    of_2 = OF_1.replace("Node1", "Node2")
    save(
        tmp_path, volume(1, "a.nrrd"), volume(2, "b.nrrd"), segmentation(1, "a.seg.nrrd"),
        segmentation(2, "b.seg.nrrd", of_2), files="a.nrrd b.nrrd a.seg.nrrd b.seg.nrrd",
    )  # fmt: skip
    notes: list[str] = []
    cases = find_cases(tmp_path, tell=notes.append)
    assert [case.image.name for case in cases] == ["a.nrrd", "b.nrrd"]
    assert len({case.patient for case in cases}) == 1 and "stay together" in notes[0]


def test_a_scene_without_segmentations_leaves_the_files_to_their_names(tmp_path):
    save(tmp_path, volume(1, "a.nrrd"), files="a.nrrd a-label.nrrd")
    assert [case.label.name for case in find_cases(tmp_path)] == ["a-label.nrrd"]


FILES = "a.nrrd b.nrrd a.seg.nrrd b.seg.nrrd"


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([volume(1, "a.nrrd"), segmentation(1, "a.seg.nrrd"), segmentation(2, "b.seg.nrrd")],
         "'Segmentation 1' and 'Segmentation 2' are both segmentations of 'CTA 1'"),
        ([volume(1, "a.nrrd"), volume(2, "b.nrrd"), segmentation(1, "a.seg.nrrd", "")],
         "does not say which of its 2 volumes 'Segmentation 1' belongs to"),
        ([volume(1, "a.nrrd", "transform:vtkT1;"), segmentation(1, "a.seg.nrrd")],
         "a transform moves only one of 'CTA 1' and 'Segmentation 1'"),
        ([volume(1, "gone.nrrd"), segmentation(1, "a.seg.nrrd")], r"gone\.nrrd .* does not exist"),
        ([volume(1, ""), segmentation(1, "a.seg.nrrd")], "names no file of 'CTA 1'"),
        (["<Volume"], "cannot be read"),
        (["<!DOCTYPE x>"], "cannot be read"),
    ],
)  # fmt: skip
def test_scenes_that_are_refused(tmp_path, nodes, reason):
    with pytest.raises(UserError, match=reason):
        find_cases(save(tmp_path, *nodes, files=FILES))


def test_a_scene_in_an_unknown_encoding_is_refused(tmp_path):
    path = save(tmp_path, volume(1, "a.nrrd"), files=FILES) / "Scene.mrml"
    path.write_text(path.read_text().replace("UTF-8", "QTF-8"))
    with pytest.raises(UserError, match="cannot be read"):
        find_cases(tmp_path)


def test_two_scenes_of_one_folder_are_told(tmp_path):
    for name in ("2024-01-01-Scene.mrml", "2024-01-02-Scene.mrml"):
        save(tmp_path, volume(1, "a.nrrd"), segmentation(1, "a.seg.nrrd"), name=name, files=FILES)
    with pytest.raises(UserError, match="are scenes of one folder: keep one"):
        find_cases(tmp_path)
    (case,) = find_cases(tmp_path / "2024-01-02-Scene.mrml")
    assert (case.patient, case.image) == (tmp_path.name, tmp_path / "a.nrrd")
    save(tmp_path, volume(1, "a.nrrd"))
    with pytest.raises(UserError, match="has no segmentation"):
        find_cases(tmp_path / "Scene.mrml")
