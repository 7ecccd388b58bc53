"""The training module's library.

What a console, a script and the panel call is in ``TrainingLogic``; ``ScriptedTraining`` is a whole
training without a panel. The rooms use each other in one direction only: panels, comparison, run,
cases.
"""
