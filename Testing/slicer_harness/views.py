"""Slice and 3D views without a window: Slicer's displayable managers render them into PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk

from slicer_harness.application.core import silenced_vtk

_SLICE_MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)
_THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
)
# Slicer's default colors of the 3D view's background, bottom and top.
_BACKGROUND = ((0.757, 0.765, 0.910), (0.455, 0.471, 0.745))


class _View:
    """An offscreen render window with a group of displayable managers."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.renderer = vtk.vtkRenderer()
        with silenced_vtk():  # VTK tries X first and complains before it takes EGL or OSMesa
            self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.ShowWindowOff()
        self.window.SetMultiSamples(0)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self.managers.SetRenderer(self.renderer)
        self._logic = slicer.app.applicationLogic()

    def _start_managers(self, factory: Any, names: tuple[str, ...]) -> None:
        factory.SetMRMLApplicationLogic(self._logic)
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.managers.Initialize(factory, self.renderer)

    def add_caption(self, text: str, height: int = 15) -> None:
        """Write a line at the lower left corner."""
        actor = vtk.vtkTextActor()
        actor.SetInput(text)
        actor.GetTextProperty().SetFontSize(height)
        actor.GetTextProperty().SetColor(1.0, 1.0, 1.0)
        actor.GetTextProperty().SetShadow(True)
        actor.SetDisplayPosition(8, 8)
        self.renderer.AddViewProp(actor)

    def image(self) -> Any:
        """Render; returns the picture as an RGB vtkImageData."""
        self.window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.window)
        grabber.ReadFrontBufferOff()
        grabber.SetInputBufferTypeToRGB()
        grabber.Update()
        return grabber.GetOutput()

    def save(self, path: Path) -> None:
        """Render into a PNG file."""
        write_png(self.image(), path)


class SliceView(_View):
    """One slice view, named as in Slicer's layouts ("Red", "Green", "Yellow").

    A name stands for one slice of the scene, as in Slicer: two views of a name show the same.
    """

    def __init__(
        self, name: str = "Red", orientation: str = "Axial", size: tuple[int, int] = (500, 500)
    ) -> None:
        super().__init__(size)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        overlay = vtk.vtkRenderer()
        overlay.GetActiveCamera().ParallelProjectionOn()
        overlay.SetLayer(1)
        self.window.SetNumberOfLayers(2)
        self.window.AddRenderer(overlay)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self._start_managers(factory, _SLICE_MANAGERS)
        self.logic = self._logic.GetSliceLogicByLayoutName(name) or self._new_logic(name)
        self.node = self.logic.GetSliceNode()
        self.node.SetOrientation(orientation)
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetSliceLogic(self.logic)
        self._style.SetDisplayableManagers(self.managers)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._style.SetInteractor(self.interactor)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        background = vtk.vtkActor2D()
        background.SetMapper(self._mapper)
        background.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(background)
        self.managers.SetMRMLDisplayableNode(self.node)

    def _new_logic(self, name: str) -> Any:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(self._logic)
        self._logic.GetSliceLogics().AddItem(logic)
        logic.SetMRMLScene(slicer.mrmlScene)
        logic.AddSliceNode(name)
        return logic

    def show_volume(self, volume_node: Any) -> None:
        """Put a volume into the background and fit the slice to it."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume_node.GetID())
        self.logic.ResizeSliceNode(*self.size)
        self.logic.FitSliceToBackground()

    def zoom(self, factor: float) -> None:
        """Show a field of view ``factor`` times smaller."""
        width, height, depth = self.node.GetFieldOfView()
        self.node.SetFieldOfView(width / factor, height / factor, depth)

    def image(self) -> Any:
        self.logic.ResizeSliceNode(*self.size)
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        return super().image()

    def click(
        self, x: int, y: int, button: str = "Left", ctrl: bool = False
    ) -> tuple[float, float, float]:
        """Click with a mouse button at a pixel; returns the point in RAS (mm)."""
        self.interactor.SetEventInformation(x, y, int(ctrl), 0)
        for event in ("Enter", "MouseMove", f"{button}ButtonPress", f"{button}ButtonRelease"):
            self.interactor.InvokeEvent(event + "Event")
        r, a, s, _ = self.node.GetXYToRAS().MultiplyPoint((x, y, 0, 1))
        return r, a, s


class ThreeDView(_View):
    """One 3D view with Slicer's gradient background; named as SliceView."""

    def __init__(self, name: str = "1", size: tuple[int, int] = (500, 500)) -> None:
        super().__init__(size)
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        self._start_managers(factory, _THREE_D_MANAGERS)
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(self._logic)
        self._logic.GetViewLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(slicer.mrmlScene)
        present = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLViewNode")
        self.node = present or self.logic.AddViewNode(name)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self._style = slicer.vtkMRMLThreeDViewInteractorStyle()
        self._style.SetDisplayableManagers(self.managers)
        self._style.SetInteractor(self.interactor)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyle3D())
        self.renderer.SetBackground(*_BACKGROUND[0])
        self.renderer.SetBackground2(*_BACKGROUND[1])
        self.renderer.GradientBackgroundOn()
        self.renderer.SetUseDepthPeeling(1)
        self.managers.SetMRMLDisplayableNode(self.node)

    def reset_camera(self, zoom: float = 1.0) -> None:
        """Look at everything that is shown."""
        self.window.Render()
        self.renderer.ResetCamera()
        self.renderer.GetActiveCamera().Zoom(zoom)
        self.renderer.ResetCameraClippingRange()


def beside(*images: Any) -> Any:
    """Put pictures of one height side by side."""
    append = vtk.vtkImageAppend()
    append.SetAppendAxis(0)
    for image in images:
        append.AddInputData(image)
    append.Update()
    return append.GetOutput()


def write_png(image: Any, path: Path) -> None:
    """Write an RGB vtkImageData as a PNG file."""
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    writer.Write()
