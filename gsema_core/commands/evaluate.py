"""``gsema evaluate``: label maps against references."""

from __future__ import annotations

import argparse
from pathlib import Path

from gsema_core.commands.arguments import add_label_rules, label_rules, say, watched

HELP = "Score label maps against references: overlap, surface distance, lesions found."
DETAILS = """
Label maps are matched by name, whatever their format: case.nii.gz belongs to case.seg.nrrd. What
the names of one kind end with is said by --prediction-suffix and --reference-suffix: with _pred and
.seg, case_pred.nii.gz belongs to case.seg.nii.gz, and files that end otherwise are left out.
Subfolders are part of a name: A/case belongs to A/case only. Where a name is nothing but what it
ends with (case/pred.nrrd), its folder is the case. All hold 0 (background), 1 (vessel) and 2
(aneurysm); the segments of files that Slicer saved are taken by their names. Where labels are
others, say so: --label aneurysm="IA dome,3" --label ignore=4. Voxels that the reference ignores
count in no score, and a finding that touches one is no false positive.

Empty cases: where a label occurs in neither map, overlaps are 1 and HD95 is 0 mm; where it occurs
in only one of them, overlaps are 0 and HD95 is the diagonal of the volume, so that a missed case
weighs in every mean; sensitivity is undefined where there is nothing to find, precision where
nothing was found, and such a case takes no part in its mean. An aneurysm (voxels that share a
corner belong together) is found when at least a tenth of its voxels is labelled; one of the
prediction that touches none of the reference is a false positive. Lesion F1 is 2 found / (2 found +
missed + false positives), over all cases; 1 in a case where nothing is there nor found.

HD95 and NSD are between voxel surfaces: from center to center of the voxels that have a neighbor
outside, in mm. They cannot be finer than the spacing, which the output gives.

Both label maps of a case must lie on one grid. --resample brings a prediction on another grid to
its reference's: a voxel is background unless at least half of it is filled, then the label that
fills most of it wins. This moves surfaces by up to half a voxel, so the output names these cases.

A reference without a prediction stops everything (--missing stop): most of them are misnamed.
"score" takes the prediction for empty, "skip" leaves the case out, which may flatter where just the
difficult ones are missing. Predictions without a reference stop too, unless skipped. The output
names each case that was treated so.

Intervals are 95 % percentile bootstrap over patients, seed 0. Two folders do not say which files
are of one patient: each counts as a patient of its own, which the output says, unless --datalist
tells more.
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
        "--latex",
        metavar="tables.tex",
        type=Path,
        help="also write tables for LaTeX: all scores, aneurysms found, centers, cases",
    )
    parser.add_argument(
        "--percent",
        action="store_true",
        help="shares in percent where people read them: in the terminal and with --latex",
    )
    parser.add_argument(
        "--datalist",
        metavar="DATALIST",
        type=Path,
        help="list that has the references as labels: their patients, as numbers, centers, and "
        "what the values of its own label maps mean",
    )
    for kind, examples in (("prediction", "_pred"), ("reference", ".seg")):
        parser.add_argument(
            f"--{kind}-suffix",
            metavar="TEXT",
            default="",
            help=f"what the {kind}s' names end with before .nrrd, .nii.gz...: {examples}",
        )
    parser.add_argument(
        "--missing",
        choices=("stop", "skip", "score"),
        default="stop",
        help="what to do about a missing prediction (default: %(default)s)",
    )
    parser.add_argument(
        "--resample",
        action="store_true",
        help="bring predictions on another grid to their references'",
    )
    add_label_rules(parser, "references' ")
    parser.add_argument(
        "--prediction-label",
        metavar="MEANING=NAME,VALUE",
        action="append",
        default=[],
        help="as --label, of the predictions",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no tables")


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.datasets import find_cases
    from gsema_core.evaluation import PairingRules, evaluate_folders, score_tables, summarize_cases
    from gsema_core.evaluation.paper_tables import latex_page
    from gsema_core.files import text_files
    from gsema_core.files.label_rules import LabelRules
    from gsema_core.version import __version__

    outputs = (arguments.output, ".json"), (arguments.csv, ".csv"), (arguments.latex, ".tex")
    text_files.check_destinations(*outputs)
    listed = find_cases(arguments.datalist, False, tell=say) if arguments.datalist else []
    rules = PairingRules(arguments.prediction_suffix, arguments.reference_suffix, arguments.missing)
    folders = arguments.predictions, arguments.references
    of_predictions = LabelRules.from_options(arguments.prediction_label, arguments.label_words)
    labels = of_predictions, label_rules(arguments)
    with watched(quiet=arguments.quiet) as watch:
        found = evaluate_folders(
            *folders, listed, rules, resample=arguments.resample, labels=labels, **watch
        )
    summary, notes = summarize_cases(found.cases), found.notes()
    document = {
        "program": {"name": "gsema_core", "version": __version__},
        "predictions": str(arguments.predictions),
        "references": str(arguments.references),
        "pairing": found.to_dict(rules),
        **summary,
        "per_case": [case.to_dict() for case in found.cases],
    }
    if arguments.csv is not None:
        text_files.write_csv([score_tables.case_row(case) for case in found.cases], arguments.csv)
    if arguments.latex is not None:
        page = latex_page(summary, found.cases, notes, percent=arguments.percent)
        text_files.write_text(page, arguments.latex)
    text_files.write_json(document, arguments.output)
    if not arguments.quiet:
        shown = score_tables.in_percent(summary) if arguments.percent else summary
        print("\n".join([*notes, *score_tables.text_lines(shown)]))
    return 0
