"""``gsema surface``: the lumen's wall for a flow simulation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "Write the wall of vessels and aneurysms as a surface for flow simulations."
DETAILS = """
The wall runs smoothly between the voxels and holds their volume. Where a vessel ends, or leaves
the scan, it is cut flat across the vessel and left open, within a few radii. Everywhere else each
edge has two triangles; what is no such surface is refused. Positions are in mm, in LPS, as Slicer
saves models; each file says so.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = DETAILS
    parser.add_argument(
        "labels",
        metavar="LABELS",
        type=Path,
        help="label map (1 vessel, 2 aneurysm) as gsema segment writes it, or Slicer's .seg.nrrd",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        required=True,
        help=".stl; .ply or .vtp, which keep vessel and aneurysm apart",
    )
    parser.add_argument("--closed", action="store_true", help="leave the vessels' ends closed")
    parser.add_argument(
        "--all", action="store_true", help="every part of the lumen; else only the largest"
    )
    parser.add_argument(
        "--split",
        action="store_true",
        help="also write both labels into files of their own, NAME-vessel and NAME-aneurysm",
    )
    parser.add_argument(
        "--report", metavar="FILE.json", type=Path, help="also write sizes, openings and notes"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but notes")


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.files import read_labels
    from gsema_core.files.text_files import check_destinations, write_json
    from gsema_core.surfaces import (
        check_surface_path,
        label_paths,
        lumen_surface,
        write_labels_apart,
        write_surface,
    )
    from gsema_core.surfaces.vtk_library import vtk_module

    vtk_module("vtkFiltersCore")  # where it is missing, say so before anything takes time
    parts = label_paths(arguments.output).values() if arguments.split else ()
    for path in (arguments.output, *parts):
        check_surface_path(path)
    check_destinations((arguments.report, ".json"))
    surface = lumen_surface(
        read_labels(arguments.labels), closed=arguments.closed, all_parts=arguments.all
    )
    write_surface(surface, arguments.output)
    if arguments.split:
        write_labels_apart(surface, arguments.output)
    if arguments.report is not None:
        write_json(surface.to_dict(), arguments.report)
    if not arguments.quiet:
        print("\n".join(surface.lines()))
    notes = list(surface.notes)
    if arguments.output.suffix.lower() == ".stl" and not arguments.split:
        notes.append("STL holds no labels: --split, or a .ply or .vtp file, keeps the sac apart.")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0
