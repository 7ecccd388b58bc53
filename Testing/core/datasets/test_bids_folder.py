"""BIDS data sets: masks in anat and among derivatives; no voxel is ever read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gsema_core.datasets import find_cases, read_datalist, write_datalist
from gsema_core.datasets.center_rules import center_rule
from gsema_core.errors import UserError

DESCRIBED = {"dataset_description.json": {"Name": "lab", "BIDSVersion": "1.9.0"}}


def make(root: Path, names: str = "", contents: dict[str, Any] | None = None) -> Path:
    empty = dict.fromkeys(names.split(), "")
    for name, content in {**DESCRIBED, **empty, **(contents or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def lines(root: Path, place: str = "", **how: Any) -> list[str]:
    """``center patient: image + label``, with nothing but the files' names."""
    cases = find_cases(root / place, **how)
    write_datalist(cases, root.parent / "list.json")
    assert read_datalist(root.parent / "list.json") == cases
    return [f"{c.center} {c.patient}: {c.image.name} + {c.label.name}" for c in cases]


def test_masks_in_anat_sessions_and_runs(tmp_path):
    root = make(
        tmp_path / "lab",
        "sub-01/ses-1/anat/sub-01_ses-1_run-1_angio.nii.gz "
        "sub-01/ses-1/anat/sub-01_ses-1_run-1_dseg.nii.gz "
        "sub-01/ses-1/anat/sub-01_ses-1_run-2_angio.nii.gz "
        "sub-01/ses-1/anat/sub-01_ses-1_run-2_dseg.nii.gz "
        "sub-01/ses-2/anat/sub-01_ses-2_acq-tof_angio.nii.gz "
        "sub-01/ses-2/anat/sub-01_ses-2_dseg.nii.gz "
        "sub-02/anat/sub-02_T1w.nii.gz sub-02/anat/sub-02_angio.nii.gz "
        "sub-02/anat/sub-02_angio_seg.nii.gz sub-03/anat/sub-03_angio.nrrd "
        "sub-03/anat/sub-03_angio.seg.nrrd sub-03/anat/sub-03_desc-brain_mask.nii.gz "
        "sourcedata/sub-01/anat/sub-01_angio.nii.gz",
    )
    notes: list[str] = []
    assert lines(root, tell=notes.append) == [
        "lab sub-01: sub-01_ses-1_run-1_angio.nii.gz + sub-01_ses-1_run-1_dseg.nii.gz",
        "lab sub-01: sub-01_ses-1_run-2_angio.nii.gz + sub-01_ses-1_run-2_dseg.nii.gz",
        "lab sub-01: sub-01_ses-2_acq-tof_angio.nii.gz + sub-01_ses-2_dseg.nii.gz",
        "lab sub-02: sub-02_angio.nii.gz + sub-02_angio_seg.nii.gz",
        "lab sub-03: sub-03_angio.nrrd + sub-03_angio.seg.nrrd",
    ]
    assert notes == [
        "1 scan(s) have no mask and are left out: sub-02_T1w.nii.gz.",
        "1 patient(s) have several scans, which stay together: sub-01.",
    ]


def test_one_pipeline_of_several(tmp_path):
    root = make(
        tmp_path / "lab",
        "sub-01/anat/sub-01_angio.nii.gz derivatives/rater1/sub-01/anat/sub-01_dseg.nii.gz "
        "derivatives/rater2/sub-01/anat/sub-01_desc-r2_dseg.nii.gz",
    )
    with pytest.raises(UserError, match=r"angio.* has the masks .*rater1.* and .*rater2.*PIPELINE"):
        find_cases(root)
    for place, mask in (("rater1", "sub-01_dseg"), ("rater2", "sub-01_desc-r2_dseg")):
        expected = [f"lab sub-01: sub-01_angio.nii.gz + {mask}.nii.gz"]
        assert lines(root, f"derivatives/{place}") == expected


