"""``python -m gsema_core.worker`` is ``gsema worker``."""

import argparse
import sys

from gsema_core.commands import worker
from gsema_core.machine.cores import wait_passively

wait_passively()
parser = argparse.ArgumentParser(prog="gsema worker", description=worker.HELP)
worker.add_arguments(parser)
sys.exit(worker.run(parser.parse_args()))
