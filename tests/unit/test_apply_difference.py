"""Differences: what a reviewer reads of a change, from playbook text to lines."""

from pathlib import Path

import pytest

from gxo.apply.difference import difference
from gxo.cli.load import load_to_read
from gxo.plan.build import Given
from gxo.units.model import Unit
from gxo.units.target import Target

JOB = """
name: site
vars: {home: /srv}
workloads:
  - name: save
    lifecycle: {policy: scheduled, cron: "30 2 * * *"}
    retry: {attempts: 3, delay: 1500ms}
    process:
      module: exec
      params: {command: tar, args: [cf, "{{ .home }}/all.tar", /etc]}
"""
SERVICE = """
name: site
workloads:
  - name: feed
    lifecycle: {policy: supervise}
    process:
      module: exec
      params: {command: cat, stdin: "one\\ntwo\\n"}
"""
SECRET = """
name: site
workloads:
  - name: feed
    lifecycle: {policy: supervise}
    process:
      module: exec
      params: {command: cat, environment: ['TOKEN={{ secret "first" }}']}
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "lines"),
    [
        (JOB, "cf,", "czf,", ("-process.params.args.0=cf", "+process.params.args.0=czf")),
        (
            JOB,
            "home }}/all",
            "home }}/every",
            (
                "-process.params.args.1={{ .home }}/all.tar",
                "+process.params.args.1={{ .home }}/every.tar",
            ),
        ),
        (JOB, "home: /srv", "home: /opt", ("-vars.home=/srv", "+vars.home=/opt")),
        (JOB, "1500ms", "2m", ("-retry.delay=1.5s", "+retry.delay=120s")),
        (JOB, "attempts: 3", "attempts: 4", ("-retry.attempts=3", "+retry.attempts=4")),
        (JOB, "    retry:", "    ignore_errors: true\n    retry:", ("+ignore_errors=true",)),
        (
            JOB,
            "    retry:",
            "    security_context: {read_write_paths: [/srv]}\n    retry:",
            ("+ReadWritePaths=/srv",),
        ),
        (
            JOB,
            "30 2",
            "45 2",
            ("-OnCalendar=*-*-* 02:30:00", "+OnCalendar=*-*-* 02:45:00"),
        ),
        (SERVICE, "two", "three", ("-stdin=two", "+stdin=three")),
        (
            SECRET,
            "first",
            "second",
            (
                '-process.params.environment.0=TOKEN={{ secret "first" }}',
                '+process.params.environment.0=TOKEN={{ secret "second" }}',
            ),
        ),
    ],
)
def test_what_changed_is_said_as_it_is_written(
    tmp_path: Path, text: str, old: str, new: str, lines: tuple[str, ...]
) -> None:
    """An edit of a playbook is told by what was edited, also where its unit has only base64."""
    assert text.count(old) == 1, "the edit is one"
    before, after = (_units(tmp_path, said) for said in (text, text.replace(old, new)))
    assert difference(after, before) == lines


@pytest.mark.parametrize(
    "stdin",
    [
        '{"plan": {"version": 1, "plan": 5}}',
        '{"plan": []}',
        '{"frames": {"a": 1}, "plan": {}}',
        "[" * 9000,
        '"text"',
    ],
)
def test_input_that_looks_like_a_run_is_text(tmp_path: Path, stdin: str) -> None:
    """Whatever a playbook gives as standard input, its lines are what is shown."""
    before = _units(tmp_path, SERVICE)
    after = _units(tmp_path, SERVICE.replace('"one\\ntwo\\n"', "'" + stdin + "'"))
    assert difference(after, before) == ("-stdin=one", "-stdin=two", f"+stdin={stdin}")


def _units(directory: Path, text: str) -> tuple[Unit, ...]:
    path = directory / "site.yaml"
    path.write_text(text)
    return load_to_read([str(path)], Given(), Target(systemd=252, runtime=("gxo",))).units
