"""Options of all tests, and how property tests draw their cases."""

import os
import signal

import pytest
from hypothesis import settings

# A job in the background has SIGINT ignored, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same cases each time where one run must equal another; other ones each time in the soak.
# No deadline: the machine is shared, and a slow moment is no fault of the code.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fresh", deadline=None, print_blob=True)
settings.load_profile("fresh" if os.environ.get("GXO_SOAK") else "same")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the expected files")
