"""TCP endpoints: the table of what is read and refused."""

import json
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.diagnostic import Problem
from gxo.language.address import parse_address
from gxo.spec.lifecycle import Address
from tests.unit.small import marked, table, text


@pytest.mark.parametrize(("value", "said"), table("address"))
def test_address(value: str, said: list[str]) -> None:
    """Each form of an endpoint, and what is said of the rest."""
    problems: list[Problem] = []
    found = parse_address(text(value), problems)
    lines = [f"= host {json.dumps(found.host)} port {found.port}"] if found else []
    assert lines + [line for problem in problems for line in marked(problem)] == said


@given(st.ip_addresses(), st.integers(1, 65535))
def test_every_ip_address_is_one(address: IPv4Address | IPv6Address, port: int) -> None:
    """Any address of either family is read back, IPv6 in brackets."""
    host = f"[{address}]" if address.version == 6 else str(address)
    assert parse_address(text(f"{host}:{port}"), []) == Address(str(address), port)


@given(st.text(alphabet="[]:.-_%a0123456789 \n/é", max_size=30))
def test_any_text_is_read_or_refused(value: str) -> None:
    """Either an endpoint whose host cannot carry anything else, or a problem."""
    problems: list[Problem] = []
    found = parse_address(text(value), problems)
    assert (found is None) == bool(problems)
    if found is not None:
        assert set(found.host) <= set("abcdef0123456789.:-_")
        assert 1 <= found.port <= 65535
