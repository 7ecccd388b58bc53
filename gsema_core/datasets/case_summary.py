"""What a list of cases holds, in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gsema_core.datasets.datalist import Case
from gsema_core.datasets.examination import CaseFacts, Examined
from gsema_core.datasets.label_checks import suspicions
from gsema_core.text_tables import text_table

Known = tuple[Case, CaseFacts]


def summary(examined: Sequence[Examined]) -> dict[str, Any]:
    """Describe examined cases in plain values, as JSON has them.

    Returns:
        ``cases``, ``usable``, ``unusable``, ``patients``, ``without_aneurysm``,
        ``without_vessel``, ``aneurysm_larger`` (cases with more aneurysm than vessel),
        ``with_ignored`` (cases with ignored voxels), ``dropped`` (names that are neither vessel nor
        aneurysm, with the number of cases), ``aneurysms``, ``uses``, and for every center in
        ``centers`` the same and [lowest, highest] of ``spacing_mm``, ``size``, ``vessel_ml``,
        ``aneurysm_ml`` (of cases that have one) and ``intensity``; and ``suspicions``, a sentence
        each; and ``copies``, the numbers of cases that have the same voxels under several patients'
        names. All but the first three speak of usable cases.
    """
    usable = [(each.case, each.facts) for each in examined if each.facts is not None]
    centers = sorted({case.center for case, _ in usable})
    return {
        "cases": len(examined),
        "usable": len(usable),
        "unusable": len(examined) - len(usable),
        **_counts(usable),
        "suspicions": suspicions([facts.signs for _, facts in usable]),
        "copies": _copies(examined),
        "centers": {
            center: _center([known for known in usable if known[0].center == center])
            for center in centers
        },
    }


def summary_lines(values: dict[str, Any]) -> list[str]:
    """``summary`` for people."""
    if not values["usable"]:
        return [f"None of the {values['cases']} cases can be used."]
    unusable = f", {values['unusable']} that cannot be used" if values["unusable"] else ""
    lines = [
        f"{_count(values['cases'], 'case')}{unusable}; {_count(values['patients'], 'patient')}, "
        f"{_count(len(values['centers']), 'center')}, {_count(values['aneurysms'], 'aneurysm')}."
    ]
    lines += text_table([_row(name, center) for name, center in values["centers"].items()])
    for what in ("aneurysm", "vessel"):
        if without := values[f"without_{what}"]:
            lines.append(f"Without any voxel of {what}: {_count(without, 'case')}.")
    if values["without_aneurysm"] == values["usable"]:
        lines.append(
            "No case has an aneurysm, so nothing can be trained: check the labels, or say what "
            "they mean, such as --label aneurysm=1."
        )
    larger = values["aneurysm_larger"]
    if larger and not any("exchanged" in sentence for sentence in values["suspicions"]):
        lines.append(
            f"More aneurysm than vessel: {_count(larger, 'case')}; are the labels exchanged?"
        )
    lines += [*label_lines(values), *copy_lines(values)]
    if set(values["uses"]) != {""}:
        names = [f"{count} {use or 'left to the run'}" for use, count in values["uses"].items()]
        lines.append(f"Use of the cases: {', '.join(names)}.")
    return lines


def copy_lines(values: dict[str, Any]) -> list[str]:
    """What ``summary`` found of copies, in sentences."""
    return [
        f"Cases {', '.join(map(str, numbers))} have the same voxels under several patients' names: "
        "keep one, or a scan may be trained on and its copy validate the training."
        for numbers in values["copies"]
    ]


def _copies(examined: Sequence[Examined]) -> list[list[int]]:
    found: dict[Any, list[Examined]] = {}
    for each in examined:
        if each.facts is not None:
            key = each.facts.checksum, each.facts.geometry.size
            found.setdefault(key, []).append(each)
    return [
        [each.number for each in same]
        for same in found.values()
        if len({each.case.patient for each in same}) > 1
    ]


def label_lines(values: dict[str, Any]) -> list[str]:
    """What of ``summary`` nobody should miss: labels that are left out, or look wrong."""
    ignored = values["with_ignored"]
    return [
        *([f"With voxels that are ignored: {_count(ignored, 'case')}."] if ignored else []),
        *(
            f"Taken as background: {name!r}, neither vessel nor aneurysm ({_count(count, 'case')})."
            for name, count in values["dropped"].items()
        ),
        *(f"Check the labels: {sentence}" for sentence in values["suspicions"]),
    ]


def _counts(known: Sequence[Known]) -> dict[str, Any]:
    return {
        "patients": len({case.patient for case, _ in known}),
        "aneurysms": sum(facts.aneurysms for _, facts in known),
        "without_aneurysm": sum(not facts.aneurysms for _, facts in known),
        "without_vessel": sum(not facts.vessel_ml for _, facts in known),
        "aneurysm_larger": sum(f.aneurysm_ml > f.vessel_ml > 0 for _, f in known),
        "with_ignored": sum(facts.ignored_ml > 0 for _, facts in known),
        "dropped": dict(sorted(Counter(n for _, f in known for n in {*f.dropped}).items())),
        "uses": dict(sorted(Counter(case.use for case, _ in known).items())),
    }


def _center(known: Sequence[Known]) -> dict[str, Any]:
    facts = [facts for _, facts in known]
    return {
        "cases": len(known),
        **_counts(known),
        "spacing_mm": _range([each.geometry.spacing for each in facts]),
        "size": _range([each.geometry.size for each in facts]),
        "vessel_ml": _range([each.vessel_ml for each in facts]),
        "aneurysm_ml": _range([each.aneurysm_ml for each in facts if each.aneurysms]),
        "intensity": _range([value for each in facts for value in (each.low, each.high)]),
    }


def _range(values: Sequence[Any]) -> list[Any]:
    """The lowest and the highest value, axis by axis."""
    rounded = np.round(values, 3)
    return np.array([rounded.min(axis=0), rounded.max(axis=0)]).tolist() if values else []


def _row(name: str, center: dict[str, Any]) -> dict[str, str | int]:
    return {
        "center": name,
        "cases": center["cases"],
        "patients": center["patients"],
        "spacing (mm)": _limits(center["spacing_mm"]),
        "size (voxels)": _limits(center["size"]),
        "vessel (ml)": _limits(center["vessel_ml"]),
        "aneurysms": center["aneurysms"],
        "aneurysm (ml)": _limits(center["aneurysm_ml"]),
        "intensity": _limits(center["intensity"]),
    }


def _limits(values: list[Any]) -> str:
    """``0.3 - 0.5``, or one number where both limits are the same."""
    texts = [" x ".join(f"{n:g}" for n in np.atleast_1d(value)) for value in values]
    return " - ".join(dict.fromkeys(texts)) or "-"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
