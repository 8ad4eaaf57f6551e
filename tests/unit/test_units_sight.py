"""Sight: what names a place that the workload's profile hides is told before it runs."""

from pathlib import Path

import pytest

from gxo.cli.load import load_to_read
from gxo.plan.build import Given
from gxo.units.target import Target


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ("command: /root/serve", [("hidden-program", "/root")]),
        ("command: /tmp/serve", [("hidden-program", "/tmp")]),
        (
            "command: /home/me/serve, args: [/home/me/x]",
            [("hidden-program", "/home"), ("out-of-sight", "/home")],
        ),
        ("command: '/home/{{ .me }}/serve'", [("hidden-program", "/home")]),
        ("command: python3, args: [-u, /root/x.py]", [("out-of-sight", "/root")]),
        ("command: tar, args: [c, /home]", [("out-of-sight", "/home")]),
        ("command: serve, args: [--config=/root/x]", [("out-of-sight", "/root")]),
        ("command: 'cd /home/me && ./serve', shell: true", [("out-of-sight", "/home")]),
        ("command: /rooted/serve, args: [/srv/home/x, /homes, ~/root]", []),
        ("command: rsync, args: ['there:/home/x', /tmp/mine]", []),
        ("command: 'ls /srv/home >/tmp/x', shell: true", []),
    ],
)
def test_a_place_that_is_hidden(tmp_path: Path, params: str, told: list[tuple[str, str]]) -> None:
    """A program there is an error, an argument a warning; with other names nothing is wrong."""
    found = _problems(tmp_path, params, "{}")
    assert found == told
    assert _problems(tmp_path, params, "{profile: strict}") == told


@pytest.mark.parametrize("context", ["{profile: host}", "{root_filesystem: {path: /srv/tree}}"])
def test_where_nothing_of_the_host_is_hidden(tmp_path: Path, context: str) -> None:
    """The profile `host` hides nothing, and another root has homes of its own."""
    assert _problems(tmp_path, "command: /root/serve, args: [/home/x]", context) == []


@pytest.mark.parametrize("lifecycle", ["run_once", "supervise", "scheduled, cron: '@daily'"])
def test_each_lifecycle_is_told_once(tmp_path: Path, lifecycle: str) -> None:
    """Whatever a workload becomes, what is wrong is said, and not twice."""
    found = _problems(tmp_path, "command: /root/serve", "{}", lifecycle)
    assert found == [("hidden-program", "/root")]


def _problems(
    directory: Path, params: str, context: str, lifecycle: str = "supervise"
) -> list[tuple[str, str]]:
    path = directory / "site.yaml"
    path.write_text(
        "vars: {me: me}\nworkloads:\n  - name: web\n"
        f"    lifecycle: {{policy: {lifecycle}}}\n"
        f"    security_context: {context}\n"
        f"    process: {{module: exec, params: {{{params}}}}}\n"
    )
    loaded = load_to_read([str(path)], Given(), Target(systemd=252, runtime=("gxo",)))
    return [(problem.code, getattr(problem, "place", "")) for problem in loaded.problems]
