"""Gate: a step's unit set up ahead of its time, whose program starts when the gate is opened.

Setting a sandbox up costs more than most steps run, and may be done while what the step waits for
still runs. The unit's process is then a shell in the sandbox that reads one line; a line makes it
become the program, the end of the pipe, also that of a killed runner, makes it go.
"""

import os
from contextlib import suppress

from gxo.dataclass import dataclass, replace
from gxo.plan.model import Step
from gxo.spec.lifecycle import RunOnce
from gxo.spec.policy import Profile
from gxo.template.names import uses
from gxo.units.model import Command, Directive

_NOT_EXECUTED = 203
"""What systemd exits with for a program that cannot be executed (systemd.exec(5), EXEC)."""
_WAIT = (
    "read -r go || exit 0; unset go PWD OLDPWD SHLVL; "
    f'command -v -- "$1" >/dev/null || exit {_NOT_EXECUTED}; exec "$@" </dev/null'
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where systemd searches programs (systemd.exec(5)); the shell does as long as nobody sets PATH."""
_OF_THE_SHELL = frozenset(
    {"IFS", "LINENO", "OLDPWD", "OPTIND", "PPID", "PWD", "SHELLOPTS", "SHLVL", "_", "go"}
)
"""Variables that the shell would not hand on as they are given."""
_OF_THE_MOMENT = frozenset({"now", "uuid", "secret"})


def may_wait(step: Step) -> bool:
    """Whether a step may be set up early: nothing of it depends on when it starts.

    `timeout` counts from the start of its unit; a condition or a loop is not known before.
    """
    return (
        isinstance(step.lifecycle, RunOnce)
        and step.action.module.text == "exec"
        and step.when is None
        and step.loop is None
        and step.timeout is None
        and step.action.params.get("stdin") is None
        and step.security.root_filesystem is None
        and not any(use.function in _OF_THE_MOMENT for use in uses(step.action.params))
    )


def gated(command: tuple[Directive, ...]) -> tuple[Directive, ...] | None:
    """The command behind a gate; None where a shell would not run the same program as systemd."""
    from shutil import which

    start, *around = command
    assert isinstance(start.value, Command)
    program = start.value.argv[0]
    given = {str(s.value).partition("=")[0] for s in around if s.name == "Environment"}
    if given & _OF_THE_SHELL or ("PATH" in given and "/" not in program):
        return None
    found = which(program, path=_PATH)
    if found is None or not _is_for_the_kernel(found):
        return None
    waiting = Command(("/bin/sh", "-c", _WAIT, "sh", *start.value.argv))
    return (replace(start, value=waiting), *around)


def _is_for_the_kernel(path: str) -> bool:
    """Whether systemd can execute a file: a shell takes any other for a script of its own."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.read(file, 4).startswith((b"\x7fELF", b"#!"))
    finally:
        os.close(file)


def leaves_all_as_it_is(step: Step) -> bool:
    """Whether a step cannot change what the set-up of another depends on: users, mounts, paths."""
    context = step.security
    return context.profile is not Profile.HOST and not context.read_write_paths


def is_bare(step: Step) -> bool:
    """Whether nothing is set up for a step that anybody could change: it runs in the host as it is.

    What its program is and does is looked up when the gate opens.
    """
    context = step.security
    return context.profile is Profile.HOST and not (
        context.user or context.namespaces or context.read_write_paths or context.read_only_paths
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """A pipe: `reader` is the standard input of what waits, `writer` stays with the runner."""

    reader: int
    writer: int

    @classmethod
    def make(cls) -> "Gate":
        return cls(*os.pipe2(os.O_CLOEXEC))

    def open(self) -> None:
        """Let the program start."""
        with suppress(BrokenPipeError):  # it is gone: its unit says how
            os.write(self.writer, b"\n")
        os.close(self.writer)

    def close(self) -> None:
        """Let the waiting shell end."""
        os.close(self.writer)
