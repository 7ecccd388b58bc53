"""What the ``gsema`` command tells whoever started it."""

EXIT_SOME_FAILED = 1
"""The work was done, but not for all scans or cases."""
EXIT_USER_ERROR = 2
EXIT_UNEXPECTED = 70
"""EX_SOFTWARE of BSD's sysexits.h: a mistake of this program."""
EXIT_DEVICE_FAILED = 75
"""EX_TEMPFAIL of BSD's sysexits.h: try again, in a new process. The worker's alone."""
EXIT_CANCELLED = 130
"""What a shell reports for a program stopped by Ctrl-C."""
EXIT_BROKEN_PIPE = 141
"""Likewise by a closed pipe."""
