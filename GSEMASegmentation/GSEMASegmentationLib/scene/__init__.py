"""Volumes out of the scene, segments into it.

``VolumeChoice`` and ``VoxelCheck`` say whether a volume can be segmented, ``VolumeFiles`` writes it
for the worker. ``LabelImport`` reads the worker's label map, ``SegmentContent`` takes it apart, and
``SegmentationOutput`` puts the segments into the scene.
"""
