"""What both Slicer modules share: the worker process, and getting images into and out of a scene.

Nothing here imports torch; the heavy work happens in a process of its own. Importing this package
makes ``gsema_core`` importable, also from a source checkout.
"""

from GSEMASegmentationLib.install.CorePackage import coreRoot

coreRoot()
