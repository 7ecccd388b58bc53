"""Measuring in a process of its own: orders on stdin, answers on stdout, in lines (see ``orders``).

Only numpy and scipy are loaded, so that it is quick; Slicer's panels use it.
"""

import sys

from gsema_core.measurements.orders import answer_text

if __name__ == "__main__":
    for order in sys.stdin:
        print(answer_text(order), flush=True)
