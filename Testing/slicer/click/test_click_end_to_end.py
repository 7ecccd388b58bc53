"""From the mouse in a slice view to the segment, and with the real worker and a tiny network."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
VESSEL_CENTER = np.array([3.0, -2.0, 5.0])
PARENT = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)
# IJK to RAS: turned about two axes and mirrored, with slices that are thicker than wide.
OBLIQUE = np.array(
    [
        [-0.5871, 0.3812, 0.0000, 9.94],
        [-0.3583, -0.5517, -0.3078, 32.20],
        [-0.1304, -0.2008, 0.8457, -7.45],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


@pytest.fixture(scope="module")
def bright_teacher(tmp_path_factory):
    """A network that takes what is brighter than 0.8 of the range for an aneurysm, and than 0.3
    for a vessel: only the taps of its last convolution that see the image are left."""
    import torch

    from gsema_core.intensities import IntensityRule
    from gsema_core.networks import NetworkConfig, build_network
    from gsema_core.teachers import TeacherCard, save_teacher

    torch.set_num_threads(1)
    config = NetworkConfig(kind="cnn", features=8, stages=2, depth=1)
    network = build_network(config).eval()
    with torch.no_grad():
        weight, bias = network.head.weight.zero_(), network.head.bias.zero_()
        for subvoxel in range(8):
            weight[8 + subvoxel, config.features + subvoxel, 1, 1, 1] = 40.0
            bias[8 + subvoxel] = -40.0 * 0.3
            weight[16 + subvoxel, config.features + subvoxel, 1, 1, 1] = 80.0
            bias[16 + subvoxel] = -40.0 * (0.3 + 0.8)
    card = TeacherCard(
        name="bright",
        network=config.to_dict(),
        spacing_mm=0.8,
        window=(32, 32, 32),
        intensity=IntensityRule().to_dict(),
    )
    path = tmp_path_factory.mktemp("teacher") / "bright.safetensors"
    save_teacher(path, network, card)
    return str(path)


@pytest.fixture
def logic(scene, segmentation_module):
    made = segmentation_module.GSEMASegmentationLogic()
    yield made
    made.stop()


def test_a_click_in_a_slice_view_places_the_point_that_is_segmented(
    make_logic, make_balls, scene, world_centroid
):
    from slicer_harness.views import SliceView

    volume = make_balls(parent=PARENT)
    view = SliceView("Clicked", "Coronal", size=(300, 300))
    view.show_volume(volume)
    mode = slicer.vtkMRMLSliceNode.CenteredJumpSlice
    slicer.vtkMRMLSliceNode.JumpAllSlices(scene, *VESSEL_CENTER, mode)
    view.node.JumpSliceByOffsetting(*ANEURYSM_CENTER)
    view.image()  # the view's size reaches the slice with the first picture
    seeds = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "seeds")
    seeds.CreateDefaultDisplayNodes()
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
    selection.SetActivePlaceNodeID(seeds.GetID())
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    interaction.SetCurrentInteractionMode(interaction.Place)
    ras_to_xy = slicer.util.vtkMatrixFromArray(
        np.linalg.inv(slicer.util.arrayFromVTKMatrix(view.node.GetXYToRAS()))
    )
    x, y = ras_to_xy.MultiplyPoint((*np.add(ANEURYSM_CENTER, (1, 0, -1)), 1))[:2]
    view.click(round(x), round(y))
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    assert seeds.GetNumberOfControlPoints() == 1
    point = seeds.GetNthControlPointPositionWorld(0)
    assert np.linalg.norm(point - ANEURYSM_CENTER) < 2
    outcome = make_logic("good").segmentAtPoint(volume, point)
    assert outcome.isFound
    centroid = world_centroid(outcome.segmentationNode, "Aneurysm")
    assert np.abs(centroid - ANEURYSM_CENTER).max() < 0.4


def test_the_real_worker_answers_clicks_on_a_turned_volume(
    logic, make_balls, bright_teacher, world_centroid, spin
):
    volume = make_balls(OBLIQUE, PARENT, softness=1.6)
    array = slicer.util.arrayFromVolume(volume)
    array += np.random.default_rng(0).normal(0, 2, array.shape)
    slicer.util.arrayFromVolumeModified(volume)
    settings = {"teacher": bright_teacher, "device": "cpu"}
    prepared = []
    logic.prepareClicks(volume, **settings, onDone=prepared.append)
    spin(lambda: bool(prepared), seconds=60)
    assert prepared[0].kind == "result", prepared[0].message
    nothing = logic.segmentAtPoint(volume, VESSEL_CENTER, **settings)
    assert nothing.kind == "nothing" and "R 3.0, A -2.0, S 5.0 mm" in nothing.message
    outcome = logic.segmentAtPoint(volume, np.add(ANEURYSM_CENTER, (1, 1, 0)), **settings)
    assert outcome.isFound and outcome.isComplete
    assert outcome.report["teacher"]["name"] == "bright"
    assert outcome.probability > 0.9 and outcome.highestProbability > 0.9
    node, half_voxel = outcome.segmentationNode, 0.5 * min(volume.GetSpacing())
    assert np.abs(world_centroid(node, "Aneurysm") - ANEURYSM_CENTER).max() < half_voxel
    assert np.abs(outcome.aneurysm.ras - ANEURYSM_CENTER).max() < half_voxel
    table = logic.measure(node).GetTable()
    value = {name: table.GetColumnByName(name).GetValue(0) for name in ("volume_mm3", "r_mm")}
    assert value["volume_mm3"] == pytest.approx(1000 * outcome.aneurysm.volumeMl, abs=0.051)
    assert value["r_mm"] == pytest.approx(outcome.aneurysm.ras[0], abs=0.01)
    again = logic.segmentAtPoint(volume, ANEURYSM_CENTER, **settings)
    assert again.isRefreshed and again.segmentId == outcome.segmentId
    logic.undo()
    logic.undo()
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
