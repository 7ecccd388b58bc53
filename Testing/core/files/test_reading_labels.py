"""Label maps of other programs: what their values mean, and where their voxels lie."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from known_image import AXES, GRID, SPACING

from gsema_core.errors import UserError
from gsema_core.evaluation import evaluate_folders
from gsema_core.files import read_labels, read_volume, write_labels
from gsema_core.files.label_maps import DroppedLabels
from gsema_core.files.label_rules import LabelRules
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.boxes import box_geometry
from gsema_core.labels import IGNORE

LABELS = np.zeros(GRID.shape, np.uint8)
LABELS[1:3, 2:5, 1:6] = 1
LABELS[2:4, 3:5, 4:6] = 2
BOX = (slice(1, 4), slice(2, 5), slice(1, 6))
"""All that is labelled."""


def vectors(matrix: np.ndarray) -> str:
    return " ".join("(" + ",".join(map(str, column)) + ")" for column in np.transpose(matrix))


def reference(grid: Geometry) -> str:
    """A grid in the words of Slicer's conversion parameters: index to RAS, extent."""
    matrix = np.eye(4)
    matrix[:3, :3] = grid.direction_matrix * grid.spacing
    matrix[:3, 3] = grid.origin
    matrix[:2] *= -1
    extent = [bound for count in grid.size for bound in (0, count - 1)]
    return "".join(f"{number:.15g};" for number in [*matrix.reshape(-1), *extent])


def segmentation(
    layers: np.ndarray,
    segments: list[dict[str, object]],
    *,
    box: tuple[slice, ...] | None = None,
    drawn_on: Geometry | None = GRID,
    numbered: bool = True,
) -> bytes:
    """A file as Slicer 5 writes it, of (layers, k, j, i), cropped to a box."""
    box = box or tuple(slice(0, count) for count in GRID.shape)
    grid = box_geometry(GRID, box)
    parameters = "Collapse labelmaps|1|Merge the labelmaps into as few as possible.&"
    if drawn_on is not None:
        parameters += f"Reference image geometry|{reference(drawn_on)}|Of the labelmap.&"
    several = len(layers) > 1
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        "type: unsigned char",
        f"dimension: {3 + several}",
        "space: left-posterior-superior",
        f"sizes: {f'{len(layers)} ' * several}{' '.join(map(str, grid.size))}",
        f"space directions: {'none ' * several}{vectors(AXES * SPACING)}",
        f"kinds: {'list ' * several}domain domain domain",
        "encoding: gzip",
        f"space origin: {vectors(np.array([grid.origin]).T)}",
    ]
    for number, segment in enumerate(segments):
        told = {"LabelValue": 1, "Layer": 0, **segment} if numbered else segment
        lines += [f"Segment{number}_{key}:={value}" for key, value in told.items()]
    lines += [
        f"Segmentation_ConversionParameters:={parameters}",
        "Segmentation_ReferenceImageExtentOffset:=" + " ".join(str(s.start) for s in box[::-1]),
    ]
    data = np.ascontiguousarray(np.moveaxis(layers[(slice(None), *box)], 0, -1))
    return "\n".join([*lines, "", ""]).encode() + gzip.compress(data.astype(np.uint8).tobytes())


def saved(folder: Path, content: bytes, name: str = "case.seg.nrrd") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def check(path: Path, grid: Geometry | None = None) -> None:
    labels = read_labels(path, grid=grid)
    np.testing.assert_array_equal(labels.array, LABELS)
    assert labels.geometry.is_close(GRID)


ONE_LAYER = np.array([0, 5, 1], np.uint8)[LABELS][None]
"""Numbered as in Slicer, in the order in which the segments were made."""
OVERLAPPING = np.stack([LABELS > 0, LABELS == 2])
NAMED: list[dict[str, object]] = [
    {"Name": "Aneurysm", "LabelValue": 1}, {"Name": "Vessel", "LabelValue": 5},
]  # fmt: skip
LAYERED: list[dict[str, object]] = [
    {"Name": "Vessel", "Layer": 0}, {"Name": "Aneurysm", "Layer": 1},
]  # fmt: skip


