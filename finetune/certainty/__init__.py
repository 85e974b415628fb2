"""Certainty: the calibrated chance that a reply would be left as it stands.

``nearness`` finds what a version was taught that is like a question. ``features`` is what is looked at of a reply,
``chances`` the small model that makes one number of it, ``calibration`` that model as it is kept for a version, with
what it did on the questions it was fitted on: from that follows which replies are given and which are handed over.
``calibrating`` fits it in a run, ``risk`` compares two versions at equal risk.

Nothing here imports numpy or an engine at its start: the app gets its numbers from ``nearness`` and ``calibration``.
"""
