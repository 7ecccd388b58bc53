"""A network that knows small windows, applied to a whole scan.

The journey, in the order of the work: ``window_plan`` pads the scan and decides where windows lie,
``skipping`` which of them show no vessel, ``sliding_window`` runs the network in each, and
``stitching`` puts the answers together.
"""
