"""Imaging a label map with a center's scanner."""

from __future__ import annotations

import importlib.util
from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.simulation import image_model
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.scanner.storing import enhance_edges, label_what_shows, store
from gsema_core.simulation.scene import Scene, build_scene, gantry_geometry, labels_on

Model = Literal["auto", "cone_beam", "light"]

VERSION = 1
"""Raised by whoever changes what comes out, so that cached volumes are made anew."""


def acquire(
    labels: Volume, protocol: Protocol, seed: int, model: Model = "auto"
) -> tuple[Volume, Volume]:
    """Image a label map: contrast-filled vessels in a head, seen by one scanner.

    Args:
        labels: 0 background, 1 vessel, 2 aneurysm, on any grid.
        protocol: the scanner.
        seed: the same seed gives the same voxels.
        model: "cone_beam" needs itk-rtk; "light" does not; "auto" takes what is there.

    Returns:
        The image and the labels, both on the grid that the protocol stores, in the world of
        ``labels``.

    Raises:
        UserError: the cone-beam model is asked for and itk-rtk is not installed.
    """
    model = resolve_model(model)
    rng = np.random.default_rng(seed)
    rotation = draw_tilt(protocol, rng)
    scene_grid = gantry_geometry(labels.geometry, min(labels.geometry.spacing), rotation)
    stored_grid = gantry_geometry(labels.geometry, protocol.spacing_mm, rotation)
    scene = build_scene(labels, scene_grid, protocol, rng)
    image = image_scene(scene, stored_grid, protocol, rng, model)
    shown = label_what_shows(labels_on(labels, stored_grid), protocol, image)
    return orient(image, protocol.orientation), orient(shown, protocol.orientation)


def draw_tilt(protocol: Protocol, rng: np.random.Generator) -> Rotation:
    """How the gantry lies in the patient."""
    tilt = rng.uniform(-protocol.tilt_deg, protocol.tilt_deg, size=3)
    return Rotation.from_euler("xyz", tilt, degrees=True)


def image_scene(
    scene: Scene, grid: Geometry, protocol: Protocol, rng: np.random.Generator, model: Model
) -> Volume:
    """Acquire a scene and reconstruct it as the protocol stores it, on the gantry's axes.

    Some protocols store less than is there: `label_what_shows` takes the labels of that away.

    Args:
        scene: what lies in the beam; it may reach beyond the grid.
        grid: of the stored volume: the scene's axes and middle.
        protocol: the scanner.
        rng: draws noise, motion and the detector's faults.
        model: "cone_beam" or "light" (`resolve_model`).
    """
    if model == "cone_beam":
        from gsema_core.simulation import cone_beam  # needs itk-rtk

        hounsfield = cone_beam.reconstruct(scene, grid, protocol, rng)
    else:
        hounsfield = image_model.reconstruct(scene, grid, protocol, rng)
    return Volume(store(enhance_edges(hounsfield, grid, protocol), grid, protocol), grid)


def resolve_model(model: Model) -> Model:
    """Return "cone_beam" or "light".

    Raises:
        UserError: "cone_beam" is asked for and itk-rtk is not installed.
    """
    if model == "auto":
        return "cone_beam" if has_rtk() else "light"
    if model == "cone_beam" and not has_rtk():
        raise UserError(
            "The cone-beam model needs itk-rtk, which is not installed: install the package's "
            "extra 'simulation' or choose the light model."
        )
    return model


def has_rtk() -> bool:
    """Whether itk-rtk is installed."""
    try:
        # All of ITK's wheels share one package; RTK's adds its own module to it.
        return importlib.util.find_spec("itk.RTKPython") is not None
    except ModuleNotFoundError:
        return False


def orient(volume: Volume, orientation: str) -> Volume:
    """Return the same voxels with their axes permuted and flipped to ITK's axis codes."""
    return Volume.from_image(sitk.DICOMOrient(volume.to_image(), orientation))
