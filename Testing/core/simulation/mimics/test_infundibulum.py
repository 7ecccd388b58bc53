import numpy as np

from gsema_core.grids.components import connected_components
from gsema_core.simulation.mimics.infundibulum import WIDEST_MM, add_infundibulum


def test_is_a_funnel_with_its_branch_at_the_apex(artery, field, filled):
    for seed in range(3):
        labels = artery.labels.copy()
        record = add_infundibulum(artery, labels, field, filled, np.random.default_rng(seed))
        assert record is not None
        assert record["branch"] == "new"
        assert set(np.unique(labels)) == {0, 1}
        assert connected_components(labels > 0)[1] == 1
        assert (labels >= artery.labels).all()
        new = np.argwhere((labels > 0) & (artery.labels == 0))
        # Out from the wall it narrows: the sections through it, over way from the artery's middle.
        way = np.hypot(new[:, 1] - 24, new[:, 2] - 24) * artery.spacing
        near = new[(way > 2.0) & (way < 2.6)]
        extent = (np.ptp(near, axis=0) + 1) * artery.spacing
        assert sorted(extent)[-1] <= WIDEST_MM + 2 * artery.spacing
        far = new[way > 1.7 + record["height_mm"]]
        assert len(far) > 0  # the branch goes on
        assert record["branch_mm"] * 1.2 < record["mouth_mm"] < WIDEST_MM
