"""What ``gsema segment`` does with a folder of scans."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from gsema_core.errors import UserError

if TYPE_CHECKING:
    from gsema_core.inference import SegmentationSettings

EXIT_SOME_FAILED = 1


def segment_folder(arguments: argparse.Namespace, settings: SegmentationSettings) -> int:
    """Segment all scans of a folder and print what became of each.

    Returns:
        0 if all are done or were before, 1 if some failed, 130 if the run was cancelled.

    Raises:
        UserError: nothing could be begun.
    """
    from gsema_core.cli import EXIT_CANCELLED
    from gsema_core.commands.segment import terminated
    from gsema_core.inference.batch import find_scans, outcome_table, segment_batch
    from gsema_core.progress_line import ProgressLine

    for option in ("at", "probabilities", "report", "profile"):
        if getattr(arguments, option):
            raise UserError(f"The option --{option} is for one scan: leave it out with a folder.")
    items = find_scans(arguments.input, arguments.output)
    try:
        arguments.output.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The output folder {arguments.output} cannot be made ({error.strerror}): choose "
            "another one."
        ) from error
    line = ProgressLine(sys.stderr)
    try:
        with terminated() as was_terminated:
            outcomes = segment_batch(
                items,
                arguments.teacher,
                arguments.device,
                settings=settings,
                resume=arguments.resume,
                progress=None if arguments.quiet else line,
                cancelled=was_terminated,
            )
    finally:
        line.close()
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if not arguments.quiet:
        print(outcome_table(outcomes))
    for outcome in failed if arguments.quiet else []:
        print(f"error: {outcome.detail}", file=sys.stderr)
    if any(outcome.state == "left" for outcome in outcomes):
        return EXIT_CANCELLED
    return EXIT_SOME_FAILED if failed else 0
