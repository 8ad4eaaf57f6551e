"""Reading the configuration: typed, with every problem in one go."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.config.model import (
    Config,
    Credentials,
    Directory,
    Environment,
    ModulePolicy,
    Modules,
    Program,
    Provider,
)
from gxo.config.places import read_values, shape
from gxo.config.table import MODULES, PROVIDERS, SECRETS, TOP, Key, Takes
from gxo.dataclass import replace
from gxo.diagnostic.base import Problem, sort_problems
from gxo.diagnostic.lazy import Lazy
from gxo.source import Source, Span
from gxo.template.fault import Failure
from gxo.template.value import ListValue, Literal, MapValue, Value, literal_data

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

PLACE = Path("/etc/gxo/config.yaml")
"""Where it lies unless GXO_CONFIG says otherwise."""
LONGEST = 1 << 20
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SLOWEST = 300


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.span}: {problem.message()}" for problem in problems))
        self.problems = problems


def load_config(named: str = "") -> Config:
    """The configuration at the path named, else that of the host; ConfigError.

    No file is the default, unless it was named.
    """
    path = Path(named) if named else PLACE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if not named:
            return Config()
        raise ConfigError((yaml_faults.FileMissing(span=_whole(path)),)) from None
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise ConfigError((yaml_faults.CannotRead(span=_whole(path), reason=reason),)) from None
    if len(data) > LONGEST:
        raise ConfigError((yaml_faults.FileTooBig(span=_whole(path), limit=LONGEST),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = yaml_faults.NotUtf8(span=_whole(path), byte=data[error.start])
        raise ConfigError((fault,)) from None
    config, problems = read_config(Source(str(path), text))
    if problems:
        raise ConfigError(problems)
    return config


def read_config(source: Source) -> tuple[Config, tuple[Problem, ...]]:
    """What a text says, and all that is wrong with it."""
    reader = _Reader([])
    found = read_values(source, reader.problems)
    providers, modules = Config().providers, Modules()
    if found is not None and not _is_nothing(found):
        top = reader.section(found, "the configuration", TOP)
        if (secrets := top.get("secrets")) is not None:
            given = reader.section(secrets, "`secrets`", SECRETS)
            if (listed := given.get("providers")) is not None:
                providers = reader.providers(listed)
        if (outside := top.get("modules")) is not None:
            modules = reader.modules(outside)
    return Config(providers, modules), sort_problems(reader.problems)


class _Reader:
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def section(self, value: Value, name: str, keys: tuple[Key, ...]) -> Mapping[str, Value]:
        """The values of a map by their keys, those alone that it may have."""
        if not isinstance(value, MapValue):
            self.wrong(value, name.strip("`"), Takes.SECTION)
            return {}
        known = {key.name: key for key in keys}
        found: dict[str, Value] = {}
        for written, entry in value.entries:
            if written.text not in known:
                self.problems.append(
                    key_faults.UnknownKey(
                        span=written.span, name=written.text, section=name, known=tuple(known)
                    )
                )
            elif _is_nothing(entry):
                takes = known[written.text].takes
                self.problems.append(
                    key_faults.NoValue(span=written.span, key=written.text, takes=takes, word="")
                )
            else:
                found[written.text] = entry
        present = set(value)
        for key in keys:
            if key.default is None and key.name not in present:
                span = _first(value)
                self.problems.append(
                    key_faults.MissingKey(
                        span=span, section=name, name=key.name, example=key.example
                    )
                )
        return found

    def providers(self, value: Value) -> tuple[Provider, ...]:
        if not isinstance(value, ListValue):
            self.wrong(value, "providers", Takes.PROVIDERS)
            return ()
        found = (self.provider(item) for item in value.items)
        return tuple(provider for provider in found if provider is not None)

    def provider(self, value: Value) -> Provider | None:
        if not isinstance(value, MapValue):
            self.wrong(value, "providers", "maps with a `type`")
            return None
        kind = value.get("type")
        choices = tuple(PROVIDERS)
        if kind is None:
            self.problems.append(
                key_faults.MissingKey(
                    span=_first(value), section="a provider", name="type", example=choices[1]
                )
            )
            return None
        name = kind.data if isinstance(kind, Literal) else None
        if not isinstance(name, str) or name not in PROVIDERS:
            if isinstance(name, str):
                fault = key_faults.NotOneOf(span=kind.span, key="type", value=name, choices=choices)
                self.problems.append(fault)
            else:
                self.wrong(kind, "type", "the type of a provider")
            return None
        rest = MapValue(tuple(e for e in value.entries if e[0].text != "type"), value.span)
        before = len(self.problems)
        given = self.section(rest, f"a provider of type `{name}`", PROVIDERS[name][1])
        settings = {key: self.setting(name, key, entry) for key, entry in given.items()}
        if len(self.problems) > before:
            return None
        return _MAKE[name](**settings)

    def modules(self, value: Value) -> Modules:
        given = self.section(value, "`modules`", MODULES)
        found = Modules()
        if "paths" in given:
            found = replace(found, paths=self.paths(given["paths"], "paths"))
        if "policy" in given:
            found = replace(found, policy=self.policy(given["policy"]))
        if "keys" in given:
            found = replace(found, keys=self.paths(given["keys"], "keys"))
        return found

    def paths(self, value: Value, key: str) -> tuple[str, ...]:
        if not isinstance(value, ListValue):
            self.wrong(value, key, Takes.PATHS)
            return ()
        for item in value.items:
            if not str(literal_data(item)).startswith("/"):
                self.wrong(item, key, Takes.PATHS)
        return tuple(str(literal_data(item)) for item in value.items)

    def policy(self, value: Value) -> ModulePolicy:
        data = literal_data(value)
        if isinstance(data, str) and data in tuple(ModulePolicy):
            return ModulePolicy(data)
        if isinstance(data, str):
            choices = tuple(map(str, ModulePolicy))
            self.problems.append(
                key_faults.NotOneOf(span=value.span, key="policy", value=data, choices=choices)
            )
        else:
            self.wrong(value, "policy", Takes.POLICY)
        return ModulePolicy.ENFORCE

    def setting(self, provider: str, name: str, value: Value) -> object:
        """The value of a provider's key; what is wrong with it is noted."""
        key = next(key for key in PROVIDERS[provider][1] if key.name == name)
        data = literal_data(value)
        match key.takes:
            case Takes.PATH if isinstance(data, str) and data.startswith("/"):
                return data
            case Takes.PREFIX if isinstance(data, str) and _PREFIX.fullmatch(data):
                return data
            case Takes.COMMAND if isinstance(value, ListValue) and value.items:
                return self.command(value, name)
            case Takes.DURATION if isinstance(data, str):
                seconds = _seconds(data)
                if seconds is not None:
                    if not 0 < seconds <= _SLOWEST:
                        self.problems.append(
                            key_faults.OutOfRange(
                                span=value.span, key=name, value=data, low="1ms", high="5m"
                            )
                        )
                    return seconds
        self.wrong(value, name, key.takes)
        return None

    def command(self, value: ListValue, name: str) -> tuple[str, ...] | None:
        """A program and its arguments; None where an item is wrong, which is noted."""
        words: list[str] = []
        for item in value.items:
            word = literal_data(item)
            if not isinstance(word, str) or not (words or word.startswith("/")):
                self.wrong(item, name, Takes.COMMAND)
                return None
            words.append(word)
        return tuple(words)

    def wrong(self, value: Value, key: str, takes: str) -> None:
        got = shape(value)
        if isinstance(value, Literal) and isinstance(value.data, str):
            got = f"`{value.data}`"
        self.problems.append(
            key_faults.WrongType(span=_first(value), key=key, takes=takes, got=got)
        )


_MAKE: Mapping[str, Callable[..., Provider]] = {
    "credentials": Credentials,
    "directory": Directory,
    "environment": Environment,
    "command": Program,
}


def _seconds(text: str) -> float | None:
    from gxo.template.times import duration

    try:
        found = duration(text)
    except Failure:
        return None
    return found if isinstance(found, int | float) else None


def _is_nothing(value: Value) -> bool:
    return isinstance(value, Literal) and value.data is None


def _first(value: Value) -> Span:
    """Where a value begins, on its first line."""
    span = value.span
    end = span.source.text.find("\n", span.start)
    return Span(
        span.source, span.start, max(span.start + 1, min(span.end, end if end >= 0 else span.end))
    )


def _whole(path: Path) -> Span:
    return Span(Source(str(path), ""), 0, 0)
