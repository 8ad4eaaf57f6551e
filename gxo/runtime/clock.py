"""Clock: instants as the state keeps them."""

import time


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
