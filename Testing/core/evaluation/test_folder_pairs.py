from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.datasets import Case
from gsema_core.errors import Cancelled, UserError
from gsema_core.evaluation import evaluate_folders
from gsema_core.evaluation.label_folders import PairingRules
from gsema_core.files import write_labels
from gsema_core.files.label_rules import LabelRules
from gsema_core.grids import Volume

BOX = (2, 5, 5, 5, 4)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("predictions", "references"):
        (tmp_path / name).mkdir()
    return tmp_path / "predictions", tmp_path / "references"


def refusal(folders: tuple[Path, Path]) -> str:
    with pytest.raises(UserError) as caught:
        evaluate_folders(*folders)
    return str(caught.value)


def test_formats_do_not_matter(folders: tuple[Path, Path], draw: Callable[..., Volume]) -> None:
    predictions, references = folders
    write_labels(draw(BOX), predictions / "a.1.nii.gz")
    write_labels(draw(BOX), references / "a.1.seg.nrrd")
    write_labels(draw(), predictions / "b.mha")
    write_labels(draw(BOX), references / "b.nrrd")
    (predictions / "notes.json").write_text("{}")
    (references / ".hidden.nrrd").write_text("no image")
    said: list[tuple[float, str]] = []
    first, second = evaluate_folders(*folders, progress=lambda *what: said.append(what)).cases
    assert (first.name, first.aneurysm["dice"], first.missed) == ("a.1", 1.0, 0)
    assert (second.name, second.aneurysm["dice"], second.missed) == ("b", 0.0, 1)
    assert said == [(0.0, "case 1 of 2"), (0.5, "case 2 of 2")]


def test_segments_of_slicer_are_taken_by_name(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    """Slicer numbers segments in the order in which they were made."""
    predictions, references = folders
    write_labels(draw(BOX, (1, 12, 12, 12, 5)), predictions / "a.nrrd")
    image = draw((1, *BOX[1:]), (2, 12, 12, 12, 5), (3, 2, 2, 2, 1)).to_image()
    for number, name in enumerate(("Aneurysm", "Vessels", "Skull")):
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(number + 1))
    sitk.WriteImage(image, str(references / "a.seg.nrrd"))
    found = evaluate_folders(*folders)
    (score,) = found.cases
    assert score.aneurysm["dice"] == score.vessel["dice"] == 1.0
    told = "Taken as background: 'Skull', neither vessel nor aneurysm (in 1 label map)."
    assert found.notes() == [told]
    assert found.to_dict(PairingRules())["taken_as_background"] == {"Skull": 1}


def test_cancelling(folders: tuple[Path, Path], draw: Callable[..., Volume]) -> None:
    for folder in folders:
        write_labels(draw(BOX), folder / "a.nrrd")
    with pytest.raises(Cancelled):
        evaluate_folders(*folders, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"spacing": (0.5, 0.5, 1.1)}, "spacing 0.5 x 0.5 x 1.1 instead of 0.5 x 0.5 x 1 mm"),
        ({"origin": (13.0, -20.0, 34.0)}, "centers 5.00 mm apart"),
        ({"direction": (-1, 0, 0, 0, -1, 0, 0, 0, 1)}, "same size and spacing"),
    ],
)
def test_grids_must_be_the_same(
    folders: tuple[Path, Path],
    draw: Callable[..., Volume],
    change: dict[str, tuple[float, ...]],
    reason: str,
) -> None:
    reference = draw(BOX)
    other = Volume(reference.array, dataclasses.replace(reference.geometry, **change))
    write_labels(other, folders[0] / "a.nrrd")
    write_labels(reference, folders[1] / "a.nrrd")
    message = refusal(folders)
    assert reason in message
    assert str(folders[0] / "a.nrrd") in message and str(folders[1] / "a.nrrd") in message


def test_sizes_must_be_the_same(folders: tuple[Path, Path], draw: Callable[..., Volume]) -> None:
    reference = draw(BOX)
    smaller = dataclasses.replace(reference.geometry, size=(24, 22, 19))
    write_labels(Volume(reference.array[:-1], smaller), folders[0] / "a.nrrd")
    write_labels(reference, folders[1] / "a.nrrd")
    assert "24 x 22 x 19 instead of 24 x 22 x 20 voxels" in refusal(folders)


