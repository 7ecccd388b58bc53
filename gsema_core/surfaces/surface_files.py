"""Lumen surfaces as STL, PLY and VTP files, in mm and LPS, which each file says of itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path, check_writable
from gsema_core.labels import ANEURYSM, COLORS, NAMES, VESSEL
from gsema_core.surfaces.lumen import LumenSurface
from gsema_core.surfaces.triangle_mesh import TriangleMesh
from gsema_core.surfaces.vtk_library import poly_data, vtk_module

SPACE = "SPACE=LPS"
"""As Slicer writes it into headers and comments, and finds it there."""

UNIT = "UNIT=mm"


def check_surface_path(path: str | os.PathLike[str]) -> Path:
    """Check, before long work, that a surface can be written there.

    Raises:
        UserError: another suffix than .stl, .ply or .vtp, or a folder that cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise UserError(
            f"The output {path} has the wrong format: end its name with {', '.join(WRITERS)}."
        )
    check_writable(path)
    return path


def write_surface(surface: LumenSurface, path: str | os.PathLike[str]) -> None:
    """Write a surface in the format that the path's suffix names.

    STL holds no labels. PLY has them as ``label`` and as colors of the faces, VTP as the cell
    array ``Label``: 1 vessel, 2 aneurysm. VTP has the openings too, as field data.

    Raises:
        UserError: as for ``check_surface_path``, or VTK is missing, which VTP needs.
    """
    path = check_surface_path(path)
    content = WRITERS[path.suffix.lower()](surface)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def label_paths(path: str | os.PathLike[str]) -> dict[int, Path]:
    """The files of vessel and aneurysm, by label, for a format that holds no labels.

    Example:
        >>> label_paths("lumen.stl")[2].name
        'lumen-aneurysm.stl'
    """
    path = Path(path)
    return {
        label: path.with_name(f"{path.stem}-{NAMES[label].lower()}{path.suffix}")
        for label in (VESSEL, ANEURYSM)
    }


def write_labels_apart(surface: LumenSurface, path: str | os.PathLike[str]) -> list[Path]:
    """Write vessel and aneurysm into two files; at the neck, both have the same points.

    Returns:
        The files; a label that does not occur has none.

    Raises:
        UserError: as for ``write_surface``.
    """
    mesh, written = surface.mesh, []
    for label, part_path in label_paths(path).items():
        chosen = mesh.labels == label
        if chosen.any():
            part = TriangleMesh(mesh.points, mesh.triangles[chosen], mesh.labels[chosen])
            ends = surface.ends if label == VESSEL else ()
            write_surface(surface.of(part.without_loose_points(), ends), part_path)
            written.append(part_path)
    return written


def _stl(surface: LumenSurface) -> bytes:
    mesh = surface.mesh
    kind = [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")]
    records = np.zeros(len(mesh.triangles), kind)
    records["normal"] = mesh.area_vectors / mesh.areas[:, None]
    records["corners"] = mesh.points[mesh.triangles]
    header = f"Lumen surface. {SPACE} {UNIT}".encode("ascii").ljust(80)
    count = np.array(len(records), "<u4")
    return bytes(header + count.tobytes() + records.tobytes())


def _ply(surface: LumenSurface) -> bytes:
    mesh = surface.mesh
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment {SPACE}",
        f"comment {UNIT}",
        "comment label 1: vessel, 2: aneurysm",
        f"element vertex {len(mesh.points)}",
        *(f"property float {axis}" for axis in "xyz"),
        f"element face {len(mesh.triangles)}",
        "property list uchar int vertex_indices",
        *(f"property uchar {color}" for color in ("red", "green", "blue")),
        "property uchar label",
        "end_header\n",
    ]
    faces = np.zeros(
        len(mesh.triangles),
        [("corners", "u1"), ("points", "<i4", 3), ("color", "u1", 3), ("label", "u1")],
    )
    faces["corners"], faces["points"], faces["label"] = 3, mesh.triangles, mesh.labels
    for label, color in COLORS.items():
        faces["color"][mesh.labels == label] = np.round(np.multiply(color, 255))
    points = mesh.points.astype("<f4")
    return bytes("\n".join(header).encode("ascii") + points.tobytes() + faces.tobytes())


def _vtp(surface: LumenSurface) -> bytes:
    core = vtk_module("vtkCommonCore")
    to_vtk = vtk_module("util.numpy_support").numpy_to_vtk
    data = poly_data(surface.mesh.points, surface.mesh.triangles)
    labels = to_vtk(surface.mesh.labels, deep=True)
    labels.SetName("Label")
    data.GetCellData().SetScalars(labels)
    for text in (SPACE, UNIT):
        words = core.vtkStringArray()
        words.SetName(text.split("=")[0])
        words.InsertNextValue(text.split("=")[1])
        data.GetFieldData().AddArray(words)
    ends = {
        "EndCenters": [end.center for end in surface.ends],
        "EndNormals": [end.normal for end in surface.ends],
        "EndRadiiMm": [[end.radius_mm] for end in surface.ends],
    }
    for name, values in ends.items():
        if values:
            numbers = to_vtk(np.array(values, np.float64), deep=True)
            numbers.SetName(name)
            data.GetFieldData().AddArray(numbers)
    writer = vtk_module("vtkIOXML").vtkXMLPolyDataWriter()
    writer.SetInputData(data)
    writer.SetDataModeToBinary()
    writer.WriteToOutputStringOn()
    writer.Write()
    return str(writer.GetOutputString()).encode("utf-8")


WRITERS: dict[str, Callable[[LumenSurface], bytes]] = {".stl": _stl, ".ply": _ply, ".vtp": _vtp}
