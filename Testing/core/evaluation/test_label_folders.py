"""Which files of two folders are of one case, by their names alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.evaluation.label_folders import PairingRules, label_files, match_folders


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("predictions", "references"):
        (tmp_path / name).mkdir()
    return tmp_path / "predictions", tmp_path / "references"


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def names(folders: tuple[Path, Path], *rules: str) -> dict[str, tuple[str, str]]:
    """Of the files that were paired."""
    pairs = match_folders(*folders, PairingRules(*rules)).pairs  # type: ignore[arg-type]
    return {name: (found.name if found else "", true.name) for name, (found, true) in pairs.items()}


def refusal(folders: tuple[Path, Path], rules: PairingRules | None = None) -> str:
    with pytest.raises(UserError) as caught:
        match_folders(*folders, rules)
    return str(caught.value)


@pytest.mark.parametrize(
    ("found", "true", "suffixes"),
    [
        ("a_pred.nii.gz", "a.nrrd", ("_pred",)),
        ("a_pred.nii.gz", "a.seg.nii.gz", ("_pred", ".seg")),
        ("a.nrrd", "a.seg.nrrd", ("", ".seg")),
        ("a_0000.seg.nrrd", "a.hdr", ("_0000",)),
        ("a_pred.nii.gz", "a.nrrd", ("_pred.nii.gz",)),
        ("a/pred.nrrd", "a/label.mha", ("pred", "label")),
        ("site/a_pred.nrrd", "site/a.nrrd", ("_pred",)),
    ],
)
def test_endings(
    folders: tuple[Path, Path], found: str, true: str, suffixes: tuple[str, ...]
) -> None:
    put(folders[0], found)
    put(folders[1], true)
    name = "site/a" if found.startswith("site") else "a"
    assert names(folders, *suffixes) == {name: (Path(found).name, Path(true).name)}


def test_files_of_another_ending_are_left_out_and_told(folders: tuple[Path, Path]) -> None:
    put(folders[0], "a_pred.nrrd", "a.nrrd", "notes.txt")
    put(folders[1], "a.nrrd")
    pairs = match_folders(*folders, PairingRules("_pred"))
    assert pairs.left_out == [folders[0] / "a.nrrd"]
    assert "ends with _prod" in refusal(folders, PairingRules("_prod"))


def test_one_folder_with_both(tmp_path: Path) -> None:
    put(tmp_path, "a_pred_seg.nrrd", "a_seg.nrrd", "a.nrrd")
    both = tmp_path, tmp_path
    assert names(both, "_pred_seg", "_seg") == {"a": ("a_pred_seg.nrrd", "a_seg.nrrd")}
    assert "are one file, which would score as perfect" in refusal(both)


def test_the_other_folder_inside_is_no_part_of_it(tmp_path: Path) -> None:
    put(tmp_path, "a.nrrd", "references/a.nrrd")
    pairs = match_folders(tmp_path, tmp_path / "references").pairs
    assert pairs == {"a": (tmp_path / "a.nrrd", tmp_path / "references" / "a.nrrd")}


def test_a_link_to_the_reference_is_no_prediction(folders: tuple[Path, Path]) -> None:
    put(folders[1], "a.nrrd")
    (folders[0] / "a.nrrd").symlink_to(folders[1] / "a.nrrd")
    assert "are one file" in refusal(folders)


def test_subfolders_are_part_of_the_name(folders: tuple[Path, Path]) -> None:
    put(folders[0], "A/1.nrrd", "B/1.nrrd", ".hidden/2.nrrd")
    put(folders[1], "A/1.nii", "B/1.nii")
    (folders[0] / "A" / "round").symlink_to(folders[0])  # has no end
    assert list(names(folders)) == ["A/1", "B/1"]
    (folders[1] / "B" / "1.nii").rename(folders[1] / "1.nii")
    assert "/predictions/B/1.nrrd lies in another subfolder" in refusal(folders)


def test_two_files_of_one_name_are_refused(folders: tuple[Path, Path]) -> None:
    put(folders[0], "a.nrrd", "a.nii.gz")
    told = refusal(folders)
    assert "a.nii.gz and" in told and "are the label map of the case a: keep one" in told


def test_partners_are_needed(folders: tuple[Path, Path]) -> None:
    put(folders[1], "a.nrrd", "b.nrrd", "c.nrrd")
    put(folders[0], "a.nrrd")
    told = refusal(folders)
    assert "The reference b.nrrd (and 1 more) has no prediction of the name b" in told
    assert "--missing skip or score" in told
    put(folders[0], "x.nrrd")
    assert "x.nrrd there has no reference" in refusal(folders)
    assert "The prediction x.nrrd has no reference" in refusal(
        folders, PairingRules(missing="score")
    )


def test_what_is_missing_can_be_skipped(folders: tuple[Path, Path]) -> None:
    put(folders[0], "a.nrrd", "x.nrrd")
    put(folders[1], "a.nrrd", "b.nrrd")
    found = match_folders(*folders, PairingRules(missing="skip"))
    assert list(found.pairs) == ["a"]
    assert (found.skipped_predictions, found.skipped_references) == (["x"], ["b"])


@pytest.mark.parametrize("missing", ["skip", "score"])
def test_nothing_in_common_is_a_mistake(folders: tuple[Path, Path], missing: str) -> None:
    """The fault that this prevents: a wrong ending scored every case as missed."""
    put(folders[0], "a_pred.nrrd")
    put(folders[1], "a.nrrd")
    told = refusal(folders, PairingRules(missing=missing))  # type: ignore[arg-type]
    assert "the first is a_pred here and a there" in told


def test_broken_links_are_not_passed_over(folders: tuple[Path, Path]) -> None:
    (folders[0] / "a.nrrd").symlink_to(folders[0] / "gone.nrrd")
    assert list(label_files(folders[0])) == ["a"]  # reading it says that it is not there


def test_folders_with_label_maps_are_needed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    assert "has no label map" in refusal(folders)
    assert "nowhere is not a folder" in refusal((tmp_path / "nowhere", folders[1]))
    with pytest.raises(UserError, match=r"'forget': use stop, skip, score"):
        PairingRules(missing="forget")  # type: ignore[arg-type]
