"""Neck planes: where each aneurysm is cut from its vessel, and cutting it elsewhere.

``NeckCut`` takes an aneurysm and its vessel out of the scene and divides them at planes, in the
box and the frame of ``NeckPlace``. ``NeckCuts`` has all of them and makes each cut a step that can
be taken back (``NeckChange``); ``NeckSurfaces`` keeps 3D views up to date meanwhile. ``NeckPlane``
is a plane in the views and what is saved with it; ``NeckFollower`` cuts where planes are moved to.
"""
