"""The guard of a service with secrets, started as its unit starts it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gxo.runtime.redact import MASK, Redactor
from gxo.runtime.secrets import SecretError
from gxo.runtime.service_secrets import LONGEST, Handout
from gxo.units.directives import directive
from gxo.units.model import Command
from gxo.units.service_secrets import guarded_start

SECRET = "hunter2-and-%more'"
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a line of shell under a guard, with these variables and this standard input."""

    def started(
        *argv: str,
        variables: tuple[str, ...] = (f"T={SECRET}",),
        stdin: str | None = None,
        stderr: int = subprocess.PIPE,
        forward: bool = True,
    ) -> "subprocess.Popen[bytes]":
        given = Handout(variables, stdin, Redactor([SECRET]).forms)
        credential = tmp_path / "gxo"
        if not credential.is_fifo():
            credential.write_bytes(given.handed)
        words = argv if len(argv) > 1 else ("/bin/sh", "-c", *argv)
        command = guarded_start(directive("ExecStart", Command(words)), forward=forward).value
        assert isinstance(command, Command)
        own = {"CREDENTIALS_DIRECTORY": str(tmp_path), "PATH": os.environ["PATH"], "A": "b"}
        return subprocess.Popen(command.argv, env=own, stdout=subprocess.PIPE, stderr=stderr)

    return started


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str, str]:
    """How it ended, and what came out."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def test_both_outputs_are_masked(start: Start) -> None:
    """Whole, in two writes, encoded; and what was held back comes out at the end."""
    line = (
        'echo "out $T"; echo "err $T" >&2; printf hunter2-; sleep 0.1;'
        ' printf "%s\\n" "${T#hunter2-}";'
        ' printf %s "$T" | base64; printf hunter2'
    )
    assert ended(start(line)) == (0, f"out {MASK}\n{MASK}\n{MASK}\nhunter2", f"err {MASK}\n")


def test_outputs_that_are_one_stay_in_order(start: Start) -> None:
    """As systemd gives them to a service: what is written last also comes last."""
    line = 'for n in $(seq 500); do printf "%s " "$n"; echo "$T" >&2; done'
    out, _ = start(line, stderr=subprocess.STDOUT).communicate(timeout=60)
    assert out.decode() == "".join(f"{n} {MASK}\n" for n in range(1, 501))


def test_before_journald_splits(start: Start) -> None:
    """A secret across the 48 KiB at which journald cuts a line, and one beside a NUL."""
    line = "head -c 49140 /dev/zero | tr '\\0' x; printf '%s' \"$T\"; printf '\\0%s\\0' \"$T\""
    assert ended(start(line)) == (0, "x" * 49140 + f"{MASK}\0{MASK}\0", "")


def test_the_program_has_what_it_has_without_a_guard(start: Start) -> None:
    """The environment but for the credential, a session of its own, no descriptor too many."""
    look = "env | grep -v ^_= | sort; ls /proc/self/fd | wc -l; cat"
    code, out, _ = ended(start(look, variables=("T=x", "A=c"), stdin="in\nput"))
    path = os.environ["PATH"]
    assert (code, out) == (0, f"A=c\nPATH={path}\nPWD={Path.cwd()}\nT=x\n4\nin\nput")
    code, out, _ = ended(start("test -c /dev/stdin; echo $?; ps -o sid= -p $$; echo $$"))
    is_null, session, pid = out.split()
    assert (is_null, session) == ("0", pid)


@pytest.mark.parametrize(
    ("line", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -9), ("kill -SEGV $$", -11), ("kill $$", -15)],
)
def test_it_ends_as_the_program_does(start: Start, line: str, code: int) -> None:
    """The guard ends by the program's exit status, or by the same signal."""
    assert ended(start(line))[0] == code


def test_programs_that_cannot_be_run(start: Start) -> None:
    """The exit status is systemd's 203, and stderr says why."""
    there, not_there = ("/etc/passwd", "/etc"), ("/no/such", "no-such")
    reasons = dict.fromkeys(not_there, "No such file") | dict.fromkeys(there, "Permission denied")
    for program, why in reasons.items():
        code, _, err = ended(start(program, "x"))
        assert (code, f"cannot run {program}: {why}" in err) == (203, True), err


def test_signals_reach_the_program_and_its_children(start: Start) -> None:
    """Each once; the program decides what comes of it."""
    line = (
        "trap 'echo hup' HUP; trap 'echo term; wait; exit 3' TERM;"
        " (trap '' HUP; trap 'echo child; exit 0' TERM; echo up; while :; do sleep 0.05; done) &"
        " while :; do sleep 0.05; done"
    )
    process = start(line)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline() == b"hup\n"
    process.send_signal(signal.SIGTERM)
    code, out, _ = ended(process)
    assert (code, sorted(out.split())) == (3, ["child", "term"])


@pytest.mark.parametrize("forward", [True, False])
def test_a_signal_that_comes_before_the_program(
    start: Start, tmp_path: Path, *, forward: bool
) -> None:
    """Is kept until it is there, and ends it; else a service that is stopped at once would not."""
    handed = Handout((), None, Redactor([SECRET]).forms).handed
    size, _, rest = handed.partition(b"\n")
    os.mkfifo(tmp_path / "gxo")
    process = start("exec sleep 1000", forward=forward)
    with (tmp_path / "gxo").open("wb", buffering=0) as fifo:
        fifo.write(size + b"\n" + rest[: int(size)])
        deadline = time.monotonic() + 60
        while not blocks(process.pid, signal.SIGTERM):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        fifo.write(rest[int(size) :])
    assert ended(process) == (-signal.SIGTERM, "", "")


def blocks(pid: int, number: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(line.split()[1] for line in lines if line.startswith("SigBlk"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_others_that_go_on_to_write_do_not_hold_it_up(start: Start) -> None:
    """It ends with the program, having said what that had written."""
    began = time.monotonic()
    process = start("(while :; do echo more; done) & echo $!; sleep 0.2; echo last; exit 4")
    assert process.stdout is not None
    pid = next(int(line) for line in process.stdout if line.strip().isdigit())
    try:
        while process.poll() is None:
            os.read(process.stdout.fileno(), 1 << 16)
        assert process.returncode == 4
        assert time.monotonic() - began < 30
    finally:
        os.kill(pid, signal.SIGKILL)


def test_outputs_that_are_closed(start: Start) -> None:
    """By the program, which goes on; by who reads, of which the program hears nothing."""
    assert ended(start("exec >&- 2>&-; sleep 0.2; exit 5")) == (5, "", "")
    process = start("sleep 0.2; echo $T; echo $T; exit 6")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 6


def test_much_passes_unchanged(start: Start) -> None:
    """Eight megabytes without a secret, byte for byte."""
    line = "head -c 8000000 /dev/zero | tr '\\0' 'h'"
    code, out, _ = ended(start(line))
    assert (code, out == "h" * 8_000_000) == (0, True)


def test_more_than_systemd_hands_over() -> None:
    """More than a credential may hold is refused before anything is started."""
    long = "\n".join(f"{number:060d}" for number in range(2000))
    with pytest.raises(SecretError, match="and systemd hands over no more than"):
        assert Handout((), long, Redactor([long]).forms).handed
    assert len(Handout((), "x", frozenset()).handed) < LONGEST / 20
