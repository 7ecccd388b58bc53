"""``gsema segment``: vessels and aneurysms of a scan or of all in a folder, or the aneurysms at
some points of a scan."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.commands.arguments import add_device, watched
from gsema_core.configuration import build, settings_of
from gsema_core.configuration.options import add_options, chosen_options, option_of
from gsema_core.errors import UserError
from gsema_core.inference import settings

if TYPE_CHECKING:
    from gsema_core.inference import ClickResult, SegmentationResult

HELP = "Segment vessels and aneurysms in a scan, or in all scans of a folder."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="INPUT",
        type=Path,
        help="NRRD, NIfTI or MetaImage file, a folder with one DICOM series, or, where OUTPUT is a "
        "folder, a folder of such files and folders",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUTPUT",
        type=Path,
        required=True,
        help="label map (1 vessel, 2 aneurysm): .seg.nrrd, .nrrd, .nii, .nii.gz or .mha; or .dcm, "
        "a DICOM SEG; or a folder, which gets NAME.seg.nrrd and the report NAME.json of each scan",
    )
    parser.add_argument(
        "--teacher",
        metavar="default|NAME|FILE",
        default="default",
        help="which network: the bundled one, an added one or a .safetensors file",
    )
    add_device(parser)
    parser.add_argument(
        "--series",
        metavar="N",
        type=int,
        help="which series of a DICOM folder with several volumes; gsema series lists them",
    )
    _add_files(parser.add_argument_group("more files"))
    parser.add_argument(
        "--at",
        metavar=("R", "A", "S"),
        nargs=3,
        type=float,
        action="append",
        help="only the aneurysm at this point (RAS, mm, as Slicer shows it); may be repeated: a "
        "point in the same aneurysm refines it, any other adds one",
    )
    parser.add_argument(
        "--not-at",
        metavar=("R", "A", "S"),
        nargs=3,
        type=float,
        action="append",
        help="a point that is not part of the nearest aneurysm of --at, which was drawn too large; "
        "may be repeated",
    )
    add_options(parser, settings.SegmentationSettings)
    parser.add_argument("--quiet", action="store_true", help="no progress, no table")


def _add_files(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--probabilities",
        metavar="FILE",
        type=Path,
        help="also write the probability of an aneurysm, as an image",
    )
    group.add_argument(
        "--report", metavar="FILE.json", type=Path, help="also write where the result comes from"
    )
    for option, what in (
        ("--dicom-seg", "vessels and each aneurysm as a DICOM SEG"),
        ("--dicom-sr", "the measurements as a DICOM SR, which points at the SEG"),
    ):
        group.add_argument(
            option,
            metavar="FILE.dcm",
            nargs="?",
            const=Path(),
            type=Path,
            help=f"also write {what}, for a DICOM series; without a name (so always of a folder), "
            "beside OUTPUT",
        )
    group.add_argument(
        "--profile", metavar="FILE.json", type=Path, help="also write where the time went"
    )
    group.add_argument(
        "--resume", action="store_true", help="of a folder, only outputs that are not there yet"
    )
    group.add_argument(
        "--share",
        metavar="K/N",
        help="of a folder, only every N-th scan from the K-th on, as a cluster's tasks share it",
    )
    group.add_argument(
        "--key",
        metavar="FILE.csv",
        type=Path,
        help="of a folder, also write which DICOM folder each result is of: folders are often "
        "named after patients, so keep this file private",
    )


def run(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    from gsema_core.commands.segment_folder import segment_folder
    from gsema_core.files.text_files import write_json
    from gsema_core.inference.folders.scan_list import is_batch
    from gsema_core.inference.output_paths import check_outputs, dicom_paths
    from gsema_core.inference.run_profile import profile

    chosen = chosen_options(arguments, settings.SegmentationSettings)
    wanted = build(
        settings.SegmentationSettings,
        {**chosen, "probabilities": arguments.probabilities is not None},
    )
    if arguments.at:
        _check_options_of_points(arguments)
    elif arguments.not_at:
        raise UserError("The option --not-at corrects an aneurysm: give a point in it with --at.")
    if is_batch(arguments.input, arguments.output):
        return segment_folder(arguments, wanted)
    for option in ("resume", "share", "key"):
        if getattr(arguments, option):
            raise UserError(
                f"The option --{option} is for folders: give a folder as INPUT and OUTPUT."
            )
    seg, sr = dicom_paths(arguments.output, arguments.dicom_seg, arguments.dicom_sr)
    more = arguments.probabilities, arguments.report
    labels = None if arguments.output == seg else arguments.output
    check_outputs(
        labels, *more, arguments.profile, dicom_seg=seg, dicom_sr=sr, source=arguments.input
    )
    with watched(quiet=arguments.quiet) as watch:  # once it writes, it writes to the end
        given = {"network": arguments.network, "series": arguments.series, "settings": wanted}
        result, misses = _segment(arguments, {**given, "for_dicom": seg is not None, **watch})
        result.save(arguments.output, *more, dicom_seg=seg, dicom_sr=sr)
    if arguments.profile is not None:
        write_json(profile(result.report, time.perf_counter() - started), arguments.profile)
    if not arguments.quiet:
        print("\n".join([aneurysm_table(result), *misses]))
        for note in result.report["notes"]:
            print(f"note: {note}", file=sys.stderr)
    return 0


def _check_options_of_points(arguments: argparse.Namespace) -> None:
    given = {"--probabilities": arguments.probabilities} | {
        option_of(one): getattr(arguments, one.name)
        for one in settings_of(settings.SegmentationSettings)
        if one.group and one.whole_scan
    }
    for option, value in given.items():
        if value is not None:
            raise UserError(f"The option {option} is for whole scans: leave it out with --at.")


def _segment(
    arguments: argparse.Namespace, options: dict[str, Any]
) -> tuple[SegmentationResult, list[str]]:
    """The result, and a sentence for each point without an aneurysm."""
    from gsema_core.inference import segment, segment_aneurysms_at
    from gsema_core.inference.opening import tell_input

    teacher, device = arguments.teacher, arguments.device
    if arguments.at:
        inside, outside = (
            [(-right, -anterior, superior) for right, anterior, superior in given or ()]
            for given in (arguments.at, arguments.not_at)
        )
        clicks = segment_aneurysms_at(arguments.input, inside, outside, teacher, device, **options)
        result = _merged(clicks)
        misses = [click.message for click in clicks if click.message]
    else:
        result, misses = segment(arguments.input, teacher, device, **options), []
    tell_input(result.report, arguments.input)
    return result, misses


def _merged(clicks: list[ClickResult]) -> SegmentationResult:
    """One label map of all aneurysms.

    Raises:
        UserError: nothing was found at any of them.
    """
    from gsema_core.inference import SegmentationResult
    from gsema_core.inference.click.click_result import merge
    from gsema_core.measurements import measurements_report

    labels, numbers, aneurysms = merge(clicks)
    report = dict(clicks[-1].report)  # its seconds are those of all
    report["notes"] = list(dict.fromkeys(note for one in clicks for note in one.report["notes"]))
    report["clicks"] = [click.to_dict() for click in clicks]
    report |= measurements_report(aneurysms)
    return SegmentationResult(labels, None, aneurysms, report, clicks[0].source, numbers)


def aneurysm_table(result: SegmentationResult) -> str:
    """One column an aneurysm, or a sentence where there is none."""
    if not result.aneurysms:
        return "No aneurysm was found."
    from gsema_core.measurements.aneurysm_table import COLUMNS, value_text
    from gsema_core.text_tables import text_table

    told = {str(one.index): one.to_dict() for one in result.aneurysms}
    rows = [
        {"aneurysm": column.heading, **{n: column.text(one) or None for n, one in told.items()}}
        for column in COLUMNS[1:]
        if column.essential
    ]
    places = {
        str(one.index): ", ".join(value_text(mm, "mm") for mm in one.centroid_ras)
        for one in result.aneurysms
    }
    return "\n".join(text_table([*rows, {"aneurysm": "Position R, A, S (mm)", **places}]))
