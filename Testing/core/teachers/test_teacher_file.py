from __future__ import annotations

import errno
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from gsema_core.errors import UserError
from gsema_core.networks import SegmentationNetwork
from gsema_core.teachers import TeacherCard, load_teacher, read_card, save_teacher
from gsema_core.teachers.teacher_file import METADATA_KEY, file_hash


@pytest.fixture
def saved(tmp_path: Path, random_network: SegmentationNetwork, tiny_card: TeacherCard) -> Path:
    path = tmp_path / "teacher.safetensors"
    save_teacher(path, random_network, tiny_card)
    return path


def write_raw(path: Path, tensors: dict[str, torch.Tensor], card: Any) -> None:
    text = card if isinstance(card, str) else json.dumps(card)
    save_file({k: v.contiguous() for k, v in tensors.items()}, path, {METADATA_KEY: text})


def test_a_saved_teacher_answers_as_before(
    saved: Path, random_network: SegmentationNetwork, tiny_card: TeacherCard
) -> None:
    teacher = load_teacher(saved)
    image = torch.rand((1, 1, 16, 16, 16), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(teacher.network(image), random_network(image))
    assert teacher.card == tiny_card == read_card(saved)
    assert not teacher.network.training
    assert teacher.sha256 == file_hash(saved)


def test_half_precision_halves_the_file_and_loads_as_float32(
    saved: Path, tmp_path: Path, random_network: SegmentationNetwork, tiny_card: TeacherCard
) -> None:
    half = tmp_path / "half.safetensors"
    save_teacher(half, random_network, tiny_card, dtype=torch.float16)
    assert half.stat().st_size < 0.65 * saved.stat().st_size
    weights = load_teacher(half).network.state_dict()
    for name, weight in random_network.state_dict().items():
        if weight.is_floating_point():
            assert weights[name].dtype == torch.float32
            assert torch.equal(weights[name], weight.half().float())


def test_the_same_content_gives_the_same_bytes(
    saved: Path, tmp_path: Path, random_network: SegmentationNetwork, tiny_card: TeacherCard
) -> None:
    again = tmp_path / "again.safetensors"
    shuffled = TeacherCard.from_dict(dict(reversed(tiny_card.to_dict().items())))
    save_teacher(again, load_teacher(saved).network, shuffled)
    assert again.read_bytes() == saved.read_bytes()


def test_loading_leaves_the_random_numbers_alone(saved: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_teacher(saved)
    assert torch.equal(torch.rand(3), expected)


def test_a_card_for_another_network_is_a_mistake(
    tmp_path: Path, random_network: SegmentationNetwork, with_card: Callable[..., TeacherCard]
) -> None:
    other = with_card(network={"kind": "cnn", "features": 16, "stages": 2, "depth": 1})
    with pytest.raises(ValueError, match="describes"):
        save_teacher(tmp_path / "x.safetensors", random_network, other)


def test_weights_that_diverged_are_not_saved(
    tmp_path: Path, random_network: SegmentationNetwork, tiny_card: TeacherCard
) -> None:
    path = tmp_path / "x.safetensors"
    broken = load_broken(random_network, float("nan"))
    with pytest.raises(UserError, match="not all finite"):
        save_teacher(path, broken, tiny_card)
    large = load_broken(random_network, 1e6)  # finite, but not in float16
    with pytest.raises(UserError, match="not all finite"):
        save_teacher(path, large, tiny_card, dtype=torch.float16)
    assert not path.exists()


def load_broken(network: SegmentationNetwork, value: float) -> SegmentationNetwork:
    from copy import deepcopy

    broken = deepcopy(network)
    with torch.no_grad():
        broken.head.bias[0] = value
    return broken


def test_a_card_too_large_to_be_read_is_not_saved(
    tmp_path: Path, random_network: SegmentationNetwork, with_card: Callable[..., TeacherCard]
) -> None:
    talkative = with_card(training={"notes": "x" * 2**20})
    with pytest.raises(UserError, match="too large"):
        save_teacher(tmp_path / "x.safetensors", random_network, talkative)


def test_the_old_file_survives_a_full_disk(
    saved: Path,
    random_network: SegmentationNetwork,
    with_card: Callable[..., TeacherCard],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = saved.read_bytes()

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gsema_core.files.atomic._flush_to_disk", full)
    with pytest.raises(UserError, match="No space left"):
        save_teacher(saved, random_network, with_card(name="other"))
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


class Trap:
    """A pickle of this creates a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_is_never_opened(tmp_path: Path, legacy: bool) -> None:
    path, sprung = tmp_path / "model.pt", tmp_path / "sprung"
    torch.save({"weights": Trap(sprung)}, path, _use_new_zipfile_serialization=not legacy)
    for read in (read_card, load_teacher):
        with pytest.raises(UserError, match="pickle"):
            read(path)
    assert not sprung.exists()
    path.write_bytes(pickle.dumps(Trap(sprung), protocol=0))  # starts like nothing in particular
    with pytest.raises(UserError, match="no safetensors"):
        load_teacher(path)
    assert not sprung.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_file(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    for read in (read_card, load_teacher):
        with pytest.raises(UserError, match=r"^The model file .* cannot be used: .*\.$"):
            read(saved)


def test_appended_bytes_are_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"more")
    with pytest.raises(UserError, match="belong to no tensor"):
        load_teacher(saved)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_card(tmp_path / "none.safetensors")
    with pytest.raises(UserError, match="not a file"):
        load_teacher(tmp_path)


def test_other_keys_and_shapes_are_named(
    saved: Path, random_network: SegmentationNetwork, tiny_card: TeacherCard
) -> None:
    weights = {k: v for k, v in random_network.state_dict().items() if v.is_floating_point()}
    card = tiny_card.to_dict()
    write_raw(saved, {k: v for k, v in weights.items() if k != "head.bias"}, card)
    with pytest.raises(UserError, match=r"lacks weights head\.bias"):
        load_teacher(saved)
    write_raw(saved, {**weights, "tail": torch.zeros(2)}, card)
    with pytest.raises(UserError, match="extra weights tail"):
        load_teacher(saved)
    write_raw(saved, {**weights, "head.bias": torch.zeros(25)}, card)
    with pytest.raises(UserError, match=r"head\.bias have the shape \(25,\) instead of \(24,\)"):
        load_teacher(saved)
    write_raw(saved, {**weights, "head.bias": torch.full((24,), float("inf"))}, card)
    with pytest.raises(UserError, match="not finite"):
        load_teacher(saved)
    write_raw(saved, {**weights, "head.bias": torch.zeros(24, dtype=torch.int32)}, card)
    with pytest.raises(UserError, match=r"head\.bias are of the type torch\.int32"):
        load_teacher(saved)


def test_the_network_of_a_card_is_not_allocated_before_its_weights_are_there(
    saved: Path, tiny_card: TeacherCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = {"kind": "swin_unet", "features": 64, "stages": 5, "depth": 4, "heads": 8}
    card = {**tiny_card.to_dict(), "network": {**largest, "window": 12}}
    write_raw(saved, {"head.bias": torch.zeros(24)}, card)
    built = []
    from gsema_core import networks

    real = networks.build_network

    def watched(config: Any) -> Any:
        network = real(config)
        built.append({parameter.device.type for parameter in network.parameters()})
        return network

    monkeypatch.setattr(networks, "build_network", watched)
    with pytest.raises(UserError, match="lacks weights"):
        load_teacher(saved)
    assert built == [{"meta"}]


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("{", "card is not plain JSON"),
        ("[1]", "not a table"),
        ('{"name": "a", "name": "b"}', "twice"),
        ('{"format_version": 99}', "newer version"),
        ("[" * 50_000, "not plain JSON"),
    ],
)
def test_a_broken_card(saved: Path, card: str, told: str) -> None:
    write_raw(saved, {"a": torch.zeros(1)}, card)
    for read in (read_card, load_teacher):
        with pytest.raises(UserError, match=told):
            read(saved)


def test_weights_without_a_card(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(UserError, match="no card of this program"):
        read_card(path)


def test_a_card_is_read_without_torch(saved: Path, tmp_path: Path) -> None:
    copy = tmp_path / "ein Lehrer é.safetensors"
    shutil.copy(saved, copy)
    program = (
        "import sys; from gsema_core.teachers import read_card; "
        "assert read_card(sys.argv[1]).name == 'tiny'; "
        "print(sorted({'torch', 'monai', 'SimpleITK', 'scipy'} & set(sys.modules)))"
    )
    run = [sys.executable, "-c", program, str(copy)]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"
