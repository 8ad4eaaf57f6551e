"""Readiness: what cannot come about as it is written is a warning at its place."""

from pathlib import Path

import pytest

from gxo.cli.load import load_to_read
from gxo.plan.build import Given
from gxo.units.target import Target

BIND = "security_context: {capabilities: [CAP_NET_BIND_SERVICE]}"


@pytest.mark.parametrize(
    ("lifecycle", "more", "told"),
    [
        ('ready: {when: "127.0.0.1:80"}', "", ["low-port at `127.0.0.1:80`"]),
        ('ready: {when: "127.0.0.1:1023"}', "", ["low-port at `127.0.0.1:1023`"]),
        ('ready: {when: "127.0.0.1:1024"}', "", []),
        ('ready: {when: "127.0.0.1:80"}', BIND, []),
        ('ready: {when: "127.0.0.1:80"}', "security_context: {profile: host}", []),
        ("ready: {when: notify, timeout: 6s}", "", ["ready-later at `6s`"]),
        ("ready: {when: notify, timeout: 60s}", "", []),
        ("ready: {when: notify}", "", []),
        ("ready: {when: notify, timeout: 6s}, backoff: {max: 6s}", "", []),
        ("ready: {when: notify, timeout: 6s}, backoff: {initial: 9s, max: 9s}", "", []),
        ("ready: {when: notify, timeout: 6s}, restart: never", "", []),
        ('ready: {when: "127.0.0.1:8080", timeout: 6s}', "", []),
    ],
)
def test_a_readiness_that_cannot_be(
    tmp_path: Path, lifecycle: str, more: str, told: list[str]
) -> None:
    """A port that the service may not open, and a time that `notify` does not keep to."""
    path = tmp_path / "site.yaml"
    path.write_text(
        "workloads:\n  - name: web\n"
        f"    lifecycle: {{policy: supervise, {lifecycle}}}\n"
        f"    process: {{module: exec, params: {{command: serve}}}}\n"
        f"    {more}\n"
    )
    loaded = load_to_read([str(path)], Given(), Target(systemd=252, runtime=("gxo",)))
    assert len(loaded.units) == 1, "a warning keeps nobody from applying"
    places = [(problem.code, problem.span) for problem in loaded.problems]
    text = path.read_text()
    assert [f"{code} at `{text[at.start : at.end].strip(chr(34))}`" for code, at in places] == told
