"""Teacher files: one ``.safetensors`` with the weights and the card.

Nothing is ever unpickled: a file that a user picked must not be able to run code. Only
floating-point weights are stored. A network's integer tables follow from its configuration, and
an index table from a file could point outside the memory.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gsema_core import plugins
from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path, is_there
from gsema_core.teachers.card import TeacherCard
from gsema_core.teachers.header import MAXIMUM_HEADER_BYTES, parse_json, read_metadata

if TYPE_CHECKING:
    import torch

    from gsema_core.networks import SegmentationNetwork

SUFFIX = ".safetensors"
METADATA_KEY = "gsema"
MAXIMUM_FILE_BYTES = 2**30
"""Larger than any network that ``NetworkConfig`` allows is useful for. Our choice."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """A loaded teacher.

    Attributes:
        card: what it says about itself.
        network: in evaluation mode, float32 weights.
        sha256: hash of the whole file, which tells teachers apart in reports.
        path: the file it came from.
    """

    card: TeacherCard
    network: SegmentationNetwork
    sha256: str
    path: Path


def save_teacher(
    path: str | os.PathLike[str],
    network: SegmentationNetwork,
    card: TeacherCard,
    dtype: torch.dtype | None = None,
) -> None:
    """Write a teacher file; the same content always gives the same bytes.

    Args:
        path: the file; an older one stays as it is if this fails.
        network: its floating-point parameters and buffers are stored.
        card: ``card.network`` must describe ``network``.
        dtype: type of the stored weights (float16 halves the file); None keeps their own.

    Raises:
        UserError: the file cannot be written, the weights are not finite (or are not in
            ``dtype``), or the card is too large.
        ValueError: the card describes another network.
    """
    if card.network_config() != network.config:
        raise ValueError(f"The card describes {card.network}, not {network.config}.")
    if Path(path).suffix != SUFFIX:
        raise UserError(f"The model file {path} must end in {SUFFIX}.")
    weights = {
        # A copy of its own: safetensors refuses tensors that share memory.
        name: tensor.detach().to("cpu", dtype or tensor.dtype, copy=True).contiguous()
        for name, tensor in _floating(network.state_dict()).items()
    }
    if not _all_finite(weights):
        raise UserError(f"The weights for {path} are not all finite: the training diverged.")
    write_weights(path, weights, card)


def write_weights(
    path: str | os.PathLike[str], weights: dict[str, torch.Tensor], card: TeacherCard
) -> None:
    """Write weights, each with memory of its own, and their card as one file.

    Raises:
        UserError: the card is too large, or the file cannot be written.
    """
    from safetensors.torch import save

    content = save(weights, metadata={METADATA_KEY: card.to_json()})
    if int.from_bytes(content[:8], "little") > MAXIMUM_HEADER_BYTES:
        raise UserError(
            f"The card for {path} is too large: shorten what it says on the training, or score "
            "fewer cases."
        )
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_card(path: str | os.PathLike[str]) -> TeacherCard:
    """Read the card of a teacher file. The weights are not read, and torch is not needed.

    Raises:
        UserError: the file is missing, no teacher file, truncated, or its card makes no sense.
    """
    path = Path(path)
    with _open(path) as stream:
        return _checked_card(path, stream, os.fstat(stream.fileno()).st_size)


def read_checked(path: str | os.PathLike[str]) -> tuple[bytes, TeacherCard]:
    """Read a whole teacher file and its card at once, so that nobody can change it in between.

    Raises:
        UserError: as for ``read_card``.
    """
    path = Path(path)
    with _open(path) as stream:
        content = stream.read(MAXIMUM_FILE_BYTES + 1)
    return content, _checked_card(path, io.BytesIO(content), len(content))


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a teacher file, as it stands in reports.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    with _open(Path(path)) as stream:
        return hashlib.sha256(stream.read(MAXIMUM_FILE_BYTES + 1)).hexdigest()


def load_teacher(
    path: str | os.PathLike[str], device: str | torch.device = "cpu", *, network: str = ""
) -> Teacher:
    """Load a teacher onto ``device``.

    A teacher file alone never has code imported. If its network is one of your own, name it as
    ``network``.

    Args:
        path: its file.
        device: where its network is put.
        network: ``package.module:Name`` of a network of your own, if the teacher has one.

    Raises:
        UserError: as for ``read_card``; or the weights do not fit the network on the card; or the
            card names a network of somebody's own that is not ``network``.

    Example:
        >>> from gsema_core.teachers import BUNDLED_TEACHER
        >>> load_teacher(BUNDLED_TEACHER).card.name
        'default'
    """
    path = Path(path)
    content, card = read_checked(path)  # one read: the hash is of what is used
    _check_trusted(path, card.network_config().kind, network)
    weights = _decode(path, content)
    built = _build(path, card, weights)
    if not _all_finite(weights):
        raise _unusable(path, "it has weights that are not finite numbers")
    built.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    built.to(device).eval().requires_grad_(False)
    return Teacher(card, built, hashlib.sha256(content).hexdigest(), path)


def _open(path: Path) -> BinaryIO:
    if not is_there(path):
        raise UserError(f"The model file {path} does not exist: check the path.")
    if not path.is_file():
        raise UserError(f"The model {path} is not a file: choose a {SUFFIX} file.")
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(f"The model file {path} cannot be read ({error.strerror}).") from error


def _checked_card(path: Path, stream: BinaryIO, size: int) -> TeacherCard:
    try:
        if size > MAXIMUM_FILE_BYTES:
            raise ValueError(f"it is larger than {MAXIMUM_FILE_BYTES >> 20} MB")
        text = read_metadata(stream, size).get(METADATA_KEY)
        if not isinstance(text, str):
            raise ValueError("it holds weights but no card of this program")
        return TeacherCard.from_dict(parse_json(text, "card"))
    except UserError as error:
        raise _unusable(path, _as_clause(str(error))) from error
    except ValueError as error:
        raise _unusable(path, str(error)) from error


def _check_trusted(path: Path, kind: str, network: str) -> None:
    """Refuse a file that would have a module imported which nobody but the file has named."""
    if plugins.is_outside(kind) and kind != network:
        raise _unusable(
            path,
            f"its network is {kind}, which is code from outside this program; only where you know "
            f"and trust that code, name it yourself: --network {kind}",
        )


def _build(
    path: Path, card: TeacherCard, weights: Mapping[str, torch.Tensor]
) -> SegmentationNetwork:
    """Build the network of the card, once it is known that these are its weights."""
    import torch

    from gsema_core.networks import build_network

    with torch.device("meta"):  # shapes only: nothing is allocated for a file that does not fit
        skeleton = build_network(card.network_config())
    shapes = {name: tuple(t.shape) for name, t in _floating(skeleton.state_dict()).items()}
    for problem, names in (
        ("lacks", set(shapes) - set(weights)),
        ("has the extra", set(weights) - set(shapes)),
    ):
        if names:
            raise _unusable(
                path, f"it {problem} weights {sorted(names)[0]}; its card describes another network"
            )
    for name, shape in shapes.items():
        found = weights[name]
        if found.shape != shape:
            raise _unusable(
                path, f"its weights {name} have the shape {tuple(found.shape)} instead of {shape}"
            )
        if found.dtype not in (torch.float32, torch.float16, torch.bfloat16):
            raise _unusable(path, f"its weights {name} are of the type {found.dtype}")
    with torch.random.fork_rng(devices=[]):  # loading must not change anybody's random numbers
        return build_network(card.network_config())


def _decode(path: Path, content: bytes) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    # A type that torch has not is a KeyError, a shape beyond its integers a RuntimeError.
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise _unusable(path, f"its weights cannot be read ({error})") from error


def _floating(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}


def _all_finite(tensors: Mapping[str, torch.Tensor]) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors.values())


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"The model file {path} cannot be used: {reason}.")


def _as_clause(sentence: str) -> str:
    """A sentence of its own, to stand behind a colon."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")
