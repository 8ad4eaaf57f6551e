"""TCP endpoints: `127.0.0.1:80`, `[::1]:80`, `localhost:80`, and `:80` for every address."""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gxo.diagnostic import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.finding import Finding, place
from gxo.language.lalr import ParseError, Token
from gxo.language.parser import fast
from gxo.source import Text
from gxo.spec.lifecycle import Address

if TYPE_CHECKING:
    from gxo.diagnostic import quantity as faults
else:
    faults = Lazy("gxo.diagnostic.quantity")

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_LONGEST_NAME = 253


def parse_address(text: Text, problems: list[Problem]) -> Address | None:
    """The endpoint, its host without brackets; or None with a problem added."""
    address, findings = _read(text.text)
    place(text, findings, problems)
    return address


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[Address | None, tuple[Finding, ...]]:
    try:
        tokens = list(fast("address").parse(text).tokens())
    except ParseError:
        return _wrong(0, len(text), partial(faults.AddressSyntax, text=text))
    colons = [token for token in tokens if token.type == "COLON"]
    if not tokens:
        return _wrong(0, 0, partial(faults.AddressSyntax, text=text))
    if len(colons) > 1:
        instead = _bracketed(text) if tokens[0].type != "BRACKETED" else None
        return _wrong(0, len(text), partial(faults.AddressSyntax, text=text, instead=instead))
    if not colons or tokens[-1].type == "COLON":
        return _wrong(0, len(text), partial(faults.PortMissing, host=text))
    port = tokens[-1]
    findings = []
    if not (port.text.isascii() and port.text.isdigit() and _is_port(port.text)):
        findings.append(Finding(port.start, port.end, partial(faults.BadPort, text=port.text)))
    host, wrong = _host(tokens[0]) if tokens[0].type != "COLON" else ("", None)
    if wrong is not None:
        findings.append(Finding(tokens[0].start, tokens[0].end, wrong))
    return (None if findings else Address(host, int(port.text))), tuple(findings)


def _wrong(
    start: int, end: int, problem: Callable[..., Problem]
) -> tuple[None, tuple[Finding, ...]]:
    return None, (Finding(start, end, problem),)


def _is_port(digits: str) -> bool:
    return len(digits) <= 5 and 1 <= int(digits) <= 65535


def _host(token: Token) -> tuple[str, Callable[..., Problem] | None]:
    """The host, and what is wrong with it."""
    if token.type == "BRACKETED":
        host = token.text[1:-1]
        return host, None if _is_ipv6(host) else partial(
            faults.BadHost, text=host, kind="an IPv6 address"
        )
    host = token.text
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdigit():
        return host, None if _is_ipv4(host) else partial(
            faults.BadHost, text=host, kind="an IPv4 address"
        )
    named = len(host) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in labels)
    return host, None if named else partial(faults.BadHost, text=host, kind="a host name")


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    plain = all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts)
    return len(parts) == 4 and plain and all(str(int(p)) == p and int(p) < 256 for p in parts)


def _is_ipv6(text: str) -> bool:
    """Without a zone (`%eth0`): its text would reach systemd as it stands."""
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def _bracketed(text: str) -> str | None:
    """`::1:80` read as an address and a port, or as an address alone; None where it is neither."""
    host, _, port = text.rpartition(":")
    if port.isascii() and port.isdigit() and _is_port(port) and _is_ipv6(host):
        return f"[{host}]:{port}"
    return f"[{text}]:80" if _is_ipv6(text) else None
