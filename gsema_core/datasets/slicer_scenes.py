"""What belongs together in a scene that 3D Slicer saved: volumes with their segmentations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from gsema_core.datasets.folder_walk import Tell
from gsema_core.errors import UserError
from gsema_core.files.atomic import is_there
from gsema_core.files.dicom.mark import is_dicom

SCENE_SUFFIX = ".mrml"

LARGEST = 100_000_000
"""Bytes of a scene file; Slicer's have a few kilobytes for each node. Our choice."""

_REFERENCE_ROLES = ("referenceImageGeometryRef", "referenceImageGeometryReference")


def read_scene(path: Path, tell: Tell) -> list[tuple[Path, Path]]:
    """Find the volumes of a scene that have a segmentation.

    The segmentation's reference volume says which; where it has none, the scene's only volume.
    Slicer keeps a scene with its files as ``NAME.mrml`` with them beside it or in ``Data``, as an
    unpacked ``.mrb`` has them.

    Args:
        path: the scene.
        tell: takes sentences on volumes that are left out.

    Returns:
        Image and label map of each; nothing where the scene has no segmentation.

    Raises:
        UserError: it cannot be read, or does not say what belongs together.
    """
    nodes = _nodes(path)
    volumes = {key: node for key, node in nodes.items() if node.tag == "Volume"}
    segmentations = [node for node in nodes.values() if node.tag == "Segmentation"]
    pairs: dict[str, ElementTree.Element] = {}
    for segmentation in segmentations:
        volume = _reference(path, segmentation, volumes)
        if volume in pairs:
            raise UserError(
                f"In the scene {path}, {_name(pairs[volume])} and {_name(segmentation)} are both "
                f"segmentations of {_name(volumes[volume])}: keep one of them."
            )
        _check_transforms(path, volumes[volume], segmentation)
        pairs[volume] = segmentation
    left = [_name(node) for key, node in volumes.items() if key not in pairs]
    if pairs and left:
        tell(f"Of the scene {path}, {', '.join(left)} has no segmentation and is left out.")
    return [
        (_file(path, volumes[key], nodes), _file(path, segmentation, nodes))
        for key, segmentation in pairs.items()
    ]


def _nodes(path: Path) -> dict[str, ElementTree.Element]:
    """The nodes of a scene by their identifiers."""
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            content = b""  # no scene has them; they can make a small file endless
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise UserError(f"The scene {path} cannot be read ({error}): save it anew.") from error
    return {node.get("id", ""): node for node in root}


def _references(node: ElementTree.Element) -> dict[str, str]:
    """The first node of each role that a node refers to."""
    pairs = (part.partition(":") for part in node.get("references", "").split(";"))
    return {role.strip(): ids.split()[0] for role, _, ids in pairs if ids.strip()}


def _reference(
    path: Path, segmentation: ElementTree.Element, volumes: Mapping[str, ElementTree.Element]
) -> str:
    """The identifier of a segmentation's volume."""
    references = _references(segmentation)
    for role in _REFERENCE_ROLES:
        key = references.get(role) or segmentation.get(role)
        if key in volumes:
            return str(key)
    if len(volumes) == 1:
        return next(iter(volumes))
    raise UserError(
        f"The scene {path} does not say which of its {len(volumes)} volumes "
        f"{_name(segmentation)} belongs to: choose its source volume in Slicer's Segment Editor, "
        "and save the scene."
    )


def _check_transforms(path: Path, *nodes: ElementTree.Element) -> None:
    """Two nodes that different transforms move do not lie as their files do."""
    moved = {_references(node).get("transform") or node.get("transformNodeRef") for node in nodes}
    if len(moved) > 1:
        raise UserError(
            f"In the scene {path}, a transform moves only one of {_name(nodes[0])} and "
            f"{_name(nodes[1])}: harden it in Slicer's Transforms module, and save the scene."
        )


def _file(path: Path, node: ElementTree.Element, nodes: Mapping[str, ElementTree.Element]) -> Path:
    """The file of a node; a folder where it is one of many of a DICOM series."""
    storage = nodes.get(
        _references(node).get("storage") or node.get("storageNodeRef", "").split(" ")[0]
    )
    name = unquote(storage.get("fileName", "")) if storage is not None else ""
    if storage is None or not name:
        raise UserError(f"The scene {path} names no file of {_name(node)}: save it with the scene.")
    file = path.parent / name.replace("\\", "/")
    if not is_there(file):
        raise UserError(
            f"The file {file} of {_name(node)} in the scene {path} does not exist: save the scene "
            "with all its files in one folder."
        )
    return file.parent if is_dicom(file) and storage.get("fileListMember0") else file


def _name(node: ElementTree.Element) -> str:
    return repr(node.get("name", node.get("id", "")))
