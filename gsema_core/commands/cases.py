"""``gsema cases``: what labelled cases there are, and whether they can be trained on."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.commands.arguments import add_label_rules, label_rules, say
from gsema_core.errors import UserError
from gsema_core.exit_codes import EXIT_SOME_FAILED

if TYPE_CHECKING:
    from gsema_core.datasets import Case, Examined

HELP = "List labelled cases, say whether they can be trained on, and write their list."
DETAILS = """
PATH is one of these:
  a datalist     JSON: {"cases": [{"patient": ..., "center": ..., "image": ..., "label": ...}]};
                 a case may have a "use" (training, validation or test) and a "relabel"; a folder
                 with a datalist.json is that list
  pairs          a folder: NAME.nrrd with NAME_label.nrrd or NAME.seg.nrrd beside it (any format;
                 also -labels, -seg, -mask, mask_NAME...), or images/NAME with labels/NAME, or a
                 folder for each patient with an image (or DICOM files) and a label map
  nnU-Net        a raw folder: dataset.json with imagesTr/CASE_0000.nii.gz and
                 labelsTr/CASE.nii.gz, or with a "dataset" entry; labels are taken by their names;
                 labelled cases of imagesTs are for testing
  BIDS           masks called _dseg or _seg in anat or under derivatives; give the folder of one
                 pipeline, derivatives/PIPELINE, to take its masks only
  Slicer         saved scenes: a .mrml file with its files, or an unpacked .mrb; the segmentation's
                 source volume says what belongs together

Patients and centers: the first level of folders are patients, and all are of one center, unless
--center-from says more or the participants.tsv of a BIDS folder has a column site. RULE is one of
  folder         the first level of subfolders are centers, those below patients; folder:2 and so on
  none           the first level are patients, also where they hold several scans
  TABLE.tsv      (or .csv) a row for each patient, as participant_id and site, or such names
  PATTERN        a regular expression with one group, looked for in the scan's path in the folder

  gsema cases /data/lab --center-from folder --write datalist.json

writes a list to look through and to edit. What belongs together is never guessed: two scans of one
label map, two label maps of one scan and folders that may be centers or patients are refused.

Labels are 0 background, 1 vessel, 2 aneurysm; segments that Slicer saved are taken by their names.
Where they are others, say so: --label aneurysm="IA dome,3" --label vessel="Lumen,ICA,255", names of
labels and values of label maps, also 1-15. --label ignore=4 is for voxels that nobody labeled.
--write keeps all of it in the list.
The exit code is 1 where a case cannot be used, and 2 where nothing could be listed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = DETAILS
    parser.add_argument("path", metavar="PATH", type=Path, help="datalist (JSON) or folder")
    parser.add_argument(
        "--center-from", metavar="RULE", help="what says the center: see below (default: none)"
    )
    parser.add_argument(
        "--write", metavar="LIST.json", type=Path, help="write the cases as a datalist"
    )
    parser.add_argument(
        "--force", action="store_true", help="let --write replace a list that is there"
    )
    parser.add_argument(
        "--yes", action="store_true", help="yes, centers with only one patient are centers"
    )
    parser.add_argument(
        "--json", action="store_true", help="a JSON object a line: every case, then the summary"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=1, help="processes that read cases (default 1)"
    )
    add_label_rules(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.jobs < 1:
        raise UserError(f"--jobs is {arguments.jobs}: give a number from 1 on.")
    from gsema_core.datasets import examine_all
    from gsema_core.datasets.case_summary import copy_lines, label_lines, summary, summary_lines
    from gsema_core.progress_line import ProgressLine

    cases = _cases(arguments)
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
        for sentence in (*label_lines(values), *copy_lines(values)):
            _tell_json(sentence)
        print(json.dumps({"summary": values}), flush=True)
    else:
        print("\n".join(summary_lines(values)))
        for each in examined:
            if each.reason:
                print(f"case {each.number} (patient {each.case.patient}): {each.reason}")
    return EXIT_SOME_FAILED if values["unusable"] else 0


def _cases(arguments: argparse.Namespace) -> list[Case]:
    """The cases, told of and written where that is asked for."""
    from gsema_core.datasets import find_cases, write_datalist
    from gsema_core.datasets.center_rules import center_rule
    from gsema_core.datasets.patient_places import CentersOrPatients
    from gsema_core.files.text_files import check_destinations

    output, tell = arguments.write, _tell_json if arguments.json else say
    if output is not None:
        check_destinations((output, ".json"))
        if output.exists() and not arguments.force:
            raise UserError(
                f"The list {output} exists already, and may have been edited: give another name, "
                "or --force to replace it."
            )
    rule = center_rule(arguments.center_from) if arguments.center_from else None
    given: dict[str, Any] = {
        "confirmed": arguments.yes or output is None,
        "labels": label_rules(arguments),
    }
    try:  # a missing file is told with its case
        cases = find_cases(arguments.path, False, rule, tell, **given)
    except CentersOrPatients as error:
        if arguments.json:
            print(json.dumps({"question": {"folders": error.folders}}), flush=True)
        raise
    if output is not None:
        write_datalist(cases, output)
        tell(f"Wrote {output}: {len(cases)} cases.")
    return cases


def _tell_json(sentence: str) -> None:
    print(json.dumps({"note": sentence}), flush=True)


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
        "labels": case.labels.to_entry(),
        "usable": facts is not None,
        "reason": examined.reason,
        "spacing_mm": [round(mm, 4) for mm in facts.geometry.spacing] if facts else None,
        "size": list(facts.geometry.size) if facts else None,
        "vessel_ml": round(facts.vessel_ml, 4) if facts else None,
        "aneurysm_ml": round(facts.aneurysm_ml, 4) if facts else None,
        "aneurysms": facts.aneurysms if facts else None,
        "ignored_ml": round(facts.ignored_ml, 4) if facts else None,
        "dropped": list(facts.dropped) if facts else [],
    }
