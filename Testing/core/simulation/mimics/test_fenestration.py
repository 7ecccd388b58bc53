import numpy as np

from gsema_core.grids.components import connected_components
from gsema_core.simulation.mimics.fenestration import fenestrate


def test_splits_in_two_and_joins_again(artery, field, filled):
    labels = artery.labels.copy()
    record = fenestrate(artery, labels, field, filled, np.random.default_rng(0))
    assert record is not None
    assert set(np.unique(labels)) == {0, 1}
    assert connected_components(labels > 0)[1] == 1
    limbs = [connected_components(slice_[None] > 0)[1] for slice_ in labels]
    assert max(limbs) == 2
    assert limbs[3] == limbs[-4] == 1
    along = np.flatnonzero(np.array(limbs) == 2)
    assert along[-1] - along[0] + 1 == len(along)  # one window
    assert len(along) * artery.spacing < record["length_mm"]
    assert 0.3 < labels.sum() / artery.labels.sum() < 1.3


def test_nothing_is_left_behind_where_no_window_opens(artery, field, filled, monkeypatch):
    monkeypatch.setattr("gsema_core.simulation.mimics.fenestration._is_open", lambda *_: False)
    labels = artery.labels.copy()
    assert fenestrate(artery, labels, field, filled, np.random.default_rng(0)) is None
    assert np.array_equal(labels, artery.labels)
