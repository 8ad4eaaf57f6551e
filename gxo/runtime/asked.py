"""Asked: the params that a worker is given, evaluated but for those that it evaluates itself."""

from collections.abc import Iterable, Sequence

from gxo.plan.codec import to_placed_json
from gxo.runtime.command import BadParams
from gxo.source import Span
from gxo.spec.library import LIBRARY
from gxo.spec.module import ModuleSpec, Param, ParamType
from gxo.template.data import truth
from gxo.template.evaluate import GXO, Scope, evaluate
from gxo.template.fault import Failure
from gxo.template.names import Use, references, secrets, uses
from gxo.template.value import Data, ListValue, Literal, MapValue, Value
from gxo.units.params import is_left, read_params


def asked(
    spec: ModuleSpec, params: MapValue, scope: Scope, span: Span, *, streams: bool
) -> dict[str, Data]:
    """All params of a module; Fault or BadParams where they cannot be had.

    `streams`: its records go to another workload, not into its summary.
    """
    found, problems = read_params(spec, params, scope, span)
    if problems:
        raise BadParams.of(problems)
    for param in spec.params:
        value = params.get(param.name)
        if value is not None and is_left(param):
            found[param.name] = _left(spec, param, value, scope, streams=streams)
    return found


def _left(spec: ModuleSpec, param: Param, value: Value, scope: Scope, *, streams: bool) -> Data:
    if param.type is ParamType.STEPS:
        assert isinstance(value, ListValue)
        return [_step(step, scope, streams=streams) for step in value.items]
    # of a condition nothing but its truth comes out
    if secrets(value) and not streams and param.type is not ParamType.CONDITION:
        raise BadParams(
            f"{value.span}: a secret in `{param.name}` of `{spec.name}` needs a workload that reads"
            " its stream: otherwise what is made of it for each record would end up in the summary"
        )
    return _template(value, param.binds, scope)


def _step(step: Value, scope: Scope, *, streams: bool) -> Data:
    """A step of a pipeline: its module and params, whom it needs, whether it takes part."""
    assert isinstance(step, MapValue)
    uses, params = step.get("uses"), step.get("with")
    assert isinstance(uses, Literal)
    assert isinstance(params, MapValue)
    when = step.get("when")
    module = str(uses.data)
    return {
        "id": _plain(step.get("id")),
        "uses": module,
        "with": asked(LIBRARY[module], params, scope, step.span, streams=streams),
        "needs": _plain(step.get("needs")),
        "when": when is None or truth(evaluate(when, scope)),
        "register": _plain(step.get("register")),
    }


def _plain(value: Value | None) -> Data:
    if isinstance(value, ListValue):
        return [_plain(item) for item in value.items]
    return value.data if isinstance(value, Literal) else None


def _template(value: Value, binds: Sequence[str], scope: Scope) -> Data:
    """A template and all it reads and calls but for what is bound; `gxo.modules.each` takes it."""
    paths = [reference.path for reference in references(value) if reference.path]
    firsts = {str(path[0]) for path in paths} - {*binds, GXO}
    own = {str(path[1]) for path in paths if path[0] == GXO and len(path) > 1}
    whole = any(path == (GXO,) for path in paths)
    return {
        **to_placed_json(value),
        "names": {name: scope.names[name] for name in sorted(firsts) if name in scope.names},
        "gxo": {name: scope.gxo[name] for name in scope.gxo if whole or name in own},
        "secrets": _called("secret", uses(value), scope),
        "environment": _called("env", uses(value), scope),
    }


def _called(function: str, found: Iterable[Use], scope: Scope) -> Data:
    """What each written call of an effect comes to."""
    values: dict[str, Data] = {}
    for use in found:
        if use.function == function and use.argument is not None and use.argument not in values:
            try:
                values[use.argument] = scope.functions.effects[function](use.argument)
            except Failure as failure:
                raise BadParams(f"{use.span}: {failure.reason}") from None
    return values
