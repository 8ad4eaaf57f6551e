"""The secrets of a service: what its unit's credential holds for the guard in front of it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gxo.dataclass import dataclass, replace
from gxo.plan.codec import UnreadablePlan, from_json
from gxo.plan.scope import compile_scope
from gxo.runtime.redact import Redactor
from gxo.runtime.secrets import SecretError
from gxo.runtime.taint import TaintingTable
from gxo.template.functions import FUNCTIONS
from gxo.template.names import secrets
from gxo.template.value import Data
from gxo.units.command import read_exec

LONGEST = 1 << 20
"""The most bytes of credentials that systemd hands to a unit (systemd.exec(5), LoadCredential=)."""


@dataclass(frozen=True, slots=True)
class Handout:
    """What the program gets, as `NAME=value` variables and standard input, and what to mask."""

    variables: tuple[str, ...]
    stdin: str | None
    forms: frozenset[bytes]

    @property
    def values(self) -> bytes:
        """All that the program gets, as bytes: equal where nothing has changed."""
        return _list(word.encode() for word in self.variables) + _part(_encoded(self.stdin))

    @property
    def handed(self) -> bytes:
        """The content of the unit's credential. Raises SecretError where it is too long."""
        guard, matcher = (_text(path) for path in ("shim/redact.py", "runtime/matcher.py"))
        whole = _part(guard) + _part(matcher) + _list(sorted(self.forms)) + self.values
        if len(whole) > LONGEST:
            raise SecretError(
                f"they take {len(whole)} bytes with all that is to be masked, and systemd hands"
                f" over no more than {LONGEST}"
            )
        return whole


def handout(
    recipe: Mapping[str, Any], workspace: str, secret: Callable[[str], str], redactor: Redactor
) -> Handout:
    """The evaluated templates of a service with secrets. Raises SecretError, with none in its text.

    `secret` looks a secret up and adds it to the redactor.
    """
    try:
        plan = from_json(recipe)
    except UnreadablePlan as error:
        raise SecretError(f"{error}; `gxo apply` the playbook again") from None
    (step,) = plan.steps
    scope, _ = compile_scope(plan)
    table = TaintingTable(FUNCTIONS, {"secret": secret}, redactor=redactor)
    gxo: dict[str, Data] = {**scope.gxo, "workspace": {"path": workspace}}
    params = step.action.params
    found, problems = read_exec(params, replace(scope, gxo=gxo, functions=table), step.span)
    if found is None:
        said = "; ".join(dict.fromkeys(problem.message() for problem in problems))
        raise SecretError(redactor.text(said))
    hidden = {name.text for name, value in params.entries if secrets(value)}
    values = {
        name: tuple(str(setting.value) for setting in found.around if setting.name == name)
        for name in ("Environment", "StandardInputData")
    }
    variables = values["Environment"] if "environment" in hidden else ()
    stdin = next(iter(values["StandardInputData"]), None)
    return Handout(variables, stdin, redactor.forms)


def _text(path: str) -> bytes:
    return (Path(__file__).parent.parent / path).read_bytes()


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _part(data: bytes | None) -> bytes:
    return b"-1\n" if data is None else b"%d\n%b" % (len(data), data)


def _list(parts: Iterable[bytes]) -> bytes:
    return _part(b"".join(map(_part, parts)))
