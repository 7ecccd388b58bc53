import numpy as np

from gsema_core.simulation.mimics.stenosis import narrow_and_widen
from gsema_core.simulation.mimics.tubes import pieces


def test_narrows_and_stays_below_an_aneurysm(artery, field, filled):
    for seed in range(4):
        labels = artery.labels.copy()
        record = narrow_and_widen(artery, labels, field, filled, np.random.default_rng(seed))
        assert record is not None
        assert set(np.unique(labels)) == {0, 1}
        assert pieces(labels, artery.voxels) == 1
        area = labels.sum(axis=(1, 2)) / np.median(artery.labels.sum(axis=(1, 2)))
        width = np.sqrt(area)
        assert abs(width.min() - record["narrow"]) < 0.15
        assert 1.0 < width.max() < 1.5
        assert width.argmin() < width.argmax()  # the blood comes from below


def test_the_same_seed_gives_the_same_voxels(artery, field, filled):
    results = []
    for _ in range(2):
        labels = artery.labels.copy()
        narrow_and_widen(artery, labels, field, filled, np.random.default_rng(7))
        results.append(labels)
    assert np.array_equal(*results)
    assert not np.array_equal(results[0], artery.labels)


def test_nothing_where_no_contrast_is(artery, field, filled):
    labels = artery.labels.copy()
    assert narrow_and_widen(artery, labels, field, ~filled, np.random.default_rng(0)) is None
    assert np.array_equal(labels, artery.labels)
