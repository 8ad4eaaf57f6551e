"""The order of a run: what may start when, and how it ends."""

from gxo.plan.model import Plan
from gxo.runtime.order import Order
from gxo.runtime.status import Status
from tests.unit.test_plan_build import plan

C, F, R, S, P = Status.COMPLETED, Status.FAILED, Status.RUNNING, Status.SKIPPED, Status.PENDING


def built(*workloads: str) -> Plan:
    """A plan of run_once steps, each given as `name, further: keys`."""
    tail = "lifecycle: {policy: run_once}, process: {module: exec, params: {command: /bin/true}}"
    rows = "".join(f"  - {{name: {workload}, {tail}}}\n" for workload in workloads)
    return plan(f"workloads:\n{rows}")


def walk(order: Order, ends: dict[str, Status]) -> list[str]:
    """The steps in the order in which they start, each ending at once, as `ends` says."""
    started: list[str] = []
    ready = list(order.first())
    while ready:
        name = ready.pop(0)
        started.append(name)
        order.move(name, R)
        ready += [other for other in order.move(name, ends.get(name, C)) if other not in ready]
    return started


def test_a_diamond() -> None:
    """A step starts the moment its last edge is satisfied."""
    order = Order(built("a", "b, needs: [a]", "c, needs: [a]", "d, needs: [b, c]"))
    assert order.first() == ("a",)
    assert order.move("a", R) == ()
    assert order.move("a", C) == ("b", "c")
    assert order.move("b", C) == ()
    assert order.move("c", C) == ("d",)
    order.move("d", C)
    assert order.end() is C


def test_after_a_failure_nothing_new_starts() -> None:
    """Not even what does not depend on it; its dependents stay Pending, the run has Failed."""
    order = Order(built("a", "b", "c, needs: [a]", "d, needs: [b]"))
    assert walk(order, {"a": F}) == ["a", "b"]
    assert (order.status["c"], order.status["d"], order.end()) == (P, P, F)


def test_what_reads_a_status_runs_after_a_failure() -> None:
    """Any end satisfies a status edge."""
    reads = "when: '{{ eq _gxo.workloads.a.status \"Failed\" }}'"
    order = Order(built("a", f"mend, {reads}", "b, needs: [a]", f"late, needs: [mend], {reads}"))
    assert walk(order, {"a": F}) == ["a", "mend", "late"]
    assert order.end() is F


def test_a_tolerated_failure() -> None:
    """Other branches go on; what depends on it stays Pending; the run has Failed all the same."""
    order = Order(built("a, ignore_errors: true", "b", "c, needs: [a]", "d, needs: [b]"))
    assert walk(order, {"a": F}) == ["a", "b", "d"]
    assert (order.status["c"], order.end()) == (P, F)


def test_a_skipped_step_satisfies() -> None:
    """A step that needs a skipped one starts."""
    order = Order(built("a", "b, needs: [a]"))
    assert walk(order, {"a": S}) == ["a", "b"]
    assert order.end() is C


def test_a_stream_runs_at_both_ends() -> None:
    """Steps that streams join start together, the first for all, once all that any of them waits
    for has ended; after a failure none does, nor where one of them cannot.
    """
    steps = "x", "a", "b, stream_inputs: [a], needs: [x]", "c, needs: [b]"
    order = Order(built(*steps))
    group = order.group("b")
    assert group is not None
    assert (group, group.members, order.group("c")) == (order.group("a"), ("a", "b"), None)
    assert order.first() == ("x",)
    assert order.move("x", C) == ("a",)
    assert order.move("a", R) == order.move("b", R) == order.move("a", C) == ()
    assert order.move("b", C) == ("c",)
    failed = Order(built(*steps))
    assert failed.move("x", F) == ()
    broken = Order(built(*steps))
    broken.move("b", F)
    assert broken.move("x", C) == ()


def test_a_run_that_goes_on() -> None:
    """What has ended before does not start again."""
    order = Order(built("a", "b, needs: [a]", "c, needs: [b]"), {"a": C, "b": S})
    assert order.first() == ("c",)


def test_a_service_that_is_up() -> None:
    """What needs it starts when it is up, what reads its status when it has ended."""
    reads = "when: '{{ eq _gxo.workloads.web.status \"Completed\" }}'"
    order = Order(built("web", "use, needs: [web]", f"after, {reads}"))
    assert order.move("web", R) == ()
    assert order.up("web") == ("use",)
    order.move("use", C)
    assert order.move("web", C) == ("after",)


def test_what_is_wanted_at_the_end() -> None:
    """Of services, those that a step needs which waits for another's end; not once one has ended
    badly, and one that is being stopped is up no more.
    """
    reads = "when: '{{ eq _gxo.workloads.web.status \"Completed\" }}'"
    order = Order(built("web", "db", "use, needs: [web, db]", f"dump, needs: [db], {reads}"))
    for name in ("web", "db"):
        order.move(name, R)
        order.up(name)
    order.move("use", C)
    assert order.wanted() == {"db"}
    assert order.move("web", C) == ("dump",)
    order.down("db")
    assert not order.may_start("dump")
    order = Order(built("db", "bad", "use, needs: [db, bad]"))
    assert order.wanted() == {"db", "bad"}
    order.move("bad", F)
    assert order.wanted() == frozenset()


def test_a_service_that_fails() -> None:
    """A service that was up and has failed satisfies no edge any more."""
    order = Order(built("web", "a", "use, needs: [web, a]"))
    order.move("web", R)
    assert order.up("web") == ()
    order.move("web", F)
    assert order.move("a", C) == ()


def test_what_is_done_for_a_failure_is_part_of_its_end() -> None:
    """What reads the status waits for it."""
    reads = "when: '{{ eq _gxo.workloads.a.status \"Failed\" }}'"
    order = Order(built("a", f"mend, {reads}"))
    order.mending("a")
    assert order.move("a", F) == ()
    assert order.mended("a") == ("mend",)