def test_float32_rounding_is_no_other_grid(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    reference = draw(BOX)
    turn = np.deg2rad(17.3)
    tilted = (np.cos(turn), -np.sin(turn), 0, np.sin(turn), np.cos(turn), 0, 0, 0, 1)
    oblique = dataclasses.replace(
        reference.geometry, direction=tilted, origin=(201.234567, -181.7654321, 99.999)
    )
    write_labels(Volume(reference.array, oblique), folders[0] / "a.nii.gz")
    write_labels(Volume(reference.array, oblique), folders[1] / "a.nrrd")
    assert evaluate_folders(*folders).cases[0].aneurysm["dice"] == 1.0


def test_labels_outside_the_list(folders: tuple[Path, Path], draw: Callable[..., Volume]) -> None:
    for folder, label in zip(folders, (3, 2), strict=True):
        write_labels(draw((label, 5, 5, 5, 4)), folder / "a.nrrd")
    assert "has the value 3, where only 0, 1, 2 may occur" in refusal(folders)


def test_all_files_that_cannot_be_scored_are_named_at_once(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    for folder in folders:
        for name in "abcd":
            write_labels(draw(BOX), folder / f"{name}.nrrd")
    (folders[0] / "b.nrrd").write_bytes(b"no image")
    write_labels(draw((3, 5, 5, 5, 4)), folders[1] / "c.nrrd")
    shifted = dataclasses.replace(draw(BOX).geometry, origin=(13.0, -20.0, 34.0))
    write_labels(Volume(draw(BOX).array, shifted), folders[0] / "d.nrrd")
    with pytest.raises(UserError, match=r"predictions.b\.nrrd .* 2 more cannot be used.") as caught:
        evaluate_folders(*folders)
    value, grid = caught.value.table
    assert "c.nrrd has the value 3" in value and "d.nrrd is not on the grid of" in grid


def listed(*labels: tuple[str, str, str]) -> list[Case]:
    """Cases of (patient, center, label file)."""
    return [Case(who, center, Path("i"), Path("far", name)) for who, center, name in labels]


def test_patients_come_from_a_list(folders: tuple[Path, Path], draw: Callable[..., Volume]) -> None:
    for folder in folders:
        for name in ("a", "b", "c"):
            write_labels(draw(BOX), folder / f"{name}.nrrd")
    cases = listed(
        ("Sancho", "X", "unused.nrrd"), ("Rocinante", "B", "c.nii.gz"),
        ("Dulcinea", "A", "b.seg.nrrd"), ("Rocinante", "B", "a.mha"),
    )  # fmt: skip
    scores = evaluate_folders(*folders, cases).cases
    assert [(score.name, score.patient, score.center) for score in scores] == [
        ("a", 2, "B"), ("b", 3, "A"), ("c", 2, "B"),
    ]  # fmt: skip
    assert [score.patient for score in evaluate_folders(*folders).cases] == [None] * 3
    with pytest.raises(UserError, match=r"no case with the label map a\.nrrd: add it"):
        evaluate_folders(*folders, cases[:3])
    with pytest.raises(UserError, match=r"two cases with a label map a\.nrrd"):
        evaluate_folders(*folders, [*cases, *listed(("Sancho", "A", "a.nrrd"))])


def test_lists_know_references_by_their_folders(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    for folder in folders:
        for site in ("A", "B"):
            (folder / site).mkdir()
            write_labels(draw(BOX), folder / site / "1.nrrd")
    cases = listed(("Sancho", "Y", "B/1.nii.gz"), ("Quixote", "X", "A/1.nii.gz"))
    scores = evaluate_folders(*folders, cases).cases
    assert [(score.name, score.center, score.patient) for score in scores] == [
        ("A/1", "X", 2), ("B/1", "Y", 1)
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"one case for .*A/1\.nrrd and .*B/1\.nrrd"):
        evaluate_folders(*folders, listed(("Sancho", "Y", "1.nrrd")))


def test_a_lists_meaning_of_values_is_that_of_its_own_files(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    """The fault that this prevents: labels that a lab swapped were compared as they are."""
    write_labels(draw(BOX), folders[0] / "a.nrrd")
    write_labels(draw((1, *BOX[1:])), folders[1] / "a.nrrd")
    case = Case("p", "A", Path("i"), folders[1] / "a.nrrd", relabel=((0, 0), (1, 2), (2, 1)))
    assert evaluate_folders(*folders, [case]).cases[0].aneurysm["dice"] == 1.0
    with pytest.raises(UserError, match=r"mean, but .* is another file"):
        evaluate_folders(*folders, [dataclasses.replace(case, label=Path("far", "a.nrrd"))])


def test_missing_predictions_scored_as_empty(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    for name in ("a", "b"):
        write_labels(draw(BOX), folders[1] / f"{name}.nrrd")
    write_labels(draw(BOX), folders[0] / "a.nrrd")
    found = evaluate_folders(*folders, rules=PairingRules(missing="score"))
    assert [case.aneurysm["dice"] for case in found.cases] == [1.0, 0.0]
    assert found.cases[1].missed == 1
    assert found.cases[1].aneurysm["hd95_mm"] == pytest.approx(np.linalg.norm((12, 11, 20)))
    assert found.notes() == ["1 scored as empty, as they have no prediction: b."]
    skipped = evaluate_folders(*folders, rules=PairingRules(missing="skip"))
    assert [case.name for case in skipped.cases] == ["a"]
    assert skipped.notes() == ["1 skipped references, as they have no prediction: b."]


def test_resampled_on_request(folders: tuple[Path, Path], draw: Callable[..., Volume]) -> None:
    """Voxels of half the size hold the same box."""
    coarse = draw(BOX)
    spacing = tuple(step / 2 for step in coarse.geometry.spacing)
    origin = coarse.geometry.index_to_world((-0.25,) * 3)
    size = tuple(2 * n for n in coarse.geometry.size)
    fine = dataclasses.replace(coarse.geometry, size=size, spacing=spacing, origin=tuple(origin))
    array = coarse.array.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    write_labels(Volume(array, fine), folders[0] / "a.nrrd")
    write_labels(coarse, folders[1] / "a.nrrd")
    told = refusal(folders)
    assert "48 x 44 x 40 instead of 24 x 22 x 20 voxels" in told and "say --resample" in told
    found = evaluate_folders(*folders, resample=True)
    assert found.cases[0].aneurysm["dice"] == 1.0
    assert found.notes() == ["1 resampled to their references' grids: a."]


def test_resampling_tells_what_lies_outside(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    reference = draw(BOX)
    moved = dataclasses.replace(reference.geometry, origin=(10.0, -20.0, 30.0 + 13.0))
    write_labels(Volume(reference.array, moved), folders[0] / "a.nrrd")
    write_labels(reference, folders[1] / "a.nrrd")
    found = evaluate_folders(*folders, resample=True)
    # Slices 5 to 8 come to 18 to 21: two of four are outside, 32 voxels of 0.25 mm3.
    assert found.outside_ml == {"a": pytest.approx(0.008)}
    assert "a (0.008 ml" not in found.notes()[0] and "(0.008 ml lie outside" in found.notes()[0]
    far = dataclasses.replace(moved, origin=(10.0, -20.0, 100.0))
    write_labels(Volume(reference.array, far), folders[0] / "a.nrrd")
    with pytest.raises(UserError, match="in two places in space"):
        evaluate_folders(*folders, resample=True)


def test_labels_of_a_lab_are_scored_by_what_they_mean(
    folders: tuple[Path, Path], draw: Callable[..., Volume]
) -> None:
    """Each folder has its own values; what the reference ignores counts in no score."""
    truth = draw((7, *BOX[1:]))
    truth.array[:2] = 9
    found = draw((255, *BOX[1:]))
    found.array[:2] = 255
    write_labels(found, folders[0] / "a.nrrd")
    write_labels(truth, folders[1] / "a.nrrd")
    of_predictions = LabelRules.from_options(["aneurysm=255"])
    of_references = LabelRules.from_options(["aneurysm=7", "ignore=9"])
    (case,) = evaluate_folders(*folders, labels=(of_predictions, of_references)).cases
    assert case.aneurysm["dice"] == 1.0 and case.false_positives == 0
    ignored = LabelRules.from_options(["ignore=255"])
    with pytest.raises(UserError, match="prediction of case a has voxels to ignore"):
        evaluate_folders(*folders, labels=(ignored, of_references))
