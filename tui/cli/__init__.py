"""The command line: the same core as the screen, for scripts and for terminals without one."""

from tui.cli.root import cli, main

__all__ = ["cli", "main"]
