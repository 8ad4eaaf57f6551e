"""Params of modules as they come out of their templates: typed by the spec, or refused."""

from collections.abc import Mapping

import pytest

from gxo.dataclass import replace
from gxo.modules.control import PURE
from gxo.modules.table import OPERATORS, PIPELINE, WORKERS
from gxo.spec.library import LIBRARY
from gxo.spec.module import Param, ParamType
from gxo.template.evaluate import Scope
from gxo.template.value import Data, MapValue
from gxo.units.params import read_params
from gxo.units.unsupported import NOT_IN_RUNS
from tests.unit.units_plans import SPAN, value


def read(module: str, params: Mapping[str, object]) -> tuple[dict[str, Data], list[str]]:
    """The params of a module, and what is wrong with them."""
    mapped = value(dict(params))
    assert isinstance(mapped, MapValue)
    found, problems = read_params(LIBRARY[module], mapped, Scope(names={}), SPAN)
    return found, [problem.message() for problem in problems]


def test_what_a_run_carries_out_is_there() -> None:
    """Each module that is not refused is evaluated by the runner, or has a worker, or is exec."""
    assert {"exec", *PURE, *WORKERS, *OPERATORS} == LIBRARY.keys() - NOT_IN_RUNS


def test_the_steps_a_pipeline_takes_have_operators() -> None:
    """What the specs say can be a step of a pipeline is what there is an operator for."""
    named = {name for name, spec in LIBRARY.items() if spec.operator}
    assert named == OPERATORS.keys() - {PIPELINE}


@pytest.mark.parametrize("module", sorted(LIBRARY))
def test_every_default_is_of_its_type(module: str) -> None:
    """A default stands in the spec as text; it comes out typed."""
    found, _ = read(module, {})
    for param in LIBRARY[module].params:
        assert (found[param.name] is None) == (param.default is None)


def test_defaults_of_a_write() -> None:
    """Modes are numbers, flags are flags."""
    found, problems = read("filesystem:write", {"path": "a", "content": 5})
    assert problems == []
    assert (found["mode"], found["append"], found["content"]) == (0o644, False, "5")
    assert read("filesystem:list", {"path": "a"})[0]["pattern"] == "*"
    assert read("http:request", {"url": "x"})[0]["timeout"] == 30


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        (ParamType.MODE, "0640", 0o640),
        (ParamType.MODE, 640, 0o640),
        (ParamType.BOOL, "true", True),
        (ParamType.INT, "12", 12),
        (ParamType.NUMBER, "1.5", 1.5),
        (ParamType.DURATION, "1m30s", 90),
        (ParamType.DURATION, "0", 0),
        (ParamType.DURATION, "250ms", 0.25),
        (ParamType.SIZE, "64K", 65536),
        (ParamType.SIZE, 12, 12),
        (ParamType.CONDITION, [], False),
        (ParamType.ANY, None, None),
        (ParamType.TEXT, True, "true"),
        (ParamType.TEXTS, ["a", 1], ["a", "1"]),
    ],
)
def test_values_that_fit(type_: ParamType, given: object, expected: Data) -> None:
    """Each type takes its own kind, and text that reads as it."""
    assert typed(type_, given) == (expected, [])


@pytest.mark.parametrize(
    ("type_", "given", "shown"),
    [
        (ParamType.TEXT, None, "text, not nil"),
        (ParamType.TEXT, ["a"], "text, not a list"),
        (ParamType.TEXTS, "a", "a list of texts, not text"),
        (ParamType.PATH, "", "a path, not ``"),
        (ParamType.PATH, "a\nb", "a path, not `a\nb`"),
        (ParamType.MODE, "0999", "permission bits such as 0640, not `0999`"),
        (ParamType.BOOL, "yes", "`true` or `false`, not `yes`"),
        (ParamType.INT, "1.5", "a whole number, not `1.5`"),
        (ParamType.INT, True, "a whole number, not `true`"),
        (ParamType.NUMBER, "nan", "a number, not `nan`"),
        (ParamType.DURATION, "5", "a duration such as `30s`, not `5`"),
        (ParamType.DURATION, "-5s", "a duration such as `30s`, not `-5s`"),
        (ParamType.DURATION, 5, "a duration such as `30s`, not `5`"),
        (ParamType.SIZE, "1P", "a size such as `512M`, not `1P`"),
        (ParamType.LIST, {}, "a list, not a map"),
        (ParamType.MAP, [], "a map, not a list"),
        (ParamType.MAP, "x" * 60, f"a map, not `{'x' * 60}`"),
        (ParamType.MAP, "x" * 61, "a map, not text"),
    ],
)
def test_values_that_do_not(type_: ParamType, given: object, shown: str) -> None:
    """The error names the param, what it takes and what it got."""
    _, problems = typed(type_, given)
    assert problems == [f"`p` must be {shown}"]


def test_bounds_and_choices() -> None:
    """Those of the spec hold at run time as they do in `validate`."""
    _, problems = read("http:request", {"url": "x", "follow": 21, "method": "LIST"})
    assert problems == [
        "`method` must be `GET` or `HEAD` or `POST` or `PUT` or `PATCH` or "
        "`DELETE` or `OPTIONS`, not `LIST`",
        "`follow` must be a whole number from 0 to 20, not `21`",
    ]


def typed(type_: ParamType, given: object) -> tuple[Data, list[str]]:
    """One value as a param of that type."""
    spec = replace(
        LIBRARY["control:identity"],
        params=(Param(name="p", type=type_, doc="", example="", required=True),),
    )
    mapped = value({"p": given})
    assert isinstance(mapped, MapValue)
    found, problems = read_params(spec, mapped, Scope(names={}), SPAN)
    return found["p"], [problem.message() for problem in problems]
