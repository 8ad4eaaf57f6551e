"""What a command hands a run of its own environment: what the playbook names, and no more."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.cli import output
from gxo.plan.effects import effects
from gxo.plan.model import Plan
from gxo.plan.outside import outside
from gxo.runtime.given import Given

if TYPE_CHECKING:
    from gxo.config.model import Provider


def to_hand(plan: Plan, *, as_json: bool) -> Given:
    """The variables that its templates read, and those in which secrets may lie.

    Where a template makes the name of a secret, all variables are handed that could hold one. With
    a configuration that cannot be used the command ends.
    """
    read = {use.argument for use in effects(plan, "env")}
    environment = {name: value for name, value in os.environ.items() if name in read}
    names = {use.argument for use in effects(plan, "secret")}
    if not names:
        return Given(environment, config=config_path() if outside(plan) else "")
    path, providers = configured(as_json=as_json)
    return Given(environment, dict(_secrets(names, providers, os.environ)), path)


def config_path() -> str:
    """The configuration that the caller names, absolute; empty for that of the host."""
    named = os.environ.get("GXO_CONFIG", "")
    return str(Path(named).absolute()) if named else ""


def configured(*, as_json: bool) -> "tuple[str, tuple[Provider, ...]]":
    """Where the caller's configuration lies, empty for the host's, and the providers in it.

    With one that cannot be used the command ends.
    """
    from gxo.config.read import ConfigError, load_config

    path = config_path()
    try:
        return path, load_config(path).providers
    except ConfigError as error:
        if as_json:
            output.emit_problems(error.problems)
        else:
            output.report(error.problems)
        raise SystemExit(1) from None


def _secrets(
    names: set[str | None], providers: "tuple[Provider, ...]", environment: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    from gxo.config.model import Environment

    for provider in providers:
        if isinstance(provider, Environment):
            wanted = {provider.variable(name) for name in names if name is not None}
            for variable, value in environment.items():
                made = None in names and variable.startswith(provider.prefix)
                if variable in wanted or made:
                    yield variable, value
