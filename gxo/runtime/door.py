"""Door: the users of steps let into a workspace that is nobody else's, by entries of its ACL."""

import os
import pwd
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gxo.units.steps import USER

_VERSION = 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_ALL = 7
_NOBODY = 0xFFFFFFFF


class DoorError(Exception):
    """A user cannot be let in; the text says why."""


class Door:
    """One workspace. Who was let in reads and changes all that is made in it from then on, so the
    users expected are let in at once, if they exist yet.

    What is made inherits the entries. Its permission bits for the group, which limit the entries,
    come from the program alone: with an inherited ACL no umask applies (acl(5)).
    """

    def __init__(self, workspace: Path, expected: Iterable[str]) -> None:
        self._workspace = workspace
        self._inside = {workspace.stat().st_uid: USER}
        for user in sorted(set(expected)):
            with suppress(DoorError):  # said when a step of theirs starts
                self.let_in(user)

    def let_in(self, user: str) -> None:
        """Let a user in. Raises DoorError: there is no such user, or this filesystem has no ACLs.

        The owner of the workspace is in already, and root needs no entry.
        """
        if not user or user in self._inside.values():
            return
        number = _number(user)
        inside = {**self._inside, number: user}
        owner = self._workspace.stat().st_uid
        others = sorted(inside.keys() - {owner})
        try:
            os.setxattr(self._workspace, "system.posix_acl_access", _acl(others))
            os.setxattr(self._workspace, "system.posix_acl_default", _acl(sorted(inside)))
        except OSError as error:
            raise DoorError(
                f"cannot let `{user}` into {self._workspace}: {error.strerror}"
            ) from None
        self._inside = inside


def _number(user: str) -> int:
    if user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise DoorError(f"there is no user `{user}`") from None


def _acl(users: list[int]) -> bytes:
    """The entries in the kernel's format (linux/posix_acl_xattr.h), users sorted by number."""
    entries = [
        (_OWNER, _ALL, _NOBODY),
        *((_USER, _ALL, user) for user in users),
        (_GROUP, 0, _NOBODY),
        (_MASK, _ALL, _NOBODY),
        (_OTHER, 0, _NOBODY),
    ]
    head = struct.pack("<I", _VERSION)
    return head + b"".join(struct.pack("<HHI", *entry) for entry in entries)
