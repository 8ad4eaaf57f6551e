"""Where this host gets its Debian packages, told for another Debian release."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from machine.error import MachineError
from machine.process import run

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One archive and one suite of it, such as `bookworm-security`."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str | None

    def line(self) -> str:
        """As in sources.list(5)."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {option}{self.uri} {self.suite} {' '.join(self.components)}"


def lines_for(codename: str, *, etc: Path = Path("/etc")) -> tuple[str, ...]:
    """Lines of sources.list(5): this host's own archives, with `codename` for its release.

    Third-party archives are left out. Raises MachineError if no Debian archive is configured.
    """
    host = _codename((etc / "os-release").read_text())
    of_release = re.compile(rf"{re.escape(host)}(|-updates|-security)")
    keyring = str(DEBIAN_KEYRING) if DEBIAN_KEYRING.exists() else None
    sources = (
        Source(
            uri=source.uri,
            suite=codename + match[1],
            components=("main",),
            signed_by=source.signed_by or keyring,
        )
        for source in _configured(etc / "apt")
        if (match := of_release.fullmatch(source.suite)) and "main" in source.components
    )
    lines = tuple(dict.fromkeys(source.line() for source in sources))
    if not lines:
        raise MachineError(
            f"cannot find Debian's packages: no apt source of this host has the suite `{host}`"
        )
    return lines


def options() -> tuple[str, ...]:
    """How this host's apt fetches (proxy, checks of dates), as apt.conf(5) lines."""
    wanted = re.compile(r'Acquire::(?:https?::[\w:.-]+|Check-(?:Valid-Until|Date)) "[^"]+";')
    dump = run("read apt's configuration", ["apt-config", "dump"])
    return tuple(line for line in dump.splitlines() if wanted.fullmatch(line))


def _codename(os_release: str) -> str:
    match = re.search(r'^VERSION_CODENAME="?([\w-]+)"?$', os_release, re.MULTILINE)
    if not match:
        raise MachineError("cannot find Debian's packages: this host's os-release has no code name")
    return match[1]


def _configured(apt: Path) -> Iterator[Source]:
    for path in (apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))):
        if path.exists():
            yield from _one_line(path.read_text())
    for path in sorted(apt.glob("sources.list.d/*.sources")):
        yield from _deb822(path.read_text())


def _one_line(text: str) -> Iterator[Source]:
    entry = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#\n]+)", re.MULTILINE)
    for options_, uri, suite, components in entry.findall(text):
        signed_by = re.search(r"signed-by=(/\S+)", options_)
        yield Source(
            uri=uri,
            suite=suite,
            components=tuple(components.split()),
            signed_by=signed_by[1] if signed_by else None,
        )


def _deb822(text: str) -> Iterator[Source]:
    text = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        field = re.compile(r"^([\w-]+):((?:.*(?:\n[ \t].*)*))", re.MULTILINE)
        values = {name.lower(): value.split() for name, value in field.findall(stanza)}
        if "deb" not in values.get("types", []) or values.get("enabled") == ["no"]:
            continue
        # A key may also stand in the field itself; only a path can be handed on.
        signed_by = next((v for v in values.get("signed-by", []) if v.startswith("/")), None)
        for uri in values.get("uris", []):
            for suite in values.get("suites", []):
                yield Source(
                    uri=uri,
                    suite=suite,
                    components=tuple(values.get("components", [])),
                    signed_by=signed_by,
                )
