"""The segmentation module's library, which the training module uses too.

What a console, a script and the panel call is in ``SegmentationLogic``; the panel's choices are in
``ParameterNode``. The rooms use each other in one direction only: panels and the logic use click,
then worker, measure, scene and install. Nothing here imports torch: the heavy work happens in a
process of its own.

Importing this package makes ``gsema_core`` importable, also from a source checkout.
"""

from GSEMASegmentationLib.install.CorePackage import coreRoot

coreRoot()
