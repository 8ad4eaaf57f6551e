"""Kinds of values that name things of the host: users, paths, capabilities, networks, signals."""

import re
from typing import TYPE_CHECKING

from yaml import Node, SequenceNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.kinds import Bool, Kind, Schema, Text, line, out_of_range
from gxo.language.reader import Reader
from gxo.spec.host import CALL_GROUPS, CAPABILITIES, NETWORKS, USER
from gxo.spec.lifecycle import Address, ReadyKind

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import names as name_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    name_faults = Lazy("gxo.diagnostic.names")


# in the order of the alphabet, for those who read the schema
_CAPABILITIES = tuple(sorted(CAPABILITIES))
_SIGNAL_NAMES = "HUP INT QUIT ABRT ALRM TERM USR1 USR2 CHLD CONT TSTP TTIN TTOU URG WINCH IO PWR"
SIGNALS = tuple(f"SIG{name}" for name in _SIGNAL_NAMES.split())

USER_NAME = Text(
    "the name of a user",
    pattern=USER,
    form="a user's name or number",
    advice="a name is made of letters, digits, `_`, `-` and `.`, at most 31 of them",
)


class AbsolutePath(Kind):
    """A path from `/`, without `..`."""

    __slots__ = ()
    takes = "an absolute path"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        value: str = found.value
        if value.startswith("/") and ".." not in value.split("/"):
            return value
        advice = "begin it with `/`" if not value.startswith("/") else "write it without `..`"
        reader.problems.append(
            key_faults.BadForm(
                span=reader.span(found), key=key, value=value, form=self.takes, advice=advice
            )
        )
        return None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^/"}


class InnerPath(Kind):
    """A path within the workspace: relative, and nowhere above it."""

    __slots__ = ()
    takes = "a path within the workspace"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        value: str = found.value
        if not value.startswith("/") and ".." not in value.split("/"):
            return value
        reader.problems.append(
            key_faults.BadForm(
                span=reader.span(found),
                key=key,
                value=value,
                form=self.takes,
                advice="write it relative to the workspace, without `..`",
            )
        )
        return None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[^/]"}


class Capability(Kind):
    __slots__ = ()
    takes = "a capability such as `CAP_NET_BIND_SERVICE`"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None or found.value in _CAPABILITIES:
            return None if found is None else str(found.value)
        reader.problems.append(
            name_faults.UnknownCapability(
                span=reader.span(found), name=found.value, known=_CAPABILITIES
            )
        )
        return None

    def schema(self) -> Schema:
        return {"enum": list(_CAPABILITIES)}


class SystemCall(Kind):
    """A system call's name, or a group of them such as `@network-io`."""

    __slots__ = ()
    takes = "a system call such as `ptrace` or a group such as `@network-io`"
    _FORM = re.compile(r"[a-z_][a-z0-9_]{0,63}")

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        value: str = found.value
        if value in CALL_GROUPS or self._FORM.fullmatch(value):
            return value
        span = reader.span(found)
        if value.startswith("@"):
            reader.problems.append(
                key_faults.NotOneOf(span=span, key=key, value=value, choices=CALL_GROUPS)
            )
        else:
            reader.problems.append(
                key_faults.BadForm(span=span, key=key, value=value, form=self.takes)
            )
        return None

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"enum": list(CALL_GROUPS)},
                {"type": "string", "pattern": f"^{self._FORM.pattern}$"},
            ]
        }


class Network(Kind):
    """An address, a prefix, or one of systemd's words."""

    __slots__ = ()
    takes = "a network such as `10.0.0.0/8`"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None or found.value in NETWORKS:
            return None if found is None else str(found.value)
        from ipaddress import ip_network

        try:
            ip_network(found.value)
        except ValueError:
            reason = _why_no_network(found.value)
            reader.problems.append(
                name_faults.BadNetwork(span=reader.span(found), value=found.value, reason=reason)
            )
            return None
        return str(found.value)

    def schema(self) -> Schema:
        return {"type": "string"}


def _why_no_network(value: str) -> str:
    from ipaddress import ip_address, ip_network

    address, _, prefix = value.partition("/")
    try:
        longest = ip_address(address).max_prefixlen
    except ValueError:
        return "that is no IPv4 or IPv6 address"
    try:
        ip_network(value, strict=False)
    except ValueError:
        return f"`{prefix}` is no prefix length, which is 0 to {longest}"
    return "the address has bits behind its prefix set"


