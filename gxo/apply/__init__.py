"""Apply: desired against live, carried out on systemd; recorded, undone, restored after a boot."""
