"""Debian machines in software emulation, booted once and restored for every run."""
