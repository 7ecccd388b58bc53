"""Labelled cases, whichever way they are stored."""

from __future__ import annotations

import os
from pathlib import Path

from gsema_core.datasets.datalist import Case, read_datalist
from gsema_core.datasets.nnunet_folder import DESCRIPTION, is_nnunet_folder, read_nnunet_folder
from gsema_core.datasets.pairs import find_pairs
from gsema_core.errors import UserError

DATALIST = "datalist.json"


def find_cases(path: str | os.PathLike[str], check_files: bool = True) -> list[Case]:
    """List labelled cases; no voxel is read.

    Args:
        path: a datalist (JSON) or a folder that holds ``datalist.json``, as ``gsema simulate``
            writes it (``read_datalist``); an nnU-Net raw folder (``read_nnunet_folder``); or a
            folder of pairs of images and label maps (``find_pairs``).
        check_files: refuse a datalist with files that do not exist; else reading them will.

    Raises:
        UserError: it is nothing of this, or files are missing.
    """
    path = Path(path)
    try:
        if (path / DATALIST).is_file():
            return read_datalist(path / DATALIST, check_files)
        folder = path.parent if path.name == DESCRIPTION else path
        if is_nnunet_folder(folder):
            return read_nnunet_folder(folder)
        return find_pairs(path) if path.is_dir() else read_datalist(path, check_files)
    except OSError as error:
        raise UserError(
            f"The cases at {path} cannot be listed ({error.strerror}): check that you may read "
            "the folder."
        ) from error