def test_values_are_taken_by_the_segments_names(tmp_path: Path) -> None:
    """Not as they stand there, or vessel and aneurysm would change places without a word."""
    check(saved(tmp_path, segmentation(ONE_LAYER, NAMED)))


def test_lines_of_windows(tmp_path: Path) -> None:
    head, end, data = segmentation(ONE_LAYER, NAMED).partition(b"\n\n")
    check(saved(tmp_path, (head + end).replace(b"\n", b"\r\n") + data))


def test_segments_that_overlap(tmp_path: Path) -> None:
    """The aneurysm counts where it lies on the vessel, whatever the order of the layers."""
    check(saved(tmp_path, segmentation(OVERLAPPING, LAYERED)))
    turned = [{**one, "Layer": 1 - int(str(one["Layer"]))} for one in LAYERED]
    check(saved(tmp_path, segmentation(OVERLAPPING[::-1], turned)))


def test_several_segments_in_a_layer_and_several_layers(tmp_path: Path) -> None:
    """Values are a layer's own: 1 is one segment in one layer, another in the next."""
    layers = np.stack([np.where(LABELS == 2, 1, 0), LABELS == 1])
    layers[0, 0, 0, 0] = 2
    expected = LABELS.copy()
    expected[0, 0, 0] = 2
    segments = [
        {"Name": "left aneurysm", "LabelValue": 1, "Layer": 0},
        {"Name": "right aneurysm", "LabelValue": 2, "Layer": 0},
        {"Name": "Arteries", "LabelValue": 1, "Layer": 1},
    ]
    path = saved(tmp_path, segmentation(layers, segments))
    np.testing.assert_array_equal(read_labels(path).array, expected)


def test_files_of_older_versions_have_a_layer_a_segment(tmp_path: Path) -> None:
    segments: list[dict[str, object]] = [{"Name": "Vessel"}, {"Name": "Aneurysm"}]
    check(saved(tmp_path, segmentation(OVERLAPPING, segments, numbered=False)))


@pytest.mark.parametrize("layers", [ONE_LAYER, OVERLAPPING])
def test_a_cropped_file_comes_back_on_the_grid_it_was_drawn_on(
    tmp_path: Path, layers: np.ndarray
) -> None:
    segments = NAMED if len(layers) == 1 else LAYERED
    path = saved(tmp_path, segmentation(layers, segments, box=BOX))
    check(path)
    check(path, GRID)
    scored = tmp_path / "true"
    scored.mkdir()
    write_labels(Volume(LABELS, GRID), scored / "case.nii.gz")
    (tmp_path / "found").mkdir()
    path.rename(tmp_path / "found" / "case.seg.nrrd")
    (score,) = evaluate_folders(tmp_path / "found", scored).cases
    assert score.vessel["dice"] == score.aneurysm["dice"] == 1


@pytest.mark.parametrize("drawn_on", [None, Geometry((3, 3, 3), (0.2, 0.2, 0.2))])
def test_a_cropped_file_without_its_grid_is_put_on_the_scans(
    tmp_path: Path, drawn_on: Geometry | None
) -> None:
    path = saved(tmp_path, segmentation(ONE_LAYER, NAMED, box=BOX, drawn_on=drawn_on))
    assert read_labels(path).geometry.is_close(box_geometry(GRID, BOX))
    check(path, GRID)
    other = Geometry(GRID.size, (0.3, 0.4, 0.6), GRID.origin, GRID.direction)
    assert read_labels(path, grid=other).geometry.is_close(box_geometry(GRID, BOX))


