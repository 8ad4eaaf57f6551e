"""Root: commands that need it say so before they do anything."""

import os

from gxo.cli.exits import NotPermitted


def need_root(what: str) -> None:
    """Raise NotPermitted unless root: rootless user managers are not supported yet."""
    if os.geteuid() != 0:
        raise NotPermitted(
            f"cannot {what}: not root; run it with sudo (gxo does not drive user managers yet)"
        )
