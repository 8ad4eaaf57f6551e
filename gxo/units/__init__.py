"""Units: a plan compiled to systemd's terms, and the two renderings of a unit (files, D-Bus)."""
