from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOGeometry import vtkSTLReader
from vtkmodules.vtkIOPLY import vtkPLYReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

from gsema_core.errors import UserError
from gsema_core.surfaces import (
    LumenSurface,
    TriangleMesh,
    lumen_surface,
    vtk_library,
    write_labels_apart,
    write_surface,
)

READERS = {".stl": vtkSTLReader, ".ply": vtkPLYReader, ".vtp": vtkXMLPolyDataReader}
X = np.array([1.0, 0.0, 0.0])


@pytest.fixture
def surface(shapes: Any) -> LumenSurface:
    sac = shapes.ball(np.array([0.0, 6.0, 0.0]), 4.0)
    return lumen_surface(shapes.draw(16, shapes.tube(X, 2.5, 13), sac))


def read(path: Path) -> Any:
    reader = READERS[path.suffix]()
    reader.SetFileName(str(path))
    reader.Update()
    return reader


def mesh_of(data: Any, labels: np.ndarray) -> TriangleMesh:
    polygons = vtk_to_numpy(data.GetPolys().GetData()).reshape(-1, 4)[:, 1:]
    points = vtk_to_numpy(data.GetPoints().GetData()).astype(float)
    return TriangleMesh(points, polygons.astype(np.int64), labels)


@pytest.mark.parametrize("suffix", READERS)
def test_every_format_brings_the_same_surface_back(
    surface: LumenSurface, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"lumen{suffix}"
    write_surface(surface, path)
    found = mesh_of(read(path).GetOutput(), surface.mesh.labels)
    assert found.fault() == ""
    assert len(found.loops()) == len(surface.ends) == 2
    assert len(found.points) == len(surface.mesh.points)
    assert found.volume_mm3 == pytest.approx(surface.mesh.volume_mm3, rel=1e-5)
    assert found.points.min(axis=0) == pytest.approx(surface.mesh.points.min(axis=0), abs=1e-4)


def test_labels_and_space_are_in_the_files(surface: LumenSurface, tmp_path: Path) -> None:
    for suffix in READERS:
        write_surface(surface, tmp_path / f"lumen{suffix}")
    data = read(tmp_path / "lumen.vtp").GetOutput()
    assert (vtk_to_numpy(data.GetCellData().GetArray("Label")) == surface.mesh.labels).all()
    fields = data.GetFieldData()
    assert fields.GetAbstractArray("SPACE").GetValue(0) == "LPS"
    centers = vtk_to_numpy(fields.GetArray("EndCenters"))
    assert centers == pytest.approx(np.array([end.center for end in surface.ends]))
    colors = vtk_to_numpy(read(tmp_path / "lumen.ply").GetOutput().GetCellData().GetArray("RGB"))
    assert len(np.unique(colors[surface.mesh.labels == 1], axis=0)) == 1
    assert (colors[surface.mesh.labels == 1][0] != colors[surface.mesh.labels == 2][0]).any()
    header = (tmp_path / "lumen.ply").read_bytes()[:400]
    assert b"comment SPACE=LPS" in header and b"property uchar label" in header
    assert b"SPACE=LPS UNIT=mm" in (tmp_path / "lumen.stl").read_bytes()[:80]


def test_labels_apart_meet_at_the_neck(surface: LumenSurface, tmp_path: Path) -> None:
    vessel, sac = write_labels_apart(surface, tmp_path / "lumen.stl")
    assert (vessel.name, sac.name) == ("lumen-vessel.stl", "lumen-aneurysm.stl")
    one, other = (mesh_of(read(path).GetOutput(), np.empty(0)) for path in (vessel, sac))
    assert len(one.triangles) + len(other.triangles) == len(surface.mesh.triangles)
    rims = [{tuple(mesh.points[n]) for loop in mesh.loops() for n in loop[:, 0]}
            for mesh in (one, other)]  # fmt: skip
    assert rims[1] and rims[1] <= rims[0]


def test_a_failed_write_leaves_the_old_file(
    surface: LumenSurface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lumen.stl"
    path.write_text("old")

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(UserError, match="free some space"):
            write_surface(surface, path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_other_formats_are_refused(surface: LumenSurface, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"end its name with \.stl, \.ply, \.vtp"):
        write_surface(surface, tmp_path / "lumen.obj")


def test_missing_vtk_is_explained(
    surface: LumenSurface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'vtkmodules'")

    monkeypatch.setattr(vtk_library.importlib, "import_module", missing)
    with pytest.raises(UserError, match="pip install vtk"):
        write_surface(surface, tmp_path / "lumen.vtp")
