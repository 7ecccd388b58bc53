"""Where a first click may lie. No numpy here: panels read it before anything is installed."""

KINDS = ("anywhere", "middle", "near_wall", "beside")
"""In the sac, at its deepest point, in its outermost 0.75 mm, or up to 2 mm outside of it."""
