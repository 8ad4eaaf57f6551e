"""Shim: launchers inside a unit. Standard library alone, and nothing of gxo."""
