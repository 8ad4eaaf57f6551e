"""What a workload may do beyond the default profile, read off its units: plans show it."""

from collections.abc import Iterable, Iterator

from gxo.units.model import Directive, Unit, UnitType

_PATHS = {"ReadWritePaths": "writes", "BindPaths": "writes", "BindReadOnlyPaths": "reads"}

_ROOTS = ("RootDirectory", "RootImage")


def grants(units: Iterable[Unit]) -> tuple[str, ...]:
    """Phrases such as `profile host`, `user www-data`, `writes /srv`, `capability CAP_CHOWN`."""
    return tuple(
        dict.fromkeys(
            phrase
            for unit in units
            if unit.type is UnitType.SERVICE
            for phrase in _of_service(unit)
        )
    )


def _of_service(unit: Unit) -> Iterator[str]:
    names = {item.name for item in unit.directives}
    # only the profile `host` lets a program gain more than it has
    if "NoNewPrivileges" not in names:
        yield "profile host"
    elif "ProtectSystem" not in names:
        yield from (f"writes {item.value}" for item in unit.directives if item.name in _ROOTS)
    for item in unit.directives:
        if item.name == "User" and "DynamicUser" not in names:
            yield f"user {item.value}"
        elif item.name == "AmbientCapabilities":
            yield from (f"capability {word}" for word in _words(item))
        elif item.name in _PATHS:
            yield from (f"{_PATHS[item.name]} {path}" for path in _words(item))


def _words(item: Directive) -> tuple[str, ...]:
    if not isinstance(item.value, tuple):
        return (str(item.value),)
    words = (word if isinstance(word, str) else word[0] for word in item.value)
    return tuple(word.removeprefix("+") for word in words)
