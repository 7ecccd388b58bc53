from __future__ import annotations

import gzip
import itertools
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.files import read_labels, read_volume, write_labels, write_volume
from gsema_core.files.reading import few_values
from gsema_core.grids import Volume

SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")
NRRD_HEADER = """NRRD0004
type: float
dimension: 3
space: left-posterior-superior
sizes: {sizes}
space directions: {directions}
kinds: domain domain domain
endian: little
encoding: raw
space origin: (0,0,0)

"""
IDENTITY = "(1,0,0) (0,1,0) (0,0,1)"


def refusal(path: Path) -> str:
    """The one sentence with which an image is refused."""
    with pytest.raises(UserError) as caught:
        read_volume(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert "sitk" not in message
    assert "ITK ERROR" not in message
    assert "0x" not in message
    return message


def write_nrrd(path: Path, array: np.ndarray, *, sizes: str = "", directions: str = "") -> Path:
    sizes = sizes or " ".join(map(str, reversed(array.shape)))
    header = NRRD_HEADER.format(sizes=sizes, directions=directions or IDENTITY)
    path.write_bytes(header.encode() + array.astype("<f4").tobytes())
    return path


def write_array(path: Path, array: np.ndarray, **how: bool) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(array, **how), str(path))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_every_format_and_type_is_read(
    tmp_path: Path, scan: Volume, suffix: str, dtype: str
) -> None:
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(Volume(scan.array.astype(dtype), scan.geometry).to_image(), str(path), True)
    volume = read_volume(path)
    assert volume.array.dtype == ("float32" if dtype.startswith("float") else dtype)
    np.testing.assert_array_equal(volume.array, scan.array.astype(dtype))
    assert volume.geometry.is_close(scan.geometry)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".nhdr", ".hdr", ".mhd"])
def test_what_itk_writes_lies_where_itk_reads_it(tmp_path: Path, suffix: str) -> None:
    """Axes in any order and of any sign, and oblique ones of either hand."""
    chance = np.random.default_rng(0)
    axes = [np.eye(3)[list(order)] for order in itertools.permutations(range(3))]
    axes = [one * signs for one in axes for signs in itertools.product((1, -1), repeat=3)]
    axes += [np.linalg.qr(chance.normal(size=(3, 3)))[0] for _ in range(20)]
    for number, one in enumerate(axes):
        image = sitk.GetImageFromArray(chance.integers(0, 99, (4, 5, 6)).astype(np.int16))
        image.SetSpacing(tuple(chance.uniform(0.1, 2, 3)))
        image.SetOrigin(tuple(chance.uniform(-200, 200, 3)))
        image.SetDirection(one.reshape(-1))
        path = tmp_path / f"{number}{suffix}"
        sitk.WriteImage(image, str(path))
        ours, its = read_volume(path), Volume.from_image(sitk.ReadImage(str(path)))
        np.testing.assert_array_equal(ours.array, its.array)
        assert ours.geometry.is_close(its.geometry), one


def test_metaimage_with_its_data_beside_it(tmp_path: Path, scan: Volume) -> None:
    sitk.WriteImage(scan.to_image(), str(tmp_path / "scan.mhd"))
    np.testing.assert_array_equal(read_volume(tmp_path / "scan.mhd").array, scan.array)
    (tmp_path / "scan.raw").unlink()
    assert "scan.mhd is missing or no file: copy both into one folder" in refusal(
        tmp_path / "scan.mhd"
    )


def test_names_that_are_not_ascii(tmp_path: Path, scan: Volume) -> None:
    path = tmp_path / "Anévrisme 動脈瘤" / "étude.nrrd"
    path.parent.mkdir()
    write_volume(scan, path)
    np.testing.assert_array_equal(read_volume(path).array, scan.array)


def test_missing_file(tmp_path: Path) -> None:
    assert "does not exist: check the path" in refusal(tmp_path / "nothing.nrrd")


def test_a_path_that_no_system_takes() -> None:
    assert "check the path" in refusal(Path("a" * 5000))


def test_a_file_that_may_not_be_read(
    tmp_path: Path, scan: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_volume(scan, tmp_path / "scan.nrrd")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be opened" in refusal(tmp_path / "scan.nrrd")


@pytest.mark.parametrize("name", ["scan.txt", "scan.png", "scan", "scan.safetensors"])
def test_unknown_format(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")
    assert "format" in refusal(tmp_path / name)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".mhd", ".nhdr"])
@pytest.mark.parametrize("content", [b"", b"NRRD0004\n", b"\x1f\x8b", bytes(range(256)) * 20])
def test_a_file_that_is_something_else(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(content)
    assert "could not be read" in refusal(path)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.97, 0.7, 0.1])
def test_a_file_that_is_cut_off(tmp_path: Path, suffix: str, kept: float, compressed: bool) -> None:
    array = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path), compressed)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".mha"])
def test_a_compressed_file_with_wrong_bytes(tmp_path: Path, suffix: str) -> None:
    array = np.random.default_rng(0).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path), True)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    path.write_bytes(data)
    assert "damaged or cut off" in refusal(path)