def test_labels_beyond_the_grid_that_they_were_drawn_on_are_kept(tmp_path: Path) -> None:
    small = box_geometry(GRID, (slice(1, 3), slice(2, 5), slice(1, 6)))
    path = saved(tmp_path, segmentation(ONE_LAYER, NAMED, drawn_on=small))
    check(path)


@pytest.mark.parametrize("name", [
    "Anévrisme", "anévrysme", "Aneurysma", "ANEURISMA", "脳動脈瘤", "动脉瘤", "동맥류", "Аневризма",
    "Aneurysm of a vessel", "Å aneurysm … \x85 \x1c",
])  # fmt: skip
def test_names_in_other_languages(tmp_path: Path, name: str) -> None:
    segments = [{"Name": name, "LabelValue": 1}, {"Name": "Gefäße", "LabelValue": 5}]
    check(saved(tmp_path, segmentation(ONE_LAYER, segments)))


def test_the_terminology_tells_what_a_name_does_not(tmp_path: Path) -> None:
    entry = (
        "TerminologyEntry:A list~SCT^49755003^Morphologically Altered Structure~SCT^{}~^^~x~^^~^^|"
    )
    segments: list[dict[str, object]] = [
        {"Name": "Segment_1", "LabelValue": 1, "Tags": entry.format("85659009^Aneurysm")},
        {"Name": "Segment_2", "LabelValue": 5, "Tags": "a:b|" + entry.format("51114001^Artery")},
    ]
    check(saved(tmp_path, segmentation(ONE_LAYER, segments)))
    segments[0]["Tags"] = entry.format("85756007^Tissue")
    with pytest.raises(UserError, match=r"'Segment_1' in .* says neither vessel nor aneurysm"):
        read_labels(saved(tmp_path, segmentation(ONE_LAYER, segments)))


def test_a_segment_that_is_neither_is_dropped_with_a_warning(tmp_path: Path) -> None:
    extra = ONE_LAYER.copy()
    extra[0, 0, 0] = 9
    skull: list[dict[str, object]] = [{"Name": "Skull", "LabelValue": 9}]
    path = saved(tmp_path, segmentation(extra, NAMED + skull))
    with pytest.warns(DroppedLabels, match=r"'Skull' is neither vessel nor aneurysm and taken as"):
        labels = read_labels(path).array
    assert not labels[0, 0].any() and (labels[1:] == LABELS[1:]).all()
    # Without an aneurysm beside it, it may be just that.
    healthy = np.where(extra == 1, np.uint8(5), extra)
    path = saved(tmp_path, segmentation(healthy, NAMED[1:] + skull))
    with pytest.raises(UserError, match=r"'Skull' in .* says neither .*--label vessel='Skull'"):
        read_labels(path)
    told = LabelRules.from_options(["background=skull"])
    assert {*np.unique(read_labels(path, rules=told).array)} == {0, 1}
    by_value = LabelRules.from_options(["aneurysm=9"])
    assert (read_labels(path, rules=by_value).array[0, 0] == 2).all()


def test_what_is_to_be_ignored_lies_above_all(tmp_path: Path) -> None:
    segments: list[dict[str, object]] = [
        {"Name": "Vessel", "Layer": 0}, {"Name": "ignore", "Layer": 1},
    ]  # fmt: skip
    labels = read_labels(saved(tmp_path, segmentation(OVERLAPPING, segments))).array
    assert ((labels == IGNORE) == (LABELS == 2)).all() and ((labels == 1) == (LABELS == 1)).all()


def test_a_segment_without_voxels_needs_no_name(tmp_path: Path) -> None:
    empty: list[dict[str, object]] = [{"Name": "Segment_3", "LabelValue": 9}]
    check(saved(tmp_path, segmentation(ONE_LAYER, NAMED + empty)))


def test_a_layer_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'Vessel' in .* is in layer 3, where the file has 1"):
        read_labels(saved(tmp_path, segmentation(ONE_LAYER, [{"Name": "Vessel", "Layer": 3}])))


