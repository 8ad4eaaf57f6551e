"""`task_policy` of a playbook: defaults for workloads that end by themselves."""

from gxo.language.frontend import parse_sources
from gxo.plan.build import build_plan
from gxo.plan.model import Step
from gxo.source import Source
from gxo.spec.lifecycle import SECOND

TEXT = """
name: p
task_policy: {retry: {attempts: 3, delay: 5s}, timeout: 10s, ignore_errors: true}
workloads:
  - name: bare
    lifecycle: {policy: run_once}
    process: {module: control:barrier}
  - name: own
    lifecycle: {policy: run_once}
    process: {module: control:barrier}
    retry: {attempts: 1}
    timeout: 1s
    ignore_errors: false
  - name: service
    lifecycle: {policy: supervise}
    process: {module: exec, params: {command: /usr/bin/cat}}
"""


def step(name: str) -> Step:
    (playbook,), problems = parse_sources([Source("p.yaml", TEXT)])
    assert not problems
    plan, problems = build_plan(playbook)
    assert not problems
    assert plan is not None
    return plan.step(name)


def test_defaults_where_a_workload_says_nothing() -> None:
    """A workload without keys of its own has the playbook's."""
    bare = step("bare")
    assert bare.retry is not None
    assert (bare.retry.attempts, bare.retry.delay) == (3, 5 * SECOND)
    assert (bare.timeout, bare.ignore_errors) == (10 * SECOND, True)


def test_the_nearest_wins_key_by_key() -> None:
    """What a workload writes wins, also where it writes the default."""
    own = step("own")
    assert own.retry is not None
    assert (own.retry.attempts, own.retry.delay) == (1, 5 * SECOND)
    assert (own.timeout, own.ignore_errors) == (SECOND, False)


def test_a_service_takes_no_part() -> None:
    """A supervised service has no end that they could speak of."""
    service = step("service")
    assert (service.retry, service.timeout, service.ignore_errors) == (None, None, False)
