"""``gsema cases``: what labelled cases there are, and whether they can be trained on."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.errors import UserError
from gsema_core.exit_codes import EXIT_SOME_FAILED

if TYPE_CHECKING:
    from gsema_core.datasets import Examined

HELP = "List labelled cases, and say whether they can be trained on."
DETAILS = """
PATH is one of these:
  a datalist     JSON: {"cases": [{"patient": ..., "center": ..., "image": ..., "label": ...}]};
                 a case may have a "use": training, validation or test
  nnU-Net        a raw folder: dataset.json, imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz;
                 labels are taken by their names; labelled cases of imagesTs are for testing
  pairs          a folder: NAME.nrrd with NAME_label.nrrd or NAME.seg.nrrd beside it (any format;
                 also -labels, -seg, -mask...), or images/NAME with labels/NAME, or a folder
                 for each patient with an image (or DICOM files) and a label map; other subfolders
                 are centers

Labels are 0 background, 1 vessel, 2 aneurysm; segments that Slicer saved are taken by their names.
The exit code is 1 where a case cannot be used, and 2 where nothing could be listed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = DETAILS
    parser.add_argument("path", metavar="PATH", type=Path, help="datalist (JSON) or folder")
    parser.add_argument(
        "--json", action="store_true", help="a JSON object a line: every case, then the summary"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=1, help="processes that read cases (default 1)"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.jobs < 1:
        raise UserError(f"--jobs is {arguments.jobs}: give a number from 1 on.")
    from gsema_core.datasets import examine_all, find_cases
    from gsema_core.datasets.case_summary import summary, summary_lines
    from gsema_core.progress_line import ProgressLine

    cases = find_cases(arguments.path, check_files=False)  # a missing one is told with its case
    examined = []
    with closing(ProgressLine(sys.stderr)) as line:
        for each in examine_all(cases, arguments.jobs):
            examined.append(each)
            if arguments.json:
                print(json.dumps(_row(each)), flush=True)
            else:
                line(len(examined) / len(cases), f"case {len(examined)} of {len(cases)}")
    values = summary(examined)
    if arguments.json:
        print(json.dumps({"summary": values}), flush=True)
    else:
        print("\n".join(summary_lines(values)))
        for each in examined:
            if each.reason:
                print(f"case {each.number} (patient {each.case.patient}): {each.reason}")
    return EXIT_SOME_FAILED if values["unusable"] else 0


def _row(examined: Examined) -> dict[str, Any]:
    case, facts = examined.case, examined.facts
    return {
        "number": examined.number,
        "patient": case.patient,
        "center": case.center,
        "use": case.use,
        "image": str(case.image),
        "label": str(case.label),
        "relabel": [list(pair) for pair in case.relabel],
        "usable": facts is not None,
        "reason": examined.reason,
        "spacing_mm": [round(mm, 4) for mm in facts.geometry.spacing] if facts else None,
        "size": list(facts.geometry.size) if facts else None,
        "vessel_ml": round(facts.vessel_ml, 4) if facts else None,
        "aneurysm_ml": round(facts.aneurysm_ml, 4) if facts else None,
        "aneurysms": facts.aneurysms if facts else None,
    }
