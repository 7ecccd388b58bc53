"""What ``gsema segment`` does with a folder of scans."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gsema_core.commands.arguments import watched
from gsema_core.errors import UserError
from gsema_core.exit_codes import EXIT_SOME_FAILED, EXIT_STOPPED

if TYPE_CHECKING:
    from gsema_core.inference import SegmentationSettings
    from gsema_core.inference.folders.scan_list import BatchItem
    from gsema_core.machine.ranks_environment import RanksEnvironment


def segment_folder(arguments: argparse.Namespace, settings: SegmentationSettings) -> int:
    """Segment all scans of a folder, print what became of each, and write the overview.

    Where torchrun starts several processes, each segments its share of them, or of --share.

    Returns:
        0 if all are done or were before, 1 if some failed (of any process of torchrun), 75 if the
        run was stopped.

    Raises:
        UserError: nothing could be begun.
    """
    from gsema_core.inference.folders.folder_run import outcome_table, overview_of, segment_batch
    from gsema_core.inference.folders.scan_list import find_scans
    from gsema_core.inference.folders.shards import any_failed, own_device, shard
    from gsema_core.machine.ranks_environment import RanksEnvironment

    for option in ("at", "series", "probabilities", "report", "profile"):
        if getattr(arguments, option) is not None:
            raise UserError(f"The option --{option} is for one scan: leave it out with a folder.")
    ranks = RanksEnvironment.of(os.environ)
    seg, sr = _wanted_objects(arguments)
    scans = find_scans(arguments.input, arguments.output, dicom_seg=seg, dicom_sr=sr)
    items = shard(shard(scans, _share(arguments)), ranks)
    try:
        arguments.output.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The output folder {arguments.output} cannot be made ({error.strerror}): choose "
            "another one."
        ) from error
    _write_key(scans, arguments.key)
    overview = overview_of(scans)
    if items:
        overview.check()
    with watched(quiet=arguments.quiet) as watch:
        outcomes = segment_batch(
            items,
            arguments.teacher,
            own_device(arguments.device, ranks),
            network=arguments.network,
            settings=settings,
            resume=arguments.resume,
            overview=overview,
            **watch,
        )
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if not arguments.quiet:
        # In one piece, or the tables of several processes would mix.
        title = f"Process {ranks.rank + 1} of {ranks.size}:\n" if ranks.size > 1 else ""
        print(title + (outcome_table(outcomes) if outcomes else "No scan was left for it."))
    for outcome in failed if arguments.quiet else []:
        print(f"error: {outcome.item.title}: {outcome.detail}", file=sys.stderr)
    if outcomes:
        overview.write_page()
    if any(outcome.state == "left" for outcome in outcomes):
        return EXIT_STOPPED
    with watched(quiet=True) as watch:
        some_failed = any_failed(bool(failed), ranks, watch["cancelled"])
    return EXIT_SOME_FAILED if some_failed else 0


def _share(arguments: argparse.Namespace) -> RanksEnvironment:
    """The part that --share asks for; without it a word where other processes seem to be meant."""
    from gsema_core.inference.folders.shards import parse_share
    from gsema_core.machine.ranks_environment import RanksEnvironment, left_alone

    if arguments.share:
        return parse_share(arguments.share)
    if left := left_alone(os.environ):
        print(
            f"note: {left} is set, but torchrun did not start this process: it segments all scans. "
            "Give a part to each process by --share.",
            file=sys.stderr,
        )
    return RanksEnvironment()


def _wanted_objects(arguments: argparse.Namespace) -> tuple[bool, bool]:
    """Whether each study gets a DICOM SEG and SR."""
    from gsema_core.inference.output_paths import BESIDE, dicom_paths

    for option in ("dicom_seg", "dicom_sr"):
        if getattr(arguments, option) not in (None, BESIDE):
            name = f"--{option.replace('_', '-')}"
            raise UserError(f"In a folder {name} is for every scan: give it no file name.")
    seg, sr = dicom_paths(arguments.output, arguments.dicom_seg, arguments.dicom_sr)
    return seg is not None, sr is not None


def _write_key(scans: Sequence[BatchItem], path: Path | None) -> None:
    """Write which folder each neutral name stands for, where that is wanted.

    Raises:
        UserError: the file cannot be written.
    """
    from gsema_core.files.text_files import check_destinations, write_csv

    if path is not None:
        check_destinations((path, ".csv"))
        folders = {one.name: str(one.source) for one in scans if one.source.is_dir()}
        rows = [{"name": name, "folder": _encodable(place)} for name, place in folders.items()]
        write_csv(rows, path, ("name", "folder"))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
