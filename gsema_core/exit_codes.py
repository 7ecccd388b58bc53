"""How the ``gsema`` command ends, as a number; docs/reference/exit_codes.md has the table."""

EXIT_SOME_FAILED = 1
"""The work was done, but not for all scans or cases; or it broke off on the way."""
EXIT_USER_ERROR = 2
"""Refused: the options, the input or the place of the output. The same again ends the same way."""
EXIT_UNEXPECTED = 70
"""EX_SOFTWARE of BSD's sysexits.h: a mistake of this program."""
EXIT_STOPPED = 75
"""EX_TEMPFAIL of BSD's sysexits.h: stopped by a request; the same command goes on."""
EXIT_DEVICE_FAILED = 75
"""Likewise, of the worker: only a new process gets the GPU back."""
EXIT_BROKEN_PIPE = 141
"""What a shell reports for a program stopped by a closed pipe."""
