"""Click to segment: from a point in a view to a segment, and back by undo.

``ClickSession`` answers the clicks on a scan one after the other, each by a ``ClickJob``, and
remembers as a ``ClickChange`` what each has changed. ``ClickTarget`` chooses the segment that
takes an aneurysm, ``ClickImport`` puts it there. ``PointPicker`` asks the user for points.
"""
