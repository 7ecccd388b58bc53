"""VTK, which Slicer brings and others install, and numpy arrays in and out of it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def vtk_module(name: str) -> Any:
    """One of VTK's modules, such as ``vtkFiltersCore``.

    Raises:
        UserError: VTK is not installed.
    """
    try:
        return importlib.import_module(f"vtkmodules.{name}")
    except ImportError as error:
        raise UserError(
            f"Surfaces need the package vtk (9.2 or newer), which cannot be used here ({error}): "
            "install it (pip install vtk), or export the surface in Slicer, which has it."
        ) from error


def poly_data(points: Floats, polygons: Integers) -> Any:
    """A vtkPolyData of (N, 3) points and (P, corners) polygons."""
    model, support = vtk_module("vtkCommonDataModel"), vtk_module("util.numpy_support")
    places = vtk_module("vtkCommonCore").vtkPoints()
    places.SetDataTypeToDouble()
    places.SetData(support.numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    cells = model.vtkCellArray()
    corners = np.ascontiguousarray(polygons).ravel()
    cells.SetData(polygons.shape[1], support.numpy_to_vtkIdTypeArray(corners, deep=True))
    surface = model.vtkPolyData()
    surface.SetPoints(places)
    surface.SetPolys(cells)
    return surface


def points_of(surface: Any) -> Floats:
    """The (N, 3) points of a vtkPolyData, copied."""
    to_numpy = vtk_module("util.numpy_support").vtk_to_numpy
    return np.array(to_numpy(surface.GetPoints().GetData()), dtype=np.float64)
