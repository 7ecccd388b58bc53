"""What single settings of a recipe are worth: many short runs that differ in one setting each.

    python Testing/benchmarks/recipes.py cases/datalist.json docs/benchmark/base.toml \
        --output recipes --minutes 3 [--only "no contrast" ...]

Every run has the same minutes for its steps, from random weights: what is dear must pay for itself.
Prints a Markdown table of the scores on the cases kept out for validation, through the whole way of
``gsema segment`` but without a bar on certainty: so young a teacher is sure of nothing.
A run that is finished is not repeated. Two more seeds of the first row say what is chance.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gsema_core.configuration.toml_files import read_toml
from gsema_core.datasets import choose_cases, find_cases
from gsema_core.evaluation import score_teacher, summarize_cases
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.teachers import load_teacher
from gsema_core.text_tables import markdown_table
from gsema_core.training import TrainingConfig, train

Sections = dict[str, dict[str, Any]]

RECIPES: dict[str, Sections] = {
    "as given": {},
    "as given, seed 1": {"run": {"seed": 1}},
    "as given, seed 2": {"run": {"seed": 2}},
    "aneurysms weigh 4 in the cross-entropy": {"optimization": {"class_weights": [1.0, 1.0, 4.0]}},
    "40 % of the patches near an aneurysm": {"data": {"aneurysm_share": 0.4}},
    "24 features": {"network": {"features": 24}},
    "one stage more, patches of 64^3": {"network": {"stages": 4}, "data": {"patch": [64, 64, 64]}},
    "learning rate 3e-4": {"optimization": {"learning_rate": 3e-4}},
    "learning rate 3e-3": {"optimization": {"learning_rate": 3e-3}},
    "target transform gin_ipa": {"method": {"transform": ["gin_ipa"]}},
    "target transform: intensity": {"method": {"transform": ["intensity"]}},
    "alpha 0.9": {"method": {"alpha_aligned": 0.9}},
    "Dice smoothed by 50 voxels": {"optimization": {"dice_smoothing": 50.0}},
    "no contrast": {"method": {"volume_contrast": False, "boundary_contrast": False}},
    "intensities up to the percentile 99.99": {"data": {"high_percentile": 99.99}},
    "patches of 64^3": {"data": {"patch": [64, 64, 64]}},
    "0.5 mm": {"data": {"spacing_mm": 0.5}},
    "0.5 mm, patches of 80^3": {"data": {"spacing_mm": 0.5, "patch": [80, 80, 80]}},
    "Swin-UNet": {"network": {"kind": "swin_unet"}},
    "fp32": {"run": {"precision": "fp32"}},
}


def main() -> None:
    arguments = parse()
    rows = []
    for name in arguments.only or RECIPES:
        folder = arguments.output / name.replace(" ", "_").replace("^", "").replace("%", "percent")
        kept = folder / "row.json"
        if not kept.is_file():
            kept_row = row(name, run_config(arguments, name, folder.resolve()), arguments.datalist)
            kept.write_text(json.dumps(kept_row) + "\n", encoding="utf-8")
        rows.append(json.loads(kept.read_text(encoding="utf-8")))
        print(rows[-1], file=sys.stderr, flush=True)
    print(markdown_table(rows))


def run_config(arguments: argparse.Namespace, name: str, folder: Path) -> TrainingConfig:
    tables = with_changes(read_toml(arguments.config), RECIPES[name])
    config = TrainingConfig.from_dict(tables)
    return replace(
        config,
        data=replace(
            config.data,
            datalist=arguments.datalist.resolve(),
            cache=arguments.output.resolve() / "prepared",
        ),
        run=replace(
            config.run,
            output=folder,
            minutes=arguments.minutes,
            steps=1_000_000,
            validate_every=1_000_000,
        ),
    )


def with_changes(tables: Mapping[str, Any], changes: Sections) -> dict[str, Any]:
    sections = set(changes) | set(tables)
    return {
        each: {**tables.get(each, {}), **changes.get(each, {})}
        if isinstance(tables.get(each, {}), Mapping)
        else tables[each]
        for each in sections
    }


def row(name: str, config: TrainingConfig, datalist: Path) -> dict[str, Any]:
    result = train(config)
    if not (result.finished and result.teacher):
        raise SystemExit(f"The run {name!r} was stopped; the same command goes on from there.")
    cases = choose_cases(find_cases(datalist), use="validation")
    settings = SegmentationSettings(
        minimum_certainty=0.0, walls_by_scan=False, threads=config.run.threads
    )
    scores = score_teacher(Segmenter(load_teacher(result.teacher)), cases, settings)
    summary = summarize_cases(scores)
    missed = summary["lesions"]["missed_share"]
    return {
        "what": name,
        "steps": result.step,
        "aneurysm Dice": summary["aneurysm"]["dice"]["mean"],
        "median": summary["aneurysm"]["dice"]["median"],
        "missed": f"{missed['count']} of {missed['of']}",
        "false positives a case": summary["lesions"]["false_positives_per_case"]["value"],
        "vessel Dice": summary["vessel"]["dice"]["mean"],
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("config", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--only", nargs="+", choices=RECIPES, help="these rows and no others")
    return parser.parse_args()


if __name__ == "__main__":
    main()
