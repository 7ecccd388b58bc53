"""Masks as text, for attributes and tags of a scene."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer.util

from GSEMASegmentationLib.scene.SegmentMasks import gridOf, imageArray, orientedImage


def packed(mask: np.ndarray) -> str:
    """A mask without its shape."""
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes())).decode("ascii")


def unpacked(text: str, shape: Sequence[int]) -> np.ndarray:
    """The mask, bool, of this shape.

    Raises:
        ValueError, zlib.error: it is none of ``packed``, or of another shape.
    """
    bits = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)


def imageText(image: Any) -> str:
    """An image of 0 and 1 (vtkOrientedImageData) with its place; "null" for None."""
    if image is None:
        return "null"
    return json.dumps(
        {
            "grid": slicer.util.arrayFromVTKMatrix(gridOf(image)).tolist(),
            "start": list(image.GetExtent()[::2]),
            "shape": list(image.GetDimensions()[::-1]),
            "mask": packed(imageArray(image) != 0),
        }
    )


def imageFrom(text: str) -> Any:
    """The image of ``imageText``.

    Raises:
        ValueError, KeyError, TypeError, zlib.error: it is none.
    """
    content = json.loads(text)
    if content is None:
        return None
    grid = slicer.util.vtkMatrixFromArray(np.array(content["grid"]))
    return orientedImage(unpacked(content["mask"], content["shape"]), content["start"], grid)