def test_a_mask_in_another_space_belongs_to_that_spaces_scan(tmp_path):
    place = "derivatives/seg/sub-01/anat"
    root = make(
        tmp_path / "lab",
        f"sub-01/anat/sub-01_angio.nii.gz {place}/sub-01_space-MNI_desc-preproc_angio.nii.gz "
        f"{place}/sub-01_space-MNI_dseg.nii.gz",
    )
    make(root, "derivatives/other/sub-01/anat/sub-01_space-MNI_desc-preproc_angio.nii.gz")
    scan = "sub-01_space-MNI_desc-preproc_angio.nii.gz"
    assert lines(root) == [f"lab sub-01: {scan} + sub-01_space-MNI_dseg.nii.gz"]
    (root / place / scan).unlink()
    with pytest.raises(UserError, match=r"space-MNI_dseg\.nii\.gz has no scan"):
        find_cases(root)


def test_sources_say_which_of_two_scans(tmp_path):
    mask = "derivatives/seg/sub-01/anat/sub-01_dseg"
    root = make(
        tmp_path / "lab",
        f"sub-01/anat/sub-01_angio.nii.gz sub-01/anat/sub-01_T1w.nii.gz {mask}.nii.gz",
    )
    with pytest.raises(UserError, match=r"may belong to several scans \(sub-01_T1w.*sub-01_angio"):
        find_cases(root)
    make(root, "", {f"{mask}.json": {"Sources": ["bids:raw:sub-01/anat/sub-01_angio.nii.gz"]}})
    assert lines(root) == ["lab sub-01: sub-01_angio.nii.gz + sub-01_dseg.nii.gz"]


def test_centers_of_the_participants(tmp_path):
    names = " ".join(
        f"sub-{n}/anat/sub-{n}_{kind}.nii.gz" for n in "1234" for kind in ("a", "dseg")
    )
    table = "participant_id\tage\tsite\nsub-1\t3\tA\nsub-2\t4\tA\nsub-3\t5\tB\nsub-4\t6\tB\n"
    root = make(tmp_path / "lab", names, {"participants.tsv": table})
    centers = [line[:7] for line in lines(root)]
    assert centers == ["A sub-1", "A sub-2", "B sub-3", "B sub-4"]
    assert {line[:3] for line in lines(root, rule=center_rule("none"))} == {"lab"}
    (root / "participants.tsv").write_text(table.replace("4\tA", "4\tC"))
    with pytest.raises(UserError, match=r"2 have one patient each \(A, C\).*--yes"):
        find_cases(root)
    with pytest.raises(UserError, match=r"--center-from folder is for folders of pairs .* a table"):
        find_cases(root, rule=center_rule("folder"))


def test_values_are_taken_by_their_names(tmp_path):
    files = "sub-1/anat/sub-1_a.nii.gz derivatives/x/sub-1/anat/sub-1_dseg.nii.gz"
    root = make(tmp_path / "lab", files, {"derivatives/x/dseg.tsv": "index\tname\n1\tGM\n2\tWM\n"})
    with pytest.raises(UserError, match=r"'GM' in .*dseg\.tsv says neither"):
        find_cases(root)
    table = root / "derivatives" / "x" / "dseg.tsv"
    table.write_text("index\tname\n7\tAneurysm\n9\tVessel\n")
    (case,) = find_cases(root)
    assert case.relabel == ((0, 0), (7, 2), (9, 1))
    for text in ("value\tname\n7\tAneurysm\n", "index\tname\n", ""):
        table.write_text(text)
        with pytest.raises(UserError, match="expected the columns index and name"):
            find_cases(root)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("sub-1/anat/sub-1_angio.nii.gz", "has no masks: expected"),
        ("sub-1/anat/sub-1_angio.nii.gz sub-1/anat/sub-1_mask.nii.gz", "has no masks: expected"),
        ("sub-1/anat/sub-1_dseg.nii.gz", r"sub-1_dseg\.nii\.gz has no scan of its name"),
        (
            "sub-1/anat/sub-1_run-2_dseg.nii sub-1/anat/sub-1_run-1_angio.nii",
            "no scan of its",
        ),
    ],
)
def test_data_sets_that_are_refused(tmp_path, names, reason):
    with pytest.raises(UserError, match=reason):
        find_cases(make(tmp_path / "lab", names))
