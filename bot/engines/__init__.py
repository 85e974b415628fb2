"""Engines: the interface that all of them keep (``engine``), and what computes behind it, a room each."""
