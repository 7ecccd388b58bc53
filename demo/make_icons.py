"""Draw the modules' icons: ``python demo/make_icons.py``. The PNG files are kept in the repository.

Each icon is there twice, for light and for dark windows: Slicer takes one file for both, so a
module chooses by the colors of the application (``panels.ModuleIcon``). Everything
is a distance to a curve or a disk, shaded like a lit tube; no image library is needed but VTK,
which comes with the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import vtk
from vtk.util import numpy_support

Image = npt.NDArray[np.float64]

SIZE = 128
SAMPLES = 3  # along each axis, for smooth edges

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Colors:
    """Of the vessel, the aneurysm, and what is drawn around them."""

    vessel: Color
    sac: Color
    mark: Color


# In the dark, a dark red and a dark blue would be lost.
THEMES = {
    "": Colors((0.71, 0.08, 0.09), (1.0, 0.24, 0.22), (0.16, 0.45, 0.8)),
    "-dark": Colors((0.93, 0.27, 0.25), (1.0, 0.52, 0.45), (0.5, 0.78, 1.0)),
}
LIGHT = np.array([-0.45, 0.6, 0.66])
ROOT = Path(__file__).resolve().parents[1]


class Canvas:
    """An RGBA picture with coordinates from -1 to 1, y upward."""

    def __init__(self, colors: Colors) -> None:
        self.colors = colors
        axis = (np.arange(SIZE * SAMPLES) + 0.5) / (SIZE * SAMPLES) * 2 - 1
        self.y, self.x = np.meshgrid(axis, axis, indexing="ij")
        self.color = np.zeros((*self.x.shape, 3))
        self.alpha = np.zeros(self.x.shape)

    def paint(self, mask: npt.NDArray[np.bool_], color: npt.ArrayLike) -> None:
        self.color[mask] = np.broadcast_to(color, self.color.shape)[mask]
        self.alpha[mask] = 1.0

    def tube(self, points: Image, radius: float, color: Color) -> None:
        """A lit tube along a polyline; a single point makes a ball."""
        distance = np.full(self.x.shape, np.inf)
        nearest = np.zeros((*self.x.shape, 2))
        for point in points:
            offset = np.stack([self.x - point[0], self.y - point[1]], axis=-1)
            closer = (away := np.hypot(offset[..., 0], offset[..., 1])) < distance
            distance[closer], nearest[closer] = away[closer], offset[closer]
        inside = distance < radius
        height = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
        normal = np.concatenate([nearest / radius, height[..., None]], axis=-1)
        lit = np.clip(normal @ LIGHT, 0, 1)[..., None]
        self.paint(inside, np.clip(np.array(color) * (0.45 + 0.65 * lit) + 0.35 * lit**12, 0, 1))

    def ring(self, center: tuple[float, float], radius: float, width: float, part: float) -> None:
        """A dashed contour; ``part`` is the painted share of each dash."""
        x, y = self.x - center[0], self.y - center[1]
        on_ring = abs(np.hypot(x, y) - radius) < width / 2
        self.paint(on_ring & ((np.arctan2(y, x) * 16 / (2 * np.pi)) % 1 < part), self.colors.mark)

    def arrow_around(self, radius: float, width: float, start: float, end: float) -> None:
        """A circular arrow around the middle, angles in degrees counterclockwise."""
        angle = np.degrees(np.arctan2(self.y, self.x)) % 360
        self.paint(
            (abs(np.hypot(self.x, self.y) - radius) < width / 2) & (angle > start) & (angle < end),
            self.colors.mark,
        )
        turn = np.radians(end)
        along, across = (
            np.array([-np.sin(turn), np.cos(turn)]),
            np.array([np.cos(turn), np.sin(turn)]),
        )
        tip = radius * across
        forward = (self.x - tip[0]) * along[0] + (self.y - tip[1]) * along[1]
        sideward = (self.x - tip[0]) * across[0] + (self.y - tip[1]) * across[1]
        self.paint(
            (forward > -0.02) & (abs(sideward) < 1.3 * width - 0.75 * forward), self.colors.mark
        )

    def save(self, path: Path) -> None:
        """Average the samples of each pixel and write a PNG file."""
        blocks = (SIZE, SAMPLES, SIZE, SAMPLES)
        alpha = self.alpha.reshape(blocks).mean(axis=(1, 3))
        weighted = (self.color * self.alpha[..., None]).reshape(*blocks, 3).mean(axis=(1, 3))
        color = weighted / np.maximum(alpha, 1e-6)[..., None]
        pixels = np.rint(255 * np.concatenate([color, alpha[..., None]], axis=-1)).astype(np.uint8)
        image = vtk.vtkImageData()
        image.SetDimensions(SIZE, SIZE, 1)
        image.GetPointData().SetScalars(
            numpy_support.numpy_to_vtk(pixels.reshape(-1, 4), deep=True)
        )
        writer = vtk.vtkPNGWriter()
        writer.SetFileName(str(path))
        writer.SetInputData(image)
        writer.Write()


def bezier(*knots: tuple[float, float]) -> Image:
    """Points along a cubic curve."""
    t = np.linspace(0, 1, 60)[:, None]
    a, b, c, d = (np.array(knot) for knot in knots)
    return (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d


def vessel_with_sac(canvas: Canvas, scale: float) -> None:
    trunk = scale * bezier((-0.75, -1.0), (-0.7, -0.1), (-0.1, -0.35), (-0.05, 0.0))
    left = scale * bezier((-0.05, 0.0), (-0.2, 0.3), (-0.65, 0.3), (-0.8, 0.85))
    right = scale * bezier((-0.05, 0.0), (0.2, -0.2), (0.6, -0.35), (0.95, -0.75))
    canvas.tube(np.concatenate([left, right, trunk]), 0.15 * scale, canvas.colors.vessel)
    canvas.tube(scale * np.array([(0.33, 0.36)]), 0.42 * scale, canvas.colors.sac)


def main() -> None:
    for suffix, colors in THEMES.items():
        segmentation = Canvas(colors)
        vessel_with_sac(segmentation, 0.9)
        segmentation.ring((0.297, 0.324), 0.47, 0.08, 0.62)
        segmentation.save(icon("GSEMASegmentation", suffix))
        training = Canvas(colors)
        vessel_with_sac(training, 0.6)
        training.arrow_around(0.82, 0.13, 25, 165)
        training.arrow_around(0.82, 0.13, 205, 345)
        training.save(icon("GSEMATraining", suffix))


def icon(module: str, suffix: str) -> Path:
    return ROOT / module / "Resources" / "Icons" / f"{module}{suffix}.png"


if __name__ == "__main__":
    main()
