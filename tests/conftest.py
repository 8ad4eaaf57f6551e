"""Options of all tests, and how property tests draw their cases."""

import os

import pytest
from hypothesis import settings

# The same cases each time where one run must equal another; other ones each time in the soak.
# No deadline: the machine is shared, and a slow moment is no fault of the code.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fresh", deadline=None, print_blob=True)
settings.load_profile("fresh" if os.environ.get("GXO_SOAK") else "same")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the expected files")
