"""``gsema simulate``: image label maps or phantoms with simulated scanners."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gsema_core.commands.arguments import names
from gsema_core.errors import UserError

if TYPE_CHECKING:
    from gsema_core.simulation.many_cases import SimulatedCase

HELP = "Image label maps or phantoms with the simulated scanners of four centers."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "manifest",
        metavar="MANIFEST",
        nargs="?",
        type=Path,
        help="JSON list of objects with patient, center and label (a path relative to the list)",
    )
    parser.add_argument("--phantoms", metavar="N", type=int, help="N phantoms, no manifest")
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of images, labels and datalist.json",
    )
    parser.add_argument(
        "--centers", metavar="A,B", type=names, default=[], help="only scanners of these centers"
    )
    parser.add_argument(
        "--patients", metavar="P,Q", type=names, default=[], help="only these patients"
    )
    parser.add_argument(
        "--test-patients",
        metavar="P,Q",
        type=names,
        default=[],
        help="mark these patients' cases for testing in the datalist: never trained on",
    )
    parser.add_argument(
        "--validation-patients",
        metavar="P,Q",
        type=names,
        default=[],
        help="likewise for choosing the best weights",
    )
    parser.add_argument("--limit", metavar="N", type=int, help="the first N cases only")
    parser.add_argument(
        "--model",
        choices=("auto", "cone_beam", "light"),
        default="auto",
        help="cone_beam needs itk-rtk; light is blur, noise and shading; auto takes what is there, "
        "and with --world each for half of the scans",
    )
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="processes (default 1)")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of first phantom and random scanners (default 0)",
    )
    parser.add_argument(
        "--randomize", action="store_true", help="a random scanner for every phantom or patient"
    )
    parser.add_argument(
        "--variants",
        metavar="N",
        type=int,
        default=1,
        help="with --randomize: image every patient of the manifest N times (default 1)",
    )
    _add_world(parser.add_argument_group("a larger world"))


def _add_world(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--world",
        metavar="N",
        type=int,
        help="N scans of a larger world, of a manifest of whole artery trees: fields of view "
        "anywhere, injections into one artery, with and without aneurysms",
    )
    group.add_argument(
        "--held-out-scanner",
        action="store_true",
        help="scans by a scanner and with a bone that no other scan of it has, for "
        "choosing between networks",
    )
    group.add_argument(
        "--neck-rule",
        action="store_true",
        help="divide all aneurysms from their vessels by one rule, a taut membrane "
        "across the neck near the given line",
    )


def run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    from gsema_core.simulation import manifest
    from gsema_core.simulation.many_cases import image_cases

    uses = dict.fromkeys(arguments.validation_patients, "validation")
    uses |= dict.fromkeys(arguments.test_patients, "test")
    if arguments.phantoms:
        cases = manifest.phantom_cases(
            arguments.phantoms, arguments.seed, arguments.centers, arguments.randomize
        )
    else:
        cases = manifest.read_manifest(arguments.manifest)
    _check_names(uses, cases)
    if arguments.manifest:
        cases = manifest.select(cases, arguments.centers, arguments.patients)
        if arguments.world:
            _make_world(cases, uses, arguments)
            return 0
        if arguments.randomize:
            cases = manifest.randomize(cases, arguments.variants, arguments.seed)
    cases = cases[: arguments.limit]
    image_cases(cases, arguments.output, arguments.model, arguments.jobs, uses)
    return 0


def _make_world(
    cases: list[SimulatedCase], uses: dict[str, str], arguments: argparse.Namespace
) -> None:
    from gsema_core.simulation.acquisition import resolve_model
    from gsema_core.simulation.world.world_cases import make_world
    from gsema_core.simulation.world.world_plan import CONE_BEAM, plan_world

    cone_beam = float(resolve_model(arguments.model) == "cone_beam")
    if arguments.model == "auto":
        cone_beam *= CONE_BEAM
    scans = plan_world(
        cases, arguments.world, arguments.seed, cone_beam, uses,
        held_out=arguments.held_out_scanner, neck_rule=arguments.neck_rule,
    )  # fmt: skip
    make_world(scans[: arguments.limit], arguments.output, arguments.jobs)


def _check_names(uses: dict[str, str], cases: list[SimulatedCase]) -> None:
    """A mistyped name would leave a patient for testing among those that are trained on."""
    unknown = sorted(set(uses) - {case.patient for case in cases})
    if unknown:
        raise UserError(
            f"There is no patient {unknown[0]!r} to be kept for {uses[unknown[0]]}: correct the "
            "name."
        )


def _check(arguments: argparse.Namespace) -> None:
    for name in ("phantoms", "limit", "jobs", "variants", "world"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UserError(f"--{name} is {value}: give a number from 1 on.")
    if arguments.seed < 0:
        raise UserError(f"--seed is {arguments.seed}: give a number from 0 on.")
    if (arguments.manifest is None) == (arguments.phantoms is None):
        raise UserError("Give a manifest or --phantoms N (one of them) to say what to image.")
    if arguments.world and (arguments.phantoms or arguments.randomize):
        raise UserError(
            "--world gives every scan a scanner of its own and needs a manifest of whole artery "
            "trees: leave out --phantoms and --randomize."
        )
    for name in ("held_out_scanner", "neck_rule"):
        if getattr(arguments, name) and not arguments.world:
            option = "--" + name.replace("_", "-")
            raise UserError(f"{option} belongs to --world N: give both, or leave it out.")
    twice = sorted(set(arguments.test_patients) & set(arguments.validation_patients))
    if twice:
        raise UserError(
            f"Patient {twice[0]} is for testing and for validation: name every patient once."
        )
    if arguments.patients and arguments.phantoms:
        raise UserError("--patients chooses from a manifest: leave it out with --phantoms.")
    if arguments.randomize and arguments.phantoms and arguments.centers:
        raise UserError(
            "--randomize gives every phantom a scanner of its own: leave out --centers."
        )
    if arguments.variants > 1 and (arguments.phantoms or not arguments.randomize):
        raise UserError(
            "--variants images a manifest's patients with several random scanners: use it with a "
            "manifest and --randomize."
        )
