"""A program that crashes, on a host that has its crashes handled, as systemd-coredump does."""

import json
from collections.abc import Iterator

import pytest
from testinfra.host import Host

HANDLER = """#!/bin/sh
tr '\\0' '\\n' < /proc/$1/environ | grep CRASH_ >> /var/tmp/crashes
"""


@pytest.fixture
def handled(gxo: Host) -> Iterator[Host]:
    """The machine with a handler that notes some variables of what crashes, and a secret."""
    pattern = str(gxo.check_output("cat /proc/sys/kernel/core_pattern"))
    gxo.check_output("printf %%s %s > /usr/local/bin/handle && chmod 755 /usr/local/bin/handle",
                     HANDLER)  # fmt: skip
    gxo.check_output("gxo setup && install -d -m 0700 /etc/gxo/secrets")
    gxo.check_output("printf hush-1 > /etc/gxo/secrets/crash")
    gxo.check_output("echo '|/usr/local/bin/handle %P' > /proc/sys/kernel/core_pattern")
    gxo.check_output("echo 1 > /proc/sys/kernel/core_pipe_limit")  # it waits for the handler
    yield gxo
    gxo.check_output("echo %s > /proc/sys/kernel/core_pattern", pattern)
    gxo.check_output("rm -f /etc/gxo/secrets/crash /var/tmp/crashes")


def test_a_crash_tells_no_secret(handled: Host) -> None:
    """Who handles crashes is called for one without secrets, and for none with them."""
    path = "/var/tmp/crash.yaml"

    def run(variable: str) -> int:
        params = {"command": "kill -SEGV $$", "shell": True, "environment": [variable]}
        text = f"""\
workloads:
  - {{name: only, lifecycle: {{policy: run_once}},
     process: {{module: exec, params: {json.dumps(params)}}}}}
"""
        handled.check_output("printf %%s %s > %s", text, path)
        return int(handled.run(f"gxo run {path}").rc)

    assert run("CRASH_HIDDEN={{ secret 'crash' }}") == 1
    assert run("CRASH_OPEN=hello") == 1
    assert handled.check_output("cat /var/tmp/crashes") == "CRASH_OPEN=hello"
