"""Bases: getting one (``prepare``), looking at it before it is used (``check``, ``soundness``, ``limits``), finding it
(``locate``), loading it (``base``, ``quantized``). Only the last two need torch."""
