"""The process that works for the Slicer panels: ``python -m gsema_core.worker``.

Requests come as one JSON object a line on stdin, answers go out the same way on stdout with the
prefix ``@gsema ``. ``protocol`` says what they look like; stderr is the log.
"""
