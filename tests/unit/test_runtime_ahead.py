"""Steps set up ahead of their time: which, when, and which are let go."""

import pytest

from gxo.runtime.ahead import Ahead
from gxo.runtime.order import Order
from gxo.runtime.status import Status
from tests.unit.test_plan_build import plan
from tests.unit.test_runtime_order import C, F, R

SEALED = "process: {module: exec, params: {command: /bin/true}}"
HOST = f"security_context: {{profile: host}}, {SEALED}"


def chooser(*workloads: str, most: int = 3) -> tuple[Ahead, Order]:
    """Over run_once steps, each given as `name, further: keys`."""
    rows = "".join(f"  - {{lifecycle: {{policy: run_once}}, name: {w}}}\n" for w in workloads)
    made = plan(f"workloads:\n{rows}")
    order = Order(made)
    return Ahead({step.name.text: step for step in made.steps}, order, most), order


def test_a_chain_is_set_up_as_far_as_allowed() -> None:
    """What waits for what runs, then what waits for that; each step once."""
    names = [f"s{n}" for n in range(6)]
    ahead, order = chooser(
        *(f"{n}, {f'needs: [s{k - 1}], ' if k else ''}{SEALED}" for k, n in enumerate(names))
    )
    order.move("s0", R)
    assert ahead.next(["s0"], []) == ("s1", "s2", "s3")
    assert ahead.next(["s0"], ["s1", "s2", "s3"]) == ()
    order.move("s0", C)
    order.move("s1", R)
    assert ahead.next(["s1"], ["s2", "s3"]) == ("s4",)
    assert ahead.lost(["s2", "s3", "s4"]) == ()


def test_a_failure_lets_go() -> None:
    """What waits for a step that failed is lost, and what waits for that; nothing else is."""
    ahead, order = chooser(
        f"a, ignore_errors: true, {SEALED}", f"b, {SEALED}", f"c, needs: [a], {SEALED}",
        f"d, needs: [c], {SEALED}", f"e, needs: [b], {SEALED}", most=9,
    )  # fmt: skip
    order.move("a", R)
    order.move("b", R)
    prepared = ahead.next(["a", "b"], [])
    assert prepared == ("c", "e", "d")
    order.move("a", F)
    assert ahead.lost(prepared) == ("c", "d")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (SEALED, f"when: '{{{{ eq 1 1 }}}}', {SEALED}"),
        (SEALED, f"loop: [1], {SEALED}"),
        (SEALED, f"timeout: 1s, {SEALED}"),
        (SEALED, "process: {module: exec, params: {command: /bin/cat, stdin: x}}"),
        (SEALED, "process: {module: exec, params: {command: /bin/echo, args: ['{{ now }}']}}"),
        (f"register: r, {SEALED}",
         "process: {module: exec, params: {command: /bin/echo, args: ['{{ .r.stdout }}']}}"),
        (HOST, SEALED),
        (f"security_context: {{read_write_paths: [/etc]}}, {SEALED}", SEALED),
        (HOST, f"security_context: {{profile: host, user: www-data}}, {SEALED}"),
    ],
)  # fmt: skip
def test_what_is_not_set_up_early(first: str, then: str) -> None:
    """What depends on its moment, and what a predecessor could still change."""
    ahead, order = chooser(f"a, {first}", f"b, needs: [a], {then}")
    order.move("a", R)
    assert ahead.next(["a"], []) == ()


def test_nothing_to_set_up_changes_nothing() -> None:
    """A step that runs in the host as it is may be set up whatever runs before it."""
    ahead, order = chooser(f"a, {HOST}", f"b, needs: [a], {HOST}")
    order.move("a", R)
    assert ahead.next(["a"], []) == ("b",)


def test_what_waits_for_a_step_that_has_not_begun() -> None:
    """Is not set up: nobody knows how long that takes."""
    ahead, order = chooser(f"a, {SEALED}", f"b, {SEALED}", f"c, needs: [a, b], {SEALED}")
    order.move("a", R)
    assert ahead.next(["a"], []) == ()
    order.move("b", Status.RUNNING)
    assert ahead.next(["a", "b"], []) == ("c",)


def test_what_a_stream_joins_is_not_set_up() -> None:
    """It starts with all of its group, which is set up as one."""
    ahead, order = chooser(
        f"a, {SEALED}", f"b, needs: [a], {SEALED}", f"c, stream_inputs: [b], {SEALED}",
        f"d, needs: [a], {SEALED}",
    )  # fmt: skip
    order.move("a", R)
    assert ahead.next(["a"], []) == ("d",)
