"""The labelled scans of a training.

``SceneCases`` finds them in the scene, ``CaseReader`` in files; ``CaseList`` keeps them with the
scene, ``CaseFiles`` saves them as a list, and ``CaseExport`` writes the copies that are trained on.
"""