class Degradable(Kind):
    """`true` or `false` for all directives, or a list of those that may be missing."""

    __slots__ = ()
    takes = "`true`, `false` or a list of directives such as `[IOWeight]`"
    _FORM = re.compile(r"[A-Z][A-Za-z]{1,63}")

    def read(self, reader: Reader, node: Node, key: str) -> bool | tuple[str, ...] | None:
        if not isinstance(node, SequenceNode):
            return Bool().read(reader, node, key)
        names = []
        for item in node.value:
            found = line(reader, item, key, "the name of a directive")
            if found is not None and not self._FORM.fullmatch(found.value):
                reader.wrong(found, key, "names of directives such as `IOWeight`")
            elif found is not None:
                names.append(str(found.value))
        return tuple(names)

    def schema(self) -> Schema:
        names = {"type": "string", "pattern": f"^{self._FORM.pattern}$"}
        return {"anyOf": [{"type": "boolean"}, {"type": "array", "items": names}]}


class CpuQuota(Kind):
    """Thousandths of a percent of one CPU, of `150%` or `1.5`."""

    __slots__ = ()
    takes = "a share of CPUs such as `150%` or `1.5`"
    _FORM = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,5}))?(%?)")

    def read(self, reader: Reader, node: Node, key: str) -> int | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        form = self._FORM.fullmatch(found.value)
        if not form:
            reader.wrong(found, key, self.takes)
            return None
        digits = 3 if form[3] else 5
        fraction = form[2] or ""
        value = int(form[1] + fraction[:digits].ljust(digits, "0"))
        # systemd gives a share of each period of 100 ms, at least 1 ms: systemd.resource-control(5)
        if value < 1000 or fraction[digits:].strip("0"):
            out_of_range(reader, found, key, "1%, or 0.01", None)
            return None
        return value

    def schema(self) -> Schema:
        return {"type": ["string", "number"], "pattern": f"^{self._FORM.pattern}$"}


class Rate(Kind):
    """Events a second, of `10/s`, `100/m`, `1000/h` or a plain number."""

    __slots__ = ()
    takes = "a rate such as `10/s` or `100/m`"
    _FORM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(?:/(s|m|h))?")
    _SECONDS = {"s": 1, "m": 60, "h": 3600}

    def read(self, reader: Reader, node: Node, key: str) -> float | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        form = self._FORM.fullmatch(found.value)
        if not form:
            reader.wrong(found, key, self.takes)
            return None
        value = float(form[1]) / self._SECONDS[form[2] or "s"]
        if value <= 0:
            out_of_range(reader, found, key, "0", None, above=True)
            return None
        return value

    def schema(self) -> Schema:
        return {"type": ["string", "number"], "pattern": f"^{self._FORM.pattern}$"}


class Reload(Kind):
    """A signal's name, or a command with its arguments as a list."""

    __slots__ = ()
    takes = "a signal such as `SIGHUP`, or a list of a command and its arguments"

    def read(self, reader: Reader, node: Node, key: str) -> str | tuple[str, ...] | None:
        if isinstance(node, SequenceNode):
            words = [line(reader, item, key, "text") for item in node.value]
            if not words:
                reader.wrong(node, key, self.takes)
                return None
            return tuple([str(word.value) for word in words if word is not None])
        found = line(reader, node, key, self.takes)
        if found is None or found.value in SIGNALS:
            return None if found is None else str(found.value)
        value: str = found.value
        if value.startswith("/") or " " in value:
            reader.wrong(
                found, key, self.takes, f"a command is a list: [{', '.join(value.split())}]"
            )
            return None
        signal = "SIG" + value.upper().removeprefix("SIG")
        reader.problems.append(
            key_faults.NotOneOf(
                span=reader.span(found),
                key=key,
                value=value,
                choices=(signal,) if signal in SIGNALS else SIGNALS,
                other="a list of a command and its arguments",
            )
        )
        return None

    def schema(self) -> Schema:
        words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {"anyOf": [{"enum": list(SIGNALS)}, words]}


class ReadyWhen(Kind):
    """`exec`, `notify`, or a TCP address that must accept a connection."""

    __slots__ = ()
    takes = "`exec`, `notify` or a TCP address such as `127.0.0.1:80`"

    def read(self, reader: Reader, node: Node, key: str) -> ReadyKind | Address | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        value: str = found.value
        if value in ("exec", "notify"):
            return ReadyKind(value)
        if ":" not in value and not value.isdecimal():
            reader.problems.append(
                key_faults.NotOneOf(
                    span=reader.span(found),
                    key=key,
                    value=value,
                    choices=("exec", "notify"),
                    other="a TCP address such as `127.0.0.1:80`",
                )
            )
            return None
        from gxo.language.address import parse_address

        return reader.parsed(parse_address, found)

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": ["exec", "notify"]}, {"type": "string", "pattern": ":[0-9]+$"}]}


class Const(Kind):
    """The one word a key takes."""

    __slots__ = ("_word", "takes")

    def __init__(self, word: str) -> None:
        self._word = word
        self.takes = f"`{word}`"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None or found.value == self._word:
            return None if found is None else self._word
        reader.problems.append(
            key_faults.NotOneOf(
                span=reader.span(found), key=key, value=found.value, choices=(self._word,)
            )
        )
        return None

    def schema(self) -> Schema:
        return {"const": self._word}
