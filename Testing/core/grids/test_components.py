import numpy as np

from gsema_core.grids.components import connected_components


def test_voxels_that_share_a_corner_are_connected() -> None:
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = True
    components, count = connected_components(mask)
    assert count == 2
    assert components[0, 0, 0] == components[1, 1, 1] == 1
    assert components[3, 3, 3] == 2