def test_2d(tmp_path: Path) -> None:
    array = np.arange(30, dtype=np.int16).reshape(5, 6)
    assert "2D (6 x 5 voxels)" in refusal(write_array(tmp_path / "a.nrrd", array))
    assert "2D (6 x 5 x 1 voxels)" in refusal(write_array(tmp_path / "b.nrrd", array[None]))


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".mha"])
def test_4d(tmp_path: Path, suffix: str) -> None:
    array = np.random.default_rng(0).normal(size=(2, 5, 6, 7)).astype(np.float32)
    path = write_array(tmp_path / f"scan{suffix}", array, isVector=False)
    assert "4D (7 x 6 x 5 x 2 voxels)" in refusal(path)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".mha"])
def test_color(tmp_path: Path, suffix: str) -> None:
    array = np.random.default_rng(0).integers(0, 255, (5, 6, 7, 3)).astype(np.uint8)
    path = write_array(tmp_path / f"scan{suffix}", array, isVector=True)
    assert "3 values a voxel (color)" in refusal(path)


def test_complex_numbers(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.complex64)
    assert "complex numbers" in refusal(write_array(tmp_path / "scan.nii", array))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])
def test_voxels_that_are_not_finite(
    tmp_path: Path, scan: Volume, suffix: str, value: float, kind: type
) -> None:
    array = scan.array.astype(kind)
    array[1, 2, 3] = value
    write_volume(Volume(array, scan.geometry), tmp_path / f"scan{suffix}")
    assert "not finite" in refusal(tmp_path / f"scan{suffix}")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_finite_nifti_files_of_any_type_are_read(tmp_path: Path, scan: Volume, suffix: str) -> None:
    for kind in (np.float32, np.float64, np.int16):
        path = tmp_path / f"scan{suffix}"
        write_volume(Volume(scan.array.astype(kind), scan.geometry), path)
        assert np.array_equal(read_volume(path).array, scan.array.astype(kind).astype(np.float32))


def test_numbers_too_large_for_float32(tmp_path: Path, scan: Volume) -> None:
    array = scan.array.astype(np.float64) * 1e300
    assert "not finite" in refusal(write_array(tmp_path / "scan.nrrd", array))


@pytest.mark.parametrize("value", [0, 5, -3.5])
def test_constant(tmp_path: Path, value: float) -> None:
    array = np.full((4, 5, 6), value, dtype=np.float32)
    message = refusal(write_array(tmp_path / "scan.nrrd", array))
    assert f"the same value ({value:g}) in every voxel" in message


def test_axis_of_size_zero(tmp_path: Path, scan: Volume) -> None:
    nrrd = write_nrrd(tmp_path / "scan.nrrd", scan.array, sizes="8 9 0")
    assert "axis of size zero" in refusal(nrrd)
    nifti = tmp_path / "scan.nii"
    write_volume(scan, nifti)
    data = bytearray(nifti.read_bytes())
    struct.pack_into("<h", data, 46, 0)  # dim[3]; ITK reads it as 1
    nifti.write_bytes(data)
    assert "axis of size zero (8 x 9 x 0)" in refusal(nifti)
    meta = tmp_path / "scan.mha"
    write_volume(scan, meta, compress=False)
    meta.write_bytes(meta.read_bytes().replace(b"DimSize = 8 9 7", b"DimSize = 8 9 0"))
    assert "axis of size zero (8 x 9 x 0)" in refusal(meta)


@pytest.mark.parametrize("spacing", [0.0, 0.01, 20.0])
@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".mha"])
def test_absurd_spacing(tmp_path: Path, scan: Volume, suffix: str, spacing: float) -> None:
    path = tmp_path / f"scan{suffix}"
    if suffix == ".nrrd":
        write_nrrd(path, scan.array, directions=f"(1,0,0) (0,{spacing},0) (0,0,1)")
    else:
        write_volume(Volume(scan.array, scan.geometry), path, compress=False)
        data = bytearray(path.read_bytes())
        if suffix == ".nii":
            struct.pack_into("<f", data, 84, spacing)  # pixdim[2]; ITK turns 0 into 1 mm
        else:
            data = data.replace(b"0.29999999999999999 0.5", b"0.3 %g" % spacing)
            data = data.replace(b"0.3 0.5", b"0.3 %g" % spacing)
        path.write_bytes(data)
    assert f"voxel spacing of {spacing:g} mm, where 0.05 to 5 mm is expected" in refusal(path)


@pytest.mark.parametrize("spacing", [float("nan"), -2.0, float("inf")])
def test_spacing_that_is_no_length(tmp_path: Path, scan: Volume, spacing: float) -> None:
    path = tmp_path / "scan.nii.gz"
    write_volume(scan, path)
    data = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into("<f", data, 84, spacing)
    path.write_bytes(gzip.compress(bytes(data)))
    assert f"voxel spacing of {spacing:g} mm" in refusal(path)


