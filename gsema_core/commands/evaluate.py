"""``gsema evaluate``: label maps against references."""

from __future__ import annotations

import argparse
from pathlib import Path

from gsema_core.commands.arguments import watched

HELP = "Score label maps against references: overlap, surface distance, lesions found."
DETAILS = """
Label maps are matched by name, whatever their format: case.nii.gz belongs to case.seg.nrrd. Both
of a case must lie on one grid and hold 0 (background), 1 (vessel) and 2 (aneurysm); the segments
of files that Slicer saved are taken by their names.

Empty cases: where a label occurs in neither map, overlaps are 1 and HD95 is 0 mm; where it occurs
in only one of them, overlaps are 0 and HD95 is the diagonal of the volume, so that a missed case
weighs in every mean; sensitivity is undefined where there is nothing to find, and such a case
takes no part in its mean. An aneurysm (voxels that share a corner belong together) is found when
at least a tenth of its voxels is labelled; one of the prediction that touches none of the
reference is a false positive. Intervals are 95 % percentile bootstrap over patients, seed 0. Two
folders do not say which files are of one patient: each counts as a patient of its own, which the
output says, unless --datalist tells more.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = DETAILS
    parser.add_argument(
        "predictions", metavar="PREDICTIONS", type=Path, help="folder of label maps"
    )
    parser.add_argument("references", metavar="REFERENCES", type=Path, help="folder of label maps")
    parser.add_argument(
        "--output",
        metavar="summary.json",
        type=Path,
        required=True,
        help="mean, interval, median, quartiles and worst case of each metric, and every case",
    )
    parser.add_argument("--csv", metavar="cases.csv", type=Path, help="also write one row a case")
    parser.add_argument(
        "--datalist",
        metavar="DATALIST",
        type=Path,
        help="list that has the references as labels: their patients, as numbers, and centers",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no tables")


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.datasets import find_cases
    from gsema_core.evaluation import evaluate_folders, score_tables, summarize_cases
    from gsema_core.files import text_files
    from gsema_core.version import __version__

    text_files.check_destinations((arguments.output, ".json"), (arguments.csv, ".csv"))
    listed = find_cases(arguments.datalist, check_files=False) if arguments.datalist else []
    with watched(quiet=arguments.quiet) as watch:
        cases = evaluate_folders(arguments.predictions, arguments.references, listed, **watch)
    summary = summarize_cases(cases)
    if arguments.csv is not None:
        text_files.write_csv([score_tables.case_row(case) for case in cases], arguments.csv)
    document = {
        "program": {"name": "gsema_core", "version": __version__},
        "predictions": str(arguments.predictions),
        "references": str(arguments.references),
        **summary,
        "per_case": [case.to_dict() for case in cases],
    }
    text_files.write_json(document, arguments.output)
    if not arguments.quiet:
        print("\n".join(score_tables.text_lines(summary)))
    return 0
