"""Training: the process (``trainer``), the loop (``training``), its data, and what makes it fast on a CPU."""
