"""Moment: what the template functions `now` and `uuid` yield in a run."""

from __future__ import annotations

import datetime


def now() -> str:
    """The time in UTC, RFC 3339, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uuid() -> str:
    """A random UUID."""
    from uuid import uuid4  # seldom called, and slow to load

    return str(uuid4())
