"""After the segmentation: decisions and edits by the user, and measurements that keep up with them.

``Rejection`` turns false aneurysms into vessel and back. ``Measuring`` knows which rows of a table
are out of date, ``BackgroundMeasurement`` measures them in a process of its own, and
``MeasurementWatch`` has both done when somebody edits.
"""
