"""Saves results of one value over one output, again and again: the other process of a test.

Its disk is slow, so that another process may come between the renames that make a result.

    python Testing/core/hostile/saving.py FOLDER VALUE COUNT
"""

import sys
import time
from pathlib import Path
from random import Random

import numpy as np

from gsema_core.files import atomic
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import SegmentationResult


def main(folder: Path, value: int, count: int) -> None:
    chance = Random(value)
    flush = atomic._flush_to_disk
    atomic._flush_to_disk = lambda path: (time.sleep(chance.random() / 20), flush(path))[1]
    geometry = Geometry((24, 24, 24), (0.5, 0.5, 0.5))
    labels = Volume(np.full(geometry.shape, value, np.uint8), geometry)
    for _ in range(count):
        result = SegmentationResult(labels, None, [], {"value": value, "seconds": {}})
        result.save(folder / "out.seg.nrrd", report=folder / "out.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
