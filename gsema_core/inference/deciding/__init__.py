"""From the windows' probabilities to labels on the scan's own grid.

The journey, in the order of the work:

1. ``certainty``: aneurysms that the teacher is not sure of become vessel, on the working grid.
2. ``walls``: the scan's own intensities say where the wall of the lumen lies.
3. ``original_grid``: probabilities are interpolated to the scan's grid, corrected by the walls, and
   every voxel gets its class.
4. ``cleaning``: what is anatomically impossible is removed from the labels.
"""
