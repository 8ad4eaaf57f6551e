"""Streams whose ends fail, are stopped or killed: nobody takes a part for the whole."""

import json

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step, steps
from tests.lab.test_run_faults import interrupt, running

HOST = "security_context: {profile: host}, "
SEEN = "cat >/dev/null; touch /srv/seen"


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up, and no file of a test before stands in the way."""
    machine.gxo("setup", check=True)
    machine.run("rm", "-f", "/srv/seen")


def seen(machine: Machine) -> bool:
    """Whether a consumer came to an end of its input."""
    return machine.run("test", "-e", "/srv/seen").returncode == 0


def test_a_producer_that_fails(machine: Machine) -> None:
    """All down its streams are stopped before they see an end, each with its own producer named."""
    ran = run(
        machine,
        step("bad", "echo part; exit 3")
        + step("middle", "cat; touch /srv/seen", f"{HOST}stream_inputs: [bad], ")
        + step("last", SEEN, f"{HOST}stream_inputs: [middle], ")
        + step("late", "true", "needs: [last], "),
    )
    assert (ran.code, ran.steps) == (1, dict.fromkeys(("bad", "middle", "last"), "Failed"))
    assert ran.details("bad")[0] == "it exited with status 3"
    assert ran.details("middle")[0] == "`bad`, whose stream it reads, failed"
    assert ran.details("last")[0] == "`middle`, whose stream it reads, failed"
    assert not seen(machine)


def test_a_failure_that_is_tolerated(machine: Machine) -> None:
    """Who reads its stream sees the end of what there is."""
    ran = run(
        machine,
        step("bad", "echo part; exit 3", "ignore_errors: true, ")
        + step("last", SEEN, f"{HOST}stream_inputs: [bad], "),
    )
    assert (ran.code, ran.steps) == (1, {"bad": "Failed", "last": "Completed"})
    assert seen(machine)


def test_a_consumer_that_ends_early(machine: Machine) -> None:
    """It is named by its producer, whose write fails, or whose bytes lie in the pipe for ever."""
    ran = run(
        machine,
        step("endless", "exec yes")
        + step("little", "echo unread; touch done")
        + step("head", "head -1 >/dev/null", "stream_inputs: [endless], ")
        + step("deaf", "until test -e done; do sleep 0.05; done", "stream_inputs: [little], ")
        + step("several", 'head -1 "$GXO_STREAM_TOO" >/dev/null', "stream_inputs: [none, too], ")
        + step("none", "true")
        + step("other", "true")
        + step("too", "exec yes", "stream_inputs: [none2, other], ")
        + step("none2", "true"),
    )
    good = {name for name, status in ran.steps.items() if status == "Completed"}
    assert (ran.code, good) == (1, {"head", "deaf", "several", "none", "none2", "other"}), (
        ran.events
    )
    early = "ended before it had read all of its stream"
    assert ran.details("little") == [f"`deaf` {early}"]
    for producer, consumer in (("endless", "head"), ("too", "several")):
        said = ran.details(producer)[0]
        assert said == f"it was killed by signal 13: `{consumer}` {early}"


def test_a_member_that_cannot_start(machine: Machine) -> None:
    """No other of its group does, whatever is wrong: a param, a condition, the size of a pipe."""
    for bad, why in (
        (step("bad", "{{ .nothing.here }}", "stream_inputs: [a], "), "nothing"),
        (step("bad", "cat", "stream_inputs: [a], when: '{{ index (list) 3 }}', "), "3"),
        (
            step("bad", "cat", "stream_inputs: [a], channel_policy: {buffer_size: 3G}, "),
            "cannot make a pipe of 3221225472 bytes",
        ),
    ):
        head = "vars: {nothing: {}}\n"
        ran = run(machine, step("a", "echo x") + bad + step("z", "cat", "stream_inputs: [bad], "),
                  head=head)  # fmt: skip
        assert (ran.code, ran.steps) == (1, {"bad": "Failed"}), ran.events
        assert why in ran.details("bad")[0]


def test_a_member_out_of_time(machine: Machine) -> None:
    """A stuck reader ends its producer, a stuck writer its consumers; neither hangs."""
    ran = run(
        machine,
        step("full", "exec yes")
        + step("stuck", "sleep 1000", "timeout: 1s, stream_inputs: [full], ")
        + step("mute", "sleep 1000", "timeout: 1s, ignore_errors: true, ")
        + step("waits", SEEN, f"{HOST}stream_inputs: [mute], "),
    )
    assert ran.steps == {
        "full": "Failed",
        "stuck": "Failed",
        "mute": "Failed",
        "waits": "Completed",
    }
    assert ran.details("stuck")[0] == "it did not end in time"
    assert "`stuck` ended before" in ran.details("full")[0]


def test_a_silent_producer_of_a_reader_that_failed(machine: Machine) -> None:
    """It cannot know before it writes: the run says whom it waits for, and why."""
    machine.run("rm", "-f", "/srv/go")
    group = step("silent", "until test -e /srv/go; do sleep 0.1; done", HOST) + step(
        "fails", "exit 4", "stream_inputs: [silent], "
    )
    with running(machine, group) as p:
        assert p.stdout is not None
        told = map(json.loads, iter(p.stdout.readline, ""))
        said = next(event["detail"] for event in told if event["event"] == "warning")
        machine.write("/srv/go", "")
        last = list(told)[-1]
    assert said.startswith("`silent` still runs, though `fails`, which reads its stream, failed")
    assert (last["event"], last["status"]) == ("run", "Failed")
    assert left(machine) == []


def test_an_interrupt(machine: Machine) -> None:
    """All members are Cancelled; nothing is left."""
    group = (
        step("endless", "exec yes")
        + step("stuck", "sleep 1000", "stream_inputs: [endless], ")
        + step("ended", "echo x")
        + step("deaf", "sleep 1000", "stream_inputs: [ended], ")
    )
    with running(machine, group) as process:
        assert until(lambda: len(steps(machine)) == 3, 60)
        interrupt(machine)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.count('"status": "Cancelled"') == 5
    assert "ended before" not in out
    assert left(machine) == []


def test_a_killed_runner(machine: Machine) -> None:
    """Nothing of a group is left, and who reads has not seen an end of what it reads."""
    group = step("mute", "exec sleep 1000") + step("waits", SEEN, f"{HOST}stream_inputs: [mute], ")
    with running(machine, group) as process:
        assert until(lambda: len(steps(machine)) == 2, 60)
        (unit,) = [u for u in left(machine) if u.startswith("gxo-run-")]
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=True)
        process.communicate(timeout=60)
    assert (left(machine), seen(machine)) == ([], False)


def test_what_brings_a_stream_to_several_is_killed(machine: Machine) -> None:
    """All of its group fail, its producer though it writes nothing; none sees an end."""
    group = (
        step("mute", "sleep 1000")
        + step("one", SEEN, f"{HOST}stream_inputs: [mute], ")
        + step("two", SEEN, f"{HOST}stream_inputs: [mute], ")
    )
    with running(machine, group) as process:
        assert until(lambda: len(steps(machine)) == 3, 60)
        assert until(lambda: machine.run("pkill", "-KILL", "-f", "shim/pump.py").returncode == 0)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, left(machine), seen(machine)) == (1, [], False)
    assert "the process that moves the stream was killed by SIGKILL" in out


def test_a_member_that_systemd_cannot_start(machine: Machine) -> None:
    """It is named as who did not read; who would have read it is stopped."""
    bad = step("bad", "cat", "security_context: {profile: host}, stream_inputs: [endless], ")
    ran = run(
        machine,
        step("endless", "exec yes")
        + bad.replace('"command": "cat", "shell": true', '"command": "/srv/no-such-program"')
        + step("last", SEEN, f"{HOST}stream_inputs: [bad], "),
    )
    assert (ran.code, set(ran.steps.values())) == (1, {"Failed"})
    assert ran.details("bad")[0].endswith("its program cannot be run or found")
    assert ran.details("endless")[0].endswith("`bad` ended before it had read all of its stream")
    assert ran.details("last")[0] == "`bad`, whose stream it reads, failed"
    assert not seen(machine)
