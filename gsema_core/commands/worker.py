"""``gsema worker``: the process that works for the Slicer panels."""

from __future__ import annotations

import argparse

HELP = "Answer requests in JSON lines on stdin, for the Slicer panels."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preload", metavar="TEACHER", help="load this teacher before the first request"
    )
    parser.add_argument("--device", default="auto", help="for --preload (default: %(default)s)")
    parser.add_argument(
        "--threads",
        metavar="N",
        type=int,
        help="CPU threads (default: one for each core that it may use, but one)",
    )


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.worker.process import serve

    return serve(arguments.preload, arguments.device, arguments.threads)
