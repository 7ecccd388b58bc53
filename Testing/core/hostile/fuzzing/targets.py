"""What is damaged and who reads it: one ``Target`` a kind of file."""

from __future__ import annotations

import bz2
import gzip
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import mutations
import numpy as np
import SimpleITK as sitk
from mutations import Edit, Files

SHAPE = (6, 7, 8)
"""Voxels (k, j, i) of the images: small, so that thousands are read in a minute."""


@dataclass(frozen=True)
class Sample:
    """A good case.

    Attributes:
        files: what lies in its folder.
        entry: what the reader is given: a file's name, or "." for the folder.
        edits: damage that knows this format; ``BLIND`` damage is done as well.
    """

    files: Files
    entry: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Target:
    """Good cases, and the function that reads damaged ones; it gets the path of the entry."""

    samples: list[Sample]
    read: Callable[[Path], Any]

    def damaged(self, chance: Random) -> Sample:
        """One of the samples, with one or two of its files damaged or gone."""
        sample = chance.choice(self.samples)
        files = dict(sample.files)
        for _ in range(chance.choice([1, 1, 1, 2])):
            name = chance.choice(sorted(files) or [sample.entry])
            if len(files) > 1 and chance.random() < 0.05:
                del files[name]
            elif name in files:
                edits = sample.edits * 3 + mutations.BLIND
                files[name] = chance.choice(edits)(chance, files[name])
        return Sample(files, sample.entry)


def _array(kind: str = "int16") -> Any:
    return np.random.default_rng(5).integers(0, 900, SHAPE).astype(kind)


def _written(folder: Path, name: str, array: Any, compress: bool) -> Files:
    folder.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.3, 0.4, 0.5))
    sitk.WriteImage(image, str(folder / name), compress)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    return files


def _image_samples(folder: Path, names: tuple[str, ...], edit: Edit) -> list[Sample]:
    samples = []
    for name in names:
        for kind in ("int16", "float32"):
            for compress in (False, True):
                files = _written(folder, name, _array(kind), compress)
                samples.append(Sample(files, name, (edit,)))
    return samples


def nrrd(folder: Path) -> Target:
    from gsema_core.files import read_volume

    samples = _image_samples(folder, ("a.nrrd", "a.nhdr"), mutations.edit_nrrd)
    packed = next(s for s in samples if b"gzip" in s.files.get("a.nrrd", b""))
    samples.append(Sample(packed.files, "a.nrrd", (mutations.bomb,)))
    head = (
        "NRRD0005\ntype: short\ndimension: 3\nsizes: 8 7 6\nspacings: 0.3 0.4 0.5\nkey:=value\n"
        "encoding: {}\n\n"
    )
    text = " ".join(map(str, _array().reshape(-1)))
    raw = _array().tobytes()
    coded = {"ascii": text.encode(), "hex": raw.hex().encode(), "bz2": bz2.compress(raw)}
    for encoding, data in coded.items():
        content = head.format(encoding).encode() + data
        if encoding != "ascii":
            content = content.replace(b"\nencoding", b"\nendian: little\nencoding")
        samples.append(Sample({"a.nrrd": content}, "a.nrrd", (mutations.edit_nrrd,)))
    frame = (
        "NRRD0004\ntype: short\ndimension: 4\nspace: RAS\nsizes: 1 8 7 6\nendian: little\n"
        'space directions: none (.3,0,0) (0,.4,0) (0,0,.5)\nspace units: "mm" "mm" "mm"\n'
        "kinds: list domain domain domain\nline skip: 1\nbyte skip: 4\nencoding: raw\n\nx\n1234"
    )
    samples.append(Sample({"a.nrrd": frame.encode() + raw}, "a.nrrd", (mutations.edit_nrrd,)))
    return Target(samples, read_volume)


def meta(folder: Path) -> Target:
    from gsema_core.files import read_volume

    return Target(_image_samples(folder, ("a.mha", "a.mhd"), mutations.edit_meta), read_volume)