@pytest.mark.parametrize("value", ["0", "-1", "red", "", "9" * 5000, "1.0"])
def test_values_that_no_segment_has(tmp_path: Path, value: str) -> None:
    with pytest.raises(UserError, match=r"'Vessel' in .* has no label value: save"):
        read_labels(
            saved(tmp_path, segmentation(ONE_LAYER, [{"Name": "Vessel", "LabelValue": value}]))
        )


def test_several_layers_are_no_scan(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 values a voxel"):
        read_volume(saved(tmp_path, segmentation(OVERLAPPING, LAYERED)))


def test_several_values_a_voxel_without_segments_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 values a voxel"):
        read_labels(saved(tmp_path, segmentation(OVERLAPPING, []), "labels.nrrd"))


@pytest.mark.parametrize("numbers", ["", "nan;" * 22, "1;2;3", "x;" * 22, "1e300;" * 22])
def test_a_forged_reference_is_left_alone(tmp_path: Path, numbers: str) -> None:
    content = segmentation(ONE_LAYER, NAMED).replace(reference(GRID).encode(), numbers.encode())
    check(saved(tmp_path, content))


def nifti(folder: Path, array: np.ndarray, slope: float, intercept: float = 0.0) -> Path:
    path = folder / "labels.nii"
    write_labels(Volume(np.zeros(GRID.shape, np.uint8), GRID), path)
    content = bytearray(path.read_bytes())[:352]
    struct.pack_into("<hh", content, 70, 2 if array.dtype == np.uint8 else 4, 8 * array.itemsize)
    struct.pack_into("<2f", content, 112, slope, intercept)
    path.write_bytes(bytes(content) + array.tobytes())
    return path


@pytest.mark.parametrize(
    ("stored", "slope", "intercept"),
    [
        (LABELS * np.uint8(127), 2 / 254, 0.0),
        (np.array([0, 127, 255], np.uint8)[LABELS], 2 / 255, 0.0),  # 0.996, as SPM stores it
        (np.array([0, 128, 255], np.uint8)[LABELS], 2 / 255, 0.0),  # 1.004
        (LABELS.astype("<i2") * np.int16(10_000), 0.9999e-4, 0.0),
        (LABELS.astype("<i2") - np.int16(1), 1.0, 1.0),
        (LABELS * np.uint8(100), 0.01, 1e-4),
    ],
)
def test_labels_that_come_through_a_scale(
    tmp_path: Path, stored: np.ndarray, slope: float, intercept: float
) -> None:
    check(nifti(tmp_path, stored, slope, intercept))


@pytest.mark.parametrize(
    ("scale", "reason"),
    [
        (1 / 200, "has values between 0 and 1, such as 0.5: it looks like a map of probabilities"),
        (1.02 / 100, "has the value .*, where only 0, 1, 2 may occur"),
    ],
)
def test_values_between_labels_are_none(tmp_path: Path, scale: float, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        read_labels(nifti(tmp_path, LABELS * np.uint8(100), scale))


@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "uint16", "int64"])
def test_labels_of_every_type(tmp_path: Path, kind: str, save: Callable[..., Path]) -> None:
    check(save(tmp_path / "labels.nrrd", LABELS.astype(kind)))


def test_a_mask_of_255_is_refused_until_somebody_says_what_it_means(
    tmp_path: Path, save: Callable[..., Path]
) -> None:
    path = save(tmp_path / "mask.nii.gz", np.where(LABELS, 255, 0).astype(np.uint8))
    with pytest.raises(UserError, match=r"has the value 255, where only .*'relabel'"):
        read_labels(path)
    labels = read_labels(path, ((0, 0), (255, 1)))
    np.testing.assert_array_equal(labels.array, LABELS > 0)


@pytest.fixture
def save() -> Callable[..., Path]:
    import SimpleITK as sitk

    def write(path: Path, array: np.ndarray) -> Path:
        sitk.WriteImage(Volume(array, GRID).to_image(), str(path))
        return path

    return write
