"""Measuring in a process of its own: an order on stdin, its answer on stdout (see ``orders``).

Only numpy and scipy are loaded, so that it is quick; Slicer's panels use it.
"""

import sys

from gsema_core.measurements.orders import answer_text

if __name__ == "__main__":
    print(answer_text(sys.stdin.read()))