def nifti(folder: Path) -> Target:
    from gsema_core.files import read_volume

    samples = _image_samples(folder, ("a.nii",), mutations.edit_nifti)
    for sample in _image_samples(folder, ("a.nii.gz",), mutations.edit_nifti):
        edit = _inside(mutations.edit_nifti)
        samples.append(Sample(sample.files, "a.nii.gz", (edit,)))
        inner = gzip.decompress(sample.files["a.nii.gz"])
        samples.append(Sample({"a.nii": inner}, "a.nii", (mutations.edit_nifti,)))
    plain = next(s.files["a.nii"] for s in samples if "a.nii" in s.files)
    extension = struct.pack("<4Bii", 1, 0, 0, 0, 32, 6) + b"x" * 24
    extended = bytearray(plain[:348] + extension + plain[352:])
    struct.pack_into("<f", extended, 108, 384.0)
    samples.append(Sample({"a.nii": bytes(extended)}, "a.nii", (mutations.edit_nifti,)))
    for kind in ("int16", "float32"):
        files = _written(folder, "a.hdr", _array(kind), False)
        samples.append(Sample(files, "a.hdr", (mutations.edit_nifti,)))
    return Target(samples, read_volume)


def _inside(edit: Edit) -> Edit:
    return lambda chance, content: mutations.repack(chance, content, edit)


def labels(folder: Path) -> Target:
    """Two folders of label maps that are scored against each other."""
    from gsema_core.evaluation import evaluate_folders

    array = (_array() % 3).astype(np.uint8)
    files = {"found/c.seg.nrrd": _segments(array), "true/c.nrrd": _written_one(folder, array)}
    for part in ("found", "true"):
        for name in ("a.nrrd", "b.nii.gz"):
            written = _written(folder, name, array, True)
            files |= {f"{part}/{key}": content for key, content in written.items()}
    one = Sample(files, ".")
    segments = {name: content for name, content in files.items() if "/c." in name}
    other = Sample(segments, ".", (mutations.edit_segments,))
    return Target([one, other], lambda path: evaluate_folders(path / "found", path / "true"))


def _written_one(folder: Path, array: Any) -> bytes:
    return next(iter(_written(folder, "c.nrrd", array, True).values()))


def _segments(array: Any) -> bytes:
    """What Slicer writes of segments that overlap, cropped to them."""
    layers = np.stack([array > 0, array == 2], axis=-1)[1:].astype(np.uint8)
    head = (
        "NRRD0004\ntype: uchar\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 8 7 5\n"
        "space directions: none (0.3,0,0) (0,0.4,0) (0,0,0.5)\nkinds: list domain domain domain\n"
        "encoding: gzip\nspace origin: (0,0,0.5)\nSegment0_ID:=Segment_1\nSegment0_Name:=Vessel\n"
        "Segment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Extent:=0 7 0 6 0 4\n"
        "Segment1_Name:=Anévrisme\nSegment1_LabelValue:=1\nSegment1_Layer:=1\n"
        "Segment1_Tags:=TerminologyEntry:a~b^c^d~e^f^Aneurysm~^^~g~^^~^^|\n"
        "Segmentation_ConversionParameters:=Reference image geometry|-0.3;0;0;0;0;-0.4;0;0;0;0;0.5;"
        "0;0;0;0;1;0;7;0;6;0;5;|what it is&\nSegmentation_ReferenceImageExtentOffset:=0 0 1\n\n"
    )
    return head.encode() + gzip.compress(layers.tobytes())


def dicom(folder: Path) -> Target:
    """Series and objects of every kind and coding; also deep in their elements."""
    from gsema_core.files import read_volume

    samples = []
    for files in _dicom_files().values():
        for entry in (".", sorted(files)[0]):
            edits = (mutations.edit_dicom, mutations.edit_elements)
            samples.append(Sample(files, entry, edits))
    files = _dicom_files()["explicit"]
    samples.append(Sample({**files, "notes.txt": b"DICM", "x.nrrd": b"NRRD"}, "."))
    return Target(samples, read_volume)


def _dicom_files() -> dict[str, Files]:
    sys.path.append(str(Path(__file__).parents[2] / "files" / "dicom"))
    import forms
    from pydicom import uid

    known = forms.Known()
    large = forms.Known(known.larger.stored[:4])
    enhanced = forms.Known(kind=forms.XRAY_3D)
    series = {
        "explicit": (known, uid.ExplicitVRLittleEndian),
        "implicit": (known, uid.ImplicitVRLittleEndian),
        "big": (known, uid.ExplicitVRBigEndian),
        "deflated": (known, uid.DeflatedExplicitVRLittleEndian),
        "runs": (known, uid.RLELossless),
        "jpeg": (known, uid.JPEGLosslessSV1),
        "jpeg-ls": (known, uid.JPEGLSLossless),
        "jpeg-2000": (large, forms.JPEG_2000),
    }
    made = {
        name: {f"{k}": forms.written(ds, syntax) for k, ds in enumerate(forms.slices(one))}
        for name, (one, syntax) in series.items()
    }
    for name, syntax in (("object", uid.ExplicitVRLittleEndian), ("packed", uid.RLELossless)):
        ds = forms.many_frames(enhanced)
        ds.XRay3DReconstructionSequence = forms.one(RescaleSlope=2, RescaleIntercept=-10)
        made[name] = {"object": forms.written(ds, syntax)}
    made["bare"] = {name: content[132:] for name, content in made["explicit"].items()}
    return made