def test_nrrd_spacings_of_zero(tmp_path: Path, scan: Volume) -> None:
    header = "NRRD0004\ntype: float\ndimension: 3\nsizes: 8 9 7\nspacings: 0 1 1\n"
    path = tmp_path / "scan.nrrd"
    path.write_bytes(f"{header}endian: little\nencoding: raw\n\n".encode() + scan.array.tobytes())
    assert "voxel spacing of 0 mm" in refusal(path)


@pytest.mark.parametrize("directions", ["(1,0,0) (0.5,1,0) (0,0,1)", "(1,0,0) (1,0,0) (0,0,1)"])
def test_axes_that_are_not_perpendicular(tmp_path: Path, scan: Volume, directions: str) -> None:
    path = write_nrrd(tmp_path / "scan.nrrd", scan.array, directions=directions)
    assert "axes that are not perpendicular" in refusal(path)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii"])
def test_a_forged_size_does_not_fill_the_memory(tmp_path: Path, scan: Volume, suffix: str) -> None:
    path = tmp_path / f"scan{suffix}"
    if suffix == ".nrrd":
        write_nrrd(path, scan.array, sizes="30000 30000 30000")
    else:
        write_volume(scan, path)
        data = bytearray(path.read_bytes())
        struct.pack_into("<3h", data, 42, 30000, 30000, 30000)
        path.write_bytes(data)
    assert "too large (30000 x 30000 x 30000 voxels): crop it" in refusal(path)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("values", [(0, 1, 2), (0, 255), tuple(range(8))])
def test_a_label_map_given_as_image(tmp_path: Path, dtype: str, values: tuple[int, ...]) -> None:
    array = np.resize(np.array(values, dtype), (6, 7, 8))
    message = refusal(write_array(tmp_path / "scan.nrrd", array))
    assert f"looks like a label map, as it has only the values {', '.join(map(str, values))}:" in (
        message
    )


def test_our_own_segmentation_given_as_image(tmp_path: Path, scan: Volume) -> None:
    labels = np.resize(np.array([0, 0, 1, 2], np.uint8), scan.array.shape)
    write_labels(Volume(labels, scan.geometry), tmp_path / "case.seg.nrrd")
    assert "looks like a label map" in refusal(tmp_path / "case.seg.nrrd")


def test_an_8_bit_scan_without_background_passes(tmp_path: Path) -> None:
    """The publisher of the scan had set all but the vessels to zero."""
    array = np.zeros((40, 40, 40), dtype=np.uint8)
    array[20, 20, 10:30] = np.arange(60, 80)  # 0.03 % of the voxels
    volume = read_volume(write_array(tmp_path / "scan.nrrd", array))
    assert volume.array.dtype == np.uint8


def test_few_values_finds_values_that_a_sample_misses() -> None:
    array = np.zeros(1_000_003, dtype=np.int16)
    array[999_983] = 7
    found = few_values(array)
    assert found is not None
    assert found.tolist() == [0, 7]
    array[100_001:100_020] = np.arange(19)
    assert few_values(array) is None


def test_labels_come_as_uint8(tmp_path: Path, scan: Volume) -> None:
    labels = np.resize(np.array([0, 1, 2], np.float32), scan.array.shape)
    read = read_labels(write_array(tmp_path / "labels.nii.gz", labels))
    assert read.array.dtype == np.uint8
    np.testing.assert_array_equal(read.array, labels)


def test_an_empty_label_map_is_fine(tmp_path: Path) -> None:
    path = write_array(tmp_path / "labels.nrrd", np.zeros((4, 5, 6), np.uint8))
    assert not read_labels(path).array.any()


@pytest.mark.parametrize("value", [3, -1, 0.5, 256, np.nan])
def test_other_label_values_are_refused(tmp_path: Path, value: float) -> None:
    labels = np.resize(np.array([0, 1, 2, value], np.float32), (4, 5, 6))
    path = write_array(tmp_path / "labels.nrrd", labels)
    with pytest.raises(UserError, match=f"has the value {value:g}, where only 0, 1, 2 may occur"):
        read_labels(path)


def test_libraries_print_nothing(tmp_path: Path, scan: Volume, write_dicom: Callable) -> None:
    """MetaIO, niftilib and GDCM write to the process's stderr, past Python."""
    for suffix in SUFFIXES:
        path = tmp_path / f"cut{suffix}"
        write_volume(scan, path)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 3 // 4])
    (tmp_path / "junk.mha").write_bytes(b"ObjectType = Image\nNDims = 3\n")
    write_dicom(tmp_path / "dicom", scan)
    file = next((tmp_path / "dicom").iterdir())
    file.write_bytes(file.read_bytes()[:-20])
    code = (
        "import sys\n"
        "from gsema_core.files import read_volume\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        read_volume(path)\n"
        "    except ValueError as error:\n"
        "        print('refused')\n"
    )
    paths = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["refused"] * len(paths)
    assert done.stderr == ""
