"""Streams between programs: data intact, back-pressure, names, conditions."""

import hashlib
import json
import subprocess

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import Ran, run, step, steps, summaries, use

HOST = "security_context: {profile: host}, "


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up, and no file of a test before stands in the way."""
    machine.gxo("setup", check=True)
    machine.run("rm", "-f", "/srv/go", "/srv/seen")


def test_data_comes_through_as_it_was(machine: Machine) -> None:
    """Through three programs, two of them filters: what the last has is what a shell's pipe has.

    Nothing of a stream is in a summary or the journal.
    """
    numbers = "".join(f"{number}\n" for number in range(1, 1_000_001))
    digest = hashlib.sha256(numbers.encode()).hexdigest()
    ran = run(
        machine,
        step("make", "seq 1 1000000", "register: make, ")
        + step("there", "exec tr 0-9 a-j", "stream_inputs: [make], register: there, ")
        + step("back", "exec tr a-j 0-9", "stream_inputs: [there], ")
        + step("check", "test -e /dev/stdin; sha256sum </dev/stdin", "stream_inputs: [back], "
               "register: check, "),
    )  # fmt: skip
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), ran.events
    found = summaries(machine, ran.id)
    assert found["check"]["stdout"] == f"{digest}  -"
    assert {found[name]["stdout"] for name in ("make", "there")} == {""}
    lines = [json.loads(x) for x in machine.gxo("logs", "--json", ran.id).stdout.splitlines()]
    assert {e["workload"] for e in lines if not e["systemd"] and e["workload"]} == {"check"}


def test_several_inputs(machine: Machine) -> None:
    """The first is the standard input, each stands under its name, to be opened again; secrets
    in the environment and a further output go with that.
    """
    machine.run("install", "-d", "-m", "0700", "/etc/gxo/secrets", check=True)
    machine.write("/etc/gxo/secrets/token", "s3cret", 0o600)
    whole = (
        'read first; echo "$first"; cat "$GXO_STREAM_TWO_B" "$GXO_STREAM_THREE"; cat;'
        ' test "$TOKEN" = s3cret && env | grep -c ^GXO_STREAM_'
    )
    params = {"command": whole, "shell": True, "environment": ['TOKEN={{ secret "token" }}']}
    reads = "stream_inputs: [one, two-b, three], "
    ran = run(
        machine,
        step("one", "echo 1; echo 1b")
        + step("two-b", "echo 2")
        + step("three", "echo 3")
        + use("all", "exec", reads, **params)
        + step("last", 'cat "$GXO_STREAM_ALL"', "stream_inputs: [all], register: last, "),
    )
    machine.run("rm", "-r", "/etc/gxo/secrets", check=True)
    assert ran.code == 0, ran.events
    assert summaries(machine, ran.id)["last"]["stdout"].split() == ["1", "2", "3", "1b", "3"]


def test_a_group_needs_no_more_than_one_place(machine: Machine) -> None:
    """All of it runs at once, also with `--jobs 1`, when it is its turn."""
    ran = run(
        machine,
        step("before", "true")
        + step("a", "seq 100000", "needs: [before], ")
        + step("b", "cat", "stream_inputs: [a], ")
        + step("c", "cat", "stream_inputs: [b], ")
        + step("d", "test $(wc -l) = 100000", "stream_inputs: [c], ")
        + step("after", "true", "needs: [b], "),
        "--jobs",
        "1",
    )
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), ran.events
    begun = ran.order("Running")
    assert (begun[0], begun[-1]) == ("before", "after")


def test_a_stalled_consumer_stalls_its_producer(machine: Machine) -> None:
    """After one pipe's content, of the size asked for; a producer that has written all is not
    Completed before that is read.
    """
    slow = "until test -e /srv/go; do sleep 0.05; done; cat | wc -c"
    path = machine.write(
        "/srv/slow.yaml",
        "name: slow\nchannel_policy: {buffer_size: 8K}\nworkloads:\n"
        + step("much", "for i in $(seq 40); do head -c 4096 /dev/zero; echo $i >/srv/seen; done",
               f"{HOST}channel_policy: {{buffer_size: 64K}}, ")
        + step("first", slow, "stream_inputs: [much], channel_policy: {buffer_size: 128K}, "
               "register: first, ")
        + step("little", "echo some")
        + step("second", slow, "stream_inputs: [little], register: second, "),
    )  # fmt: skip
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    assert until(lambda: machine.run("cat", "/srv/seen").stdout == "32\n", 60)
    assert until(lambda: not any(".little." in unit for unit in steps(machine)), 60)
    assert any(".much." in unit for unit in steps(machine))
    machine.write("/srv/go", "")
    ran = ended(process)
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), ran.events
    found = summaries(machine, ran.id)
    assert (found["first"]["stdout"], found["second"]["stdout"]) == (str(40 * 4096), "5")


def ended(process: "subprocess.Popen[str]") -> Ran:
    """A run that was started with `--json`, once it has ended."""
    out, err = process.communicate(timeout=60)
    return Ran(process.returncode, [json.loads(line) for line in out.splitlines()], err)


def test_who_is_skipped(machine: Machine) -> None:
    """A stream that nobody reads is output as ever; one that nobody writes is empty; who would read
    nothing is skipped where asked.
    """
    no, yes = "when: '{{ false }}', ", "when: '{{ true }}', "
    ran = run(
        machine,
        step("alone", "echo kept", "register: alone, ")
        + step("nobody", "cat", f"{no}stream_inputs: [alone], ")
        + step("silent", "echo lost", no)
        + step("one", "echo 1", yes)
        + step("both", 'cat "$GXO_STREAM_SILENT"; cat "$GXO_STREAM_ONE"; cat',
               "skip_on_no_input: true, stream_inputs: [silent, one], register: both, ")
        + step("empty", "cat | wc -c", "stream_inputs: [silent], register: empty, ")
        + step("starved", "true", "stream_inputs: [silent], skip_on_no_input: true, ")
        + step("next", "true", "stream_inputs: [starved], skip_on_no_input: true, "),
    )  # fmt: skip
    assert ran.code == 0, ran.events
    skipped = [name for name, status in ran.steps.items() if status == "Skipped"]
    assert sorted(skipped) == ["next", "nobody", "silent", "starved"]
    found = summaries(machine, ran.id)
    outputs = [found[name]["stdout"] for name in ("alone", "both", "empty")]
    assert outputs == ["kept", "1", "0"]


def test_several_readers(machine: Machine) -> None:
    """Each has all of it, also one that reads another stream beside it, and none is waited for in
    vain: the slowest sets the pace.
    """
    numbers = "".join(f"{number}\n" for number in range(1, 200_001))
    digest = hashlib.sha256(numbers.encode()).hexdigest()
    check = "sha256sum"
    ran = run(
        machine,
        step("make", "seq 1 200000")
        + step("more", "seq 1 200000")
        + step("one", check, "stream_inputs: [make], register: one, ")
        + step("two", f"sleep 1; {check}", "stream_inputs: [make], register: two, ")
        + step("both", f'{check} "$GXO_STREAM_MORE"; {check} "$GXO_STREAM_MAKE"',
               "stream_inputs: [more, make], register: both, "),
    )  # fmt: skip
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), ran.events
    found = summaries(machine, ran.id)
    sums = " ".join(found[name]["stdout"] for name in ("one", "two", "both")).split()
    assert [word for word in sums if len(word) == 64] == [digest] * 4
    assert [found[name]["dropped"] for name in ("one", "two", "both")] == [0, 0, 0]


def test_a_reader_with_no_room(machine: Machine) -> None:
    """It gets whole lines, the newest or the oldest, and how many it did not get is in its summary;
    or it ends the stream, and is named.
    """
    wait = "until test -e done; do sleep 0.05; done; "
    small = "channel_policy: {{buffer_size: 4K, overflow_strategy: {}}}, "
    ran = run(
        machine,
        step("make", "seq 1 100000; sleep 0.5; touch done")
        + step("all", "wc -l", "stream_inputs: [make], register: all, ")
        + "".join(
            step(name, f"{wait}cat", f"stream_inputs: [make], register: {name}, "
                 + small.format(name))
            for name in ("drop_new", "drop_oldest")
        ),
    )  # fmt: skip
    assert ran.code == 0, ran.events
    found = summaries(machine, ran.id)
    assert (found["all"]["stdout"], found["all"]["dropped"]) == ("100000", 0)
    for name, end in (("drop_new", "1"), ("drop_oldest", "100000")):
        lines = found[name]["stdout"].split("\n")
        assert end in (lines[0], lines[-1])
        assert set(map(int, lines)) <= set(range(1, 100_001))
        assert found[name]["dropped"] == 100_000 - len(lines)
    ran = run(
        machine,
        step("endless", "exec yes")
        + step("slow", "sleep 1000", "stream_inputs: [endless], " + small.format("error"))
        + step("other", "cat >/dev/null", "stream_inputs: [endless], "),
    )
    assert (ran.code, set(ran.steps.values())) == (1, {"Failed"})
    assert ran.details("endless")[0].endswith("`slow` reads too slowly: it has no room for more")
