"""How much a playbook may hold: far beyond any real one, well below what hurts."""

FILE_BYTES = 16 * 1024 * 1024
DEPTH = 64
"""Levels of lists and maps within each other."""
VALUES = 1_000_000
"""Keys, scalars, lists and maps of one document, aliases counted as often as they are used."""
NAME = 64
"""Characters of a playbook's, workload's or registered name."""
UNIT_NAMES = 200
"""Of playbook and workload together as systemd escapes them: a unit's name ends at 255."""
TEXT = 1024 * 1024
"""Characters of one string."""
FAULTS = 100
"""Problems of one kind of a broken file (control characters): more help nobody."""