def _tiny_network() -> tuple[Any, Any]:
    import torch

    from gsema_core.networks import NetworkConfig, build_network
    from gsema_core.teachers import TeacherCard

    torch.set_num_threads(1)
    config = NetworkConfig(kind="cnn", features=8, stages=2, depth=1)
    card = TeacherCard(
        name="tiny", network=config.to_dict(), spacing_mm=0.8, window=(32, 32, 32),
        intensity={"low": 1.0, "high": 99.9}, training={"steps": 3}, metrics={"dice": 0.5},
    )  # fmt: skip
    return build_network(config), card


def _edit_teacher_header(chance: Random, content: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little")
    head = mutations.edit_json(chance, content[8 : 8 + length])
    return len(head).to_bytes(8, "little") + head + content[8 + length :]


def _edit_teacher_card(chance: Random, content: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
        card = header["__metadata__"]["gsema"].encode()
    except (ValueError, KeyError, TypeError, AttributeError):  # another damage came before
        return mutations.splice(chance, content)
    header["__metadata__"]["gsema"] = mutations.edit_json(chance, card).decode("utf-8", "replace")
    head = json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + content[8 + length :]


def teacher(folder: Path) -> Target:
    from gsema_core.teachers import add_teacher, load_teacher, save_teacher

    folder.mkdir(parents=True)
    path = folder / "t.safetensors"
    save_teacher(path, *_tiny_network())
    files = {path.name: path.read_bytes()}
    sample = Sample(files, path.name, (_edit_teacher_header, _edit_teacher_card))

    def read(path: Path) -> Any:
        loaded = load_teacher(path)
        added = add_teacher(path, path.parent / "added")
        assert added.path.parent == path.parent / "added", added.path
        added.path.unlink()
        added.path.parent.rmdir()
        return loaded

    return Target([sample], read)


def datalist(folder: Path) -> Target:
    from gsema_core.datasets import read_datalist

    cases = [
        {"patient": f"P{n}", "center": "A", "image": f"i{n}.nrrd", "label": f"l{n}.nrrd"}
        for n in range(3)
    ]
    content = json.dumps({"cases": cases}).encode()
    files = {"list.json": content}
    return Target([Sample(files, "list.json", (mutations.edit_json,))], _with_images(read_datalist))


def nnunet(folder: Path) -> Target:
    """A raw folder of nnU-Net: its description, and files that are only listed."""
    from gsema_core.datasets import find_cases

    names = {"background": 0, "vessel": 1, "aneurysm": [2, 3]}
    newer = {"labels": names, "file_ending": ".nrrd", "channel_names": {"0": "XA"}, "x": None}
    older = {"labels": {"0": "background", "2": "vessel", "1": "aneurysm"}, "numTraining": 1}
    samples = []
    for description in (newer, older):
        files = {
            "dataset.json": json.dumps(description).encode(),
            "imagesTr/a_0000.nrrd": b"NRRD",
            "labelsTr/a.nrrd": b"NRRD",
        }
        samples.append(Sample(files, ".", (mutations.edit_json,)))
    named = {"a": {"images": ["b.nrrd"], "label": "c.nrrd"}}
    content = json.dumps(newer | {"dataset": named}).encode()
    files = {"dataset.json": content, "b.nrrd": b"NRRD", "c.nrrd": b"NRRD"}
    samples.append(Sample(files, ".", (mutations.edit_json,)))
    return Target(samples, find_cases)


def folder(place: Path) -> Target:
    """A BIDS data set with its tables, and a scene of Slicer; images are only listed."""
    from gsema_core.datasets import find_cases

    bids = {
        "dataset_description.json": b"{}",
        "participants.tsv": b"participant_id\tage\tsite\nsub-1\t50\tA\nsub-2\t60\tA\n",
        "dseg.tsv": b"index\tname\n1\tvessel\n2\taneurysm\n",
    }
    for scan in ("sub-1/anat/sub-1", "sub-2/anat/sub-2"):
        mask = f"derivatives/x/{scan}_dseg"
        bids |= {f"{scan}_angio.nrrd": b"NRRD", f"{scan}_T1w.nrrd": b"NRRD", f"{mask}.nrrd": b""}
        bids[f"{mask}.json"] = json.dumps({"Sources": [f"bids:raw:{scan}_angio.nrrd"]}).encode()
    scene = {
        "Scene.mrml": b'''<?xml version="1.0" encoding="UTF-8"?><MRML version="Slicer 5.8.1">
 <Volume id="v1" name="a" references="storage:s1;transform:t1;"></Volume>
 <VolumeArchetypeStorage id="s1" fileName="a%20b.nrrd"></VolumeArchetypeStorage>
 <Segmentation id="g1" references="referenceImageGeometryRef:v1;storage:s2;transform:t1;">
 </Segmentation><SegmentationStorage id="s2" fileName="Data/c.seg.nrrd"></SegmentationStorage>
 </MRML>''',
        "a b.nrrd": b"NRRD", "Data/c.seg.nrrd": b"NRRD",
    }  # fmt: skip
    samples = [Sample(bids, ".", (mutations.edit_json,)), Sample(scene, ".")]
    return Target(samples, find_cases)


def manifest(folder: Path) -> Target:
    """What label maps are to be imaged."""
    from gsema_core.simulation.manifest import read_manifest

    cases = [{"patient": f"P{n}", "center": "A", "label": f"l{n}.nrrd"} for n in range(3)]
    files = {"list.json": json.dumps(cases).encode()}
    sample = Sample(files, "list.json", (mutations.edit_json,))
    return Target([sample], _with_images(read_manifest))


def _with_images(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """The files that lists name are there; they are no images, as the list only names them."""

    def reading(path: Path) -> Any:
        others = [path.parent / f"{kind}{n}.nrrd" for kind in "il" for n in range(3)]
        for other in others:
            other.write_bytes(b"NRRD")
        try:
            return read(path)
        finally:
            for other in others:
                other.unlink()

    return reading


def toml(folder: Path) -> Target:
    from gsema_core.training import TrainingConfig

    content = (
        b'preset = "paper"\n[data]\ndatalist = "list.json"\ncenters = ["A", "B"]\n'
        b"patch = [96, 96, 96]\nspacing_mm = 0.5\n[network]\nfeatures = 24\n[method]\n"
        b'transform = ["paper"]\nalpha_conflict = 1.0\n[optimization]\nlearning_rate = 3e-4\n'
        b'class_weights = [1.0, 2.0, 3.0]\n[run]\noutput = "out"\nname = "local"\nsteps = 10\n'
    )
    sample = Sample({"c.toml": content}, "c.toml", (mutations.edit_toml,))
    return Target([sample], TrainingConfig.from_toml)


def worker(folder: Path) -> Target:
    """A stream of requests; the lines that are none raise a UserError, and the rest goes on."""
    from gsema_core.worker.protocol import ProtocolError, decode_request, split_lines

    requests = [
        {
            "id": 1,
            "command": "segment",
            "input": "i.nrrd",
            "output": "o.nrrd",
            "settings": {"overlap": 0.5},
        },
        {"id": 2, "command": "click", "inside_lps": [[1.5, 2, 3]], "output": "o"},
        {"id": 3, "command": "prepare", "input": "i", "volume_key": "k", "device": "cpu"},
        {"id": 4, "command": "cancel", "target": 1},
        {"id": 5, "command": "quit"},
    ]
    content = b"".join(json.dumps(one).encode() + b"\n" for one in requests)
    sample = Sample({"stream": content}, "stream", (mutations.edit_json,))

    def read(path: Path) -> Any:
        error, count = None, 0
        for line in split_lines([path.read_bytes()]):
            try:
                count += decode_request(line or b"") is not None
            except ProtocolError as refusal:
                error = refusal
        if error is not None:
            raise error
        return count

    return Target([sample], read)


TARGETS: dict[str, Callable[[Path], Target]] = {
    one.__name__: one
    for one in (
        nrrd, nifti, meta, dicom, labels, teacher, datalist, nnunet, folder, manifest, toml, worker,
    )
}  # fmt: skip
