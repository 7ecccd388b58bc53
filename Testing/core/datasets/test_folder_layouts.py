"""Folders as laboratories have them: each is listed rightly, or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gsema_core.datasets import find_cases, read_datalist, write_datalist
from gsema_core.datasets.center_rules import center_rule
from gsema_core.errors import UserError
from gsema_core.files.dicom.neutral import neutral_name

DICOM = b"\0" * 128 + b"DICM"
NNUNET = {"labels": {"background": 0, "vessel": 1, "aneurysm": 2}, "file_ending": ".nii.gz"}

Layout = Callable[..., Path]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """``layout("a.nrrd b.nrrd", {"c.json": {...}})`` makes a folder; no voxel is ever read."""
    root = tmp_path / "lab"

    def make(names: str = "", contents: dict[str, Any] | None = None) -> Path:
        files = {name.replace("~", " "): b"" for name in names.split()}
        for name, content in {**files, **(contents or {})}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str | bytes) else json.dumps(content)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    return make


def told(root: Path, rule: str = "", confirmed: bool = False) -> tuple[list[str], list[str]]:
    """``center patient: image + label (use)`` of each case, and the sentences.

    The cases are written as a list, too, and must be the same when it is read.
    """
    notes: list[str] = []
    chosen = center_rule(rule) if rule else None
    cases = find_cases(root, rule=chosen, tell=notes.append, confirmed=confirmed)
    write_datalist(cases, root / "written.json")
    assert read_datalist(root / "written.json") == cases
    (root / "written.json").unlink()
    lines = []
    for case in cases:
        image, label = (path.relative_to(root).as_posix() for path in (case.image, case.label))
        use = f" ({case.use})" if case.use else ""
        lines.append(f"{case.center} {case.patient}: {image} + {label}{use}")
    return lines, notes


PAIRS = [
    ("p1.nii p1_seg.nii p2.nii.gz p2_seg.nii.gz", "",
     ["lab p1: p1.nii + p1_seg.nii", "lab p2: p2.nii.gz + p2_seg.nii.gz"]),
    ("p1/CTA.nrrd p1/Segmentation.seg.nrrd p2/CTA.nrrd p2/Segmentation_1.seg.nrrd", "",
     ["lab p1: p1/CTA.nrrd + p1/Segmentation.seg.nrrd",
      "lab p2: p2/CTA.nrrd + p2/Segmentation_1.seg.nrrd"]),
    ("A/p1/image.nrrd A/p1/label.nrrd A/p2/image.nrrd A/p2/label.nrrd B/p1.nrrd B/p1_gt.nrrd "
     "B/p2.nrrd B/p2_gt.nrrd", "folder",
     ["A A/p1: A/p1/image.nrrd + A/p1/label.nrrd", "A A/p2: A/p2/image.nrrd + A/p2/label.nrrd",
      "B B/p1: B/p1.nrrd + B/p1_gt.nrrd", "B B/p2: B/p2.nrrd + B/p2_gt.nrrd"]),
    ("data/A/p1.nrrd data/A/p1_gt.nrrd data/A/p2.nrrd data/A/p2_gt.nrrd data/B/p3.nrrd "
     "data/B/p3_gt.nrrd data/B/p4.nrrd data/B/p4_gt.nrrd", "folder:2",
     ["A data/A/p1: data/A/p1.nrrd + data/A/p1_gt.nrrd",
      "A data/A/p2: data/A/p2.nrrd + data/A/p2_gt.nrrd",
      "B data/B/p3: data/B/p3.nrrd + data/B/p3_gt.nrrd",
      "B data/B/p4: data/B/p4.nrrd + data/B/p4_gt.nrrd"]),
    ("p1/2019/CTA.nrrd p1/2019/seg.nrrd p1/2021/CTA.nrrd p1/2021/seg.nrrd", "none",
     ["lab p1: p1/2019/CTA.nrrd + p1/2019/seg.nrrd",
      "lab p1: p1/2021/CTA.nrrd + p1/2021/seg.nrrd"]),
    ("zh_1.nrrd zh_1_seg.nrrd be_1.nrrd be_1_seg.nrrd zh_2.nrrd zh_2_seg.nrrd be_2.nrrd "
     "be_2_seg.nrrd", "^([a-z]+)_",
     ["be be_1: be_1.nrrd + be_1_seg.nrrd", "be be_2: be_2.nrrd + be_2_seg.nrrd",
      "zh zh_1: zh_1.nrrd + zh_1_seg.nrrd", "zh zh_2: zh_2.nrrd + zh_2_seg.nrrd"]),
    ("images/img_01.nii.gz labels/mask_01.nii.gz images/img_02.nii.gz labels/mask_02.nii.gz", "",
     ["lab 01: images/img_01.nii.gz + labels/mask_01.nii.gz",
      "lab 02: images/img_02.nii.gz + labels/mask_02.nii.gz"]),
    ("img0001.nii.gz label0001.nii.gz", "", ["lab 0001: img0001.nii.gz + label0001.nii.gz"]),
    ("Images/p1/CTA.nrrd Labels/p1/seg.nrrd Images/p2/CTA.nrrd Labels/p2/seg.nrrd", "",
     ["lab p1: Images/p1/CTA.nrrd + Labels/p1/seg.nrrd",
      "lab p2: Images/p2/CTA.nrrd + Labels/p2/seg.nrrd"]),
    ("p1_CTA.nii.gz p1_seg.nii.gz p2_MRA.nii.gz p2_MRA_seg.nii.gz", "",
     ["lab p1: p1_CTA.nii.gz + p1_seg.nii.gz", "lab p2_MRA: p2_MRA.nii.gz + p2_MRA_seg.nii.gz"]),
    ("Müller~Jörg.nrrd Müller~Jörg_Maske.nrrd Zoe~1.NRRD zoe~1_LABEL.nrrd", "",
     r"Müller Jörg\.nrrd \(and 1 more\) has no label map"),
    ("Müller~Jörg.nrrd Müller~Jörg~Label.nrrd Zoe~1.NRRD zoe~1_LABEL.nrrd", "",
     ["lab Müller Jörg: Müller Jörg.nrrd + Müller Jörg Label.nrrd",
      "lab Zoe 1: Zoe 1.NRRD + zoe 1_LABEL.nrrd"]),
    # macOS spells accents in two letters, and leaves files of its own.
    ("Zu\u0308rich.nrrd Z\u00fcrich_seg.nrrd ._Zu\u0308rich.nrrd .DS_Store "
     "__MACOSX/._p1.nrrd .trash/p3_label.nrrd @eaDir/p4.nrrd", "",
     ["lab Zu\u0308rich: Zu\u0308rich.nrrd + Z\u00fcrich_seg.nrrd"]),
    # Windows' programs, and ITK-SNAP's workspace.
    ("p1/Pat1_TOF.nii.gz p1/Pat1_segmentation.nii.gz p1/Thumbs.db p1/desktop.ini p1/p1.itksnap "
     "p1/labels.txt", "", ["lab p1: p1/Pat1_TOF.nii.gz + p1/Pat1_segmentation.nii.gz"]),
    ("p1/scan.hdr p1/scan.img p1/mask.hdr p1/mask.img p2/scan.mhd p2/scan.raw p2/mask.mha", "",
     ["lab p1: p1/scan.hdr + p1/mask.hdr", "lab p2: p2/scan.mhd + p2/mask.mha"]),
    ("train/p1.nrrd train/p1_gt.nrrd train/p2.nrrd train/p2_gt.nrrd val/p3.nrrd val/p3_gt.nrrd "
     "test/images/p4.nrrd test/labels/p4.nrrd", "",
     ["lab p4: test/images/p4.nrrd + test/labels/p4.nrrd (test)",
      "lab p1: train/p1.nrrd + train/p1_gt.nrrd (training)",
      "lab p2: train/p2.nrrd + train/p2_gt.nrrd (training)",
      "lab p3: val/p3.nrrd + val/p3_gt.nrrd (validation)"]),
    ("sub-01_ses-1.nrrd sub-01_ses-1_seg.nrrd sub-01_ses-2.nrrd sub-01_ses-2_seg.nrrd "
     "sub-02.nrrd sub-02_seg.nrrd", "",
     ["lab sub-01: sub-01_ses-1.nrrd + sub-01_ses-1_seg.nrrd",
      "lab sub-01: sub-01_ses-2.nrrd + sub-01_ses-2_seg.nrrd",
      "lab sub-02: sub-02.nrrd + sub-02_seg.nrrd"]),
    ("p1_2019-05-28.nrrd p1_2019-05-28_seg.nrrd p1_20210102.nrrd p1_20210102_seg.nrrd "
     "q_pre/i.nrrd q_pre/seg.nrrd q_post/i.nrrd q_post/seg.nrrd", "",
     ["lab p1: p1_2019-05-28.nrrd + p1_2019-05-28_seg.nrrd",
      "lab p1: p1_20210102.nrrd + p1_20210102_seg.nrrd",
      "lab q: q_post/i.nrrd + q_post/seg.nrrd", "lab q: q_pre/i.nrrd + q_pre/seg.nrrd"]),
    ("imagesTr/p1_0000.nrrd labelsTr/p1.nrrd imagesTs/p2_0000.nrrd labelsTs/p2.nrrd", "",
     ["lab p1: imagesTr/p1_0000.nrrd + labelsTr/p1.nrrd",
      "lab p2: imagesTs/p2_0000.nrrd + labelsTs/p2.nrrd (test)"]),
]  # fmt: skip


@pytest.mark.parametrize(("names", "rule", "expected"), PAIRS)
def test_layouts_of_pairs(layout, names, rule, expected):
    root = layout(names)
    if isinstance(expected, str):
        with pytest.raises(UserError, match=expected):
            told(root, rule)
    else:
        assert told(root, rule)[0] == expected


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        # Sites and patients look alike.
        ("A/p1.nrrd A/p1_gt.nrrd A/p2.nrrd A/p2_gt.nrrd B/p3.nrrd B/p3_gt.nrrd",
         r"1 folder\(s\) hold several scans each \(A\): say whether they are centers"),
        ("p1/a.nrrd p1/b.nrrd p1/label.nrrd", r"label\.nrrd has several images .*a\.nrrd, b\.nrrd"),
        ("p1/scan.nrrd p1/r1_seg.nrrd p1/r2_seg.nrrd",
         r"scan\.nrrd has several label maps .*r1_seg\.nrrd, r2_seg\.nrrd"),
        ("p1_CTA.nrrd p1_MRA.nrrd p1_seg.nrrd",
         r"p1_seg\.nrrd has several images|cannot be told which of .*p1_CTA\.nrrd"),
        ("p1.nii p1.nii.gz p1_seg.nii.gz", "Both .* are the image of one case"),
        ("p1_seg.nrrd p1_mask.nrrd p1.nrrd", "Both .* are the label map of one case"),
        ("p1.nrrd p1~-~Copy.nrrd p1_seg.nrrd", r"p1 - Copy\.nrrd has no label map"),
        ("10001/orig/TOF.nii.gz 10001/aneurysms.nii.gz", "has no label map"),
        ("p1.mrb p2.mrb", r"has no images with label maps.*not unpacked \(.*p1\.mrb"),
        ("A/datalist.json p1.nrrd p1_gt.nrrd", "A in .* is a data set of its own, with datalist"),
        ("A/dataset_description.json B/dataset_description.json", "A in .* own, with dataset_desc"),
        ("train/p1.nrrd train/p1_gt.nrrd test/p1.nrrd test/p1_gt.nrrd", "'p1' .* different use"),
        ("seg/p1.nii.gz validation/p2.nii.gz", "has no label map"),
        ("", "has no images with label maps"),
    ],
)  # fmt: skip
def test_layouts_that_are_refused(layout, tmp_path, names, reason):
    layout(names)
    (tmp_path / "lab").mkdir(exist_ok=True)
    with pytest.raises(UserError, match=reason):
        find_cases(tmp_path / "lab")


def test_what_is_left_out_and_kept_together_is_told(layout):
    root = layout(
        "p1/a/i.nrrd p1/a/seg.nrrd p1/b/i.nrrd p1/b/seg.nrrd old.zip a/b/c/d/e/f/g/x.nrrd"
    )
    _, notes = told(root, "none")
    assert [note.split(":")[0] for note in notes] == [
        f"Folders more than 6 below {root} are not looked into.",
        "Archives are not looked into",
        "1 patient(s) have several scans, which stay together",
    ]


def test_links(layout, tmp_path):
    """Followed, but one image is one case, whatever it is called."""
    root = layout("A/p1.nrrd A/p1_gt.nrrd")
    away = tmp_path / "away"
    (root / "A").rename(away)
    (root / "B").symlink_to(away)
    (away / "back").symlink_to(away)
    assert told(root)[0] == ["lab B: B/p1.nrrd + B/p1_gt.nrrd"]
    (root / "latest").symlink_to(away)
    with pytest.raises(UserError, match="is that of case 1 and of case 2"):
        find_cases(root)
    (root / "latest").unlink()
    (root / "B" / "p2.nrrd").write_bytes(b"")
    (root / "B" / "p2_gt.nrrd").symlink_to("p1_gt.nrrd")
    with pytest.raises(UserError, match=r"p2_gt.* is that of patient 'B/p1' and of patient"):
        find_cases(root, rule=center_rule("folder"))


def test_a_patient_of_several_dicom_series_is_one(layout):
    root = layout("p1/a/seg.nrrd p1/b/seg.nrrd", {"p1/a/IM1": DICOM, "p1/b/IM1": DICOM + b"2"})
    first, second = find_cases(root, rule=center_rule("none"))
    assert first.patient == second.patient == neutral_name(root / "p1" / "a")


def test_a_table_says_the_center(layout, tmp_path):
    root = layout("p1.nrrd p1_seg.nrrd x/p2/i.nrrd x/p2/seg.nrrd x/p2b/i.nrrd x/p2b/seg.nrrd "
                  "sub-3_ses-1.nrrd sub-3_ses-1_seg.nrrd p4.nrrd p4_seg.nrrd")  # fmt: skip
    table = tmp_path / "sites.csv"
    rows = "Patient;Age;Centre\np1.nrrd;50;A\np2;;B\np2b;;B\n3;1;B\np4;;A\n;;\n"
    table.write_text(rows, "utf-8-sig")
    lines, _ = told(root, str(table))
    assert [line.split(":")[0] for line in lines] == ["A p1", "A p4", "B sub-3", "B p2", "B p2b"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("patient\tage\np1\t5\n", "no column of the centers"),
        ("who,site\np1,A\n", "no column of the patients"),
        ("patient,site\np1,n/a\n", r"no center for the scan p1\.nrrd"),
        ("patient,site\np1,A\np1,B\n", "'p1' at 'A' and at 'B'"),
        ("patient,site\np2,A\n", r"no center for the scan p1\.nrrd"),
        ("patient,site\np1,A\np1.nrrd,B\n", "'A' and at 'B'"),
        ("patient,site\np1," + "A" * 200_000, "no readable table"),
        ("patient,site\n", "no column of the patients"),
        ("", "no column of the patients"),
        (b"patient,site\np1,M\xfcnchen\n", "no readable text"),
    ],
)
def test_tables_that_do_not_say_it(layout, tmp_path, text, reason):
    root, table = layout("p1.nrrd p1_seg.nrrd"), tmp_path / "sites.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=reason):
        told(root, str(table))


def test_rows_of_two_centers_for_one_scan_are_refused(layout, tmp_path):
    root, table = layout("x/p2/i.nrrd x/p2/seg.nrrd"), tmp_path / "sites.tsv"
    table.write_text("subject\tsite\nx\tA\np2\tB\n")
    with pytest.raises(UserError, match=r"rows of several centers \(A, B\)"):
        told(root, str(table))


def test_names_that_are_no_text_cannot_be_listed(layout):
    """As a zip archive of an old Windows leaves them."""
    root = layout("p1.nrrd p1_seg.nrrd")
    (root / "p1.nrrd").rename(root / "M\udcfcller.nrrd")
    (root / "p1_seg.nrrd").rename(root / "M\udcfcller_seg.nrrd")
    with pytest.raises(UserError, match="cannot stand in a datalist, as it is no text"):
        told(root)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("folder", r"p1/scan\.nrrd lies in no center's folder"),
        ("(x)", "finds no center"),
        ("(p)(1)", "2 groups"),
        ("p1", "0 groups"),
        ("folder:0", "0 groups"),
        ("(", "unterminated"),
        ("gone.tsv", r"gone\.tsv does not exist"),
    ],
)
def test_rules_that_do_not_fit(layout, rule, reason):
    """Folders of patients are no centers, whatever is asked for."""
    root = layout("p1/scan.nrrd p1/seg.nrrd p2/scan.nrrd p2/seg.nrrd")
    with pytest.raises(UserError, match=reason):
        told(root, rule)


def test_a_center_of_one_patient_asks(layout):
    root = layout("p1/scan.nrrd p1/seg.nrrd p2/scan.nrrd p2/seg.nrrd")
    with pytest.raises(UserError, match=r"2 centers in .*, 2 have one patient each \(p1, p2\)"):
        told(root, "^(p.)/")
    lines, notes = told(root, "^(p.)/", confirmed=True)
    assert len(lines) == 2 and "are they patients?" in notes[-1]


def test_nnunet_with_files_that_are_named(layout):
    root = layout("a/s1.nii.gz a/s1_m.nii.gz sub-2_run-1.nrrd m2.nrrd", {"dataset.json": {
        **NNUNET, "dataset": {"s1": {"images": ["a/s1.nii.gz"], "label": "./a/s1_m.nii.gz"},
                              "sub-2_run-1": {"images": ["sub-2_run-1.nrrd"], "label": "m2.nrrd"}},
    }})  # fmt: skip
    assert told(root)[0] == [
        "lab s1: a/s1.nii.gz + a/s1_m.nii.gz", "lab sub-2: sub-2_run-1.nrrd + m2.nrrd"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "description", "reason"),
    [
        ("fold_0/validation/p1.nii.gz", {}, "no imagesTr: give the raw data"),
        ("gt_segmentations/p1.nii.gz", {"dataset": {"p1": {"images": []}}}, "'p1' of .* cannot"),
        (
            "a.nii.gz",
            {"dataset": {"p1": {"images": ["a.nii.gz", "b"], "label": "c"}}},
            "several ch",
        ),
        ("a.nii.gz", {"dataset": {"p1": {"images": ["$DATA/a"], "label": "c"}}}, "variable"),
        ("a.nii.gz", {"dataset": []}, "cannot be used"),
        ("a.nii.gz", {"dataset": {}}, "no labelled case"),
        ("imagesTr/p1_0000.nii.gz imagesTr/p1.nii.gz labelsTr/p1.nii.gz", {}, "Both .* one case"),
        ("imagesTr/p1_0000.nii.gz imagesTr/p1_0001.nii.gz labelsTr/p1.nii.gz", {}, "several ch"),
    ],
)
def test_nnunet_folders_that_are_refused(layout, names, description, reason):
    root = layout(names, {"dataset.json": NNUNET | description})
    with pytest.raises(UserError, match=reason):
        find_cases(root)


def test_a_task_of_the_decathlon(layout):
    """Its images are called as the label maps are, also where names end as channels do."""
    root = layout(
        "imagesTr/v_0001.nii.gz labelsTr/v_0001.nii.gz imagesTr/v_0000.nii.gz "
        "labelsTr/v_0000.nii.gz imagesTs/v_0009.nii.gz imagesTr/._v_0001.nii.gz imagesTr/v.nrrd",
        {"dataset.json": {"labels": {"0": "background", "1": "Vessel", "2": "Aneurysm"},
                          "file_ending": ".nii.gz"}},
    )  # fmt: skip
    lines, notes = told(root)
    assert lines == [
        "lab v_0000: imagesTr/v_0000.nii.gz + labelsTr/v_0000.nii.gz",
        "lab v_0001: imagesTr/v_0001.nii.gz + labelsTr/v_0001.nii.gz",
    ]
    assert len(notes) == 1 and "v.nrrd do not end with .nii.gz as dataset.json says" in notes[0]


def test_nnunet_folders_in_a_folder_are_to_be_given_themselves(layout):
    root = layout("D1/imagesTr/p_0000.nii.gz D1/labelsTr/p.nii.gz", {"D1/dataset.json": NNUNET})
    with pytest.raises(UserError, match=r"D1 in .* is a data set of its own, with dataset\.json"):
        find_cases(root)


def test_label_maps_in_dicom_files_are_told(layout):
    root = layout("", {"p1/CT/1.dcm": DICOM, "p1/SEG/1.dcm": DICOM})
    with pytest.raises(UserError, match="Label maps in DICOM files are not read"):
        find_cases(root)


def test_scans_that_came_after_the_list_are_told(layout):
    root = layout("p1.nrrd p1_seg.nrrd")
    write_datalist(find_cases(root), root / "datalist.json")
    notes: list[str] = []
    assert len(find_cases(root, tell=notes.append)) == 1 and notes == []
    layout("p2.nrrd p2_seg.nrrd other/datalist.json other/p3.nrrd")
    assert len(find_cases(root, tell=notes.append)) == 1
    assert notes == [
        f"2 image file(s) of {root} are not in its datalist.json and are left out: "
        f"{root}/p2.nrrd, {root}/p2_seg.nrrd."
    ]


def test_an_image_is_no_list(layout):
    root = layout("p1.nii.gz p1_seg.nii.gz")
    with pytest.raises(UserError, match=r"p1\.nii\.gz is an image: give the folder"):
        find_cases(root / "p1.nii.gz")
