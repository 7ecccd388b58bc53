"""The errors that a user is meant to read."""


class UserError(ValueError):
    """Bad input, explained in one sentence.

    The message names the value, says what was expected and what to do about it. The command
    line, the worker and the Slicer panels show it as it is, without a traceback.
    """


class DeviceFailedError(UserError):
    """A processor stopped working while it was in use; only a new process may get it back."""

    code = "device_failed"


class Cancelled(Exception):
    """The user asked for the running work to stop; nothing was written."""
