"""Codes: which exit codes each command has, in the words of its help."""

from collections.abc import Mapping

from gxo.cli.exits import Exit

_WORDS = {
    Exit.DONE: "done",
    Exit.FAILED: "failed",
    Exit.USAGE: "wrong usage",
    Exit.UNREACHABLE: "systemd cannot be reached",
    Exit.LOCKED: "another apply took too long",
    Exit.NOT_PERMITTED: "not permitted",
    Exit.CANCELLED: "cancelled",
}
_ROOT = (Exit.NOT_PERMITTED,)
_SYSTEMD = (Exit.UNREACHABLE, *_ROOT)
_ASKS = (*_ROOT, Exit.CANCELLED)
_RUNS = (*_SYSTEMD, Exit.CANCELLED)
_CHANGES = (Exit.UNREACHABLE, Exit.LOCKED, *_ASKS)
_CHECKED = {Exit.DONE: "no errors", Exit.FAILED: "problems found"}
_RAN = {Exit.DONE: "completed, or with --detach started"}
_OWN: Mapping[str, Mapping[Exit, str]] = {
    "validate": _CHECKED,
    "compile": {Exit.FAILED: "problems found"},
    "graph": {Exit.FAILED: "problems found, or no such run"},
    "plan": {Exit.DONE: "no changes", Exit.FAILED: "an error", Exit.CHANGES: "there are changes"},
    "apply": {Exit.FAILED: "problems found, or rolled back"},
    "run": {**_RAN, Exit.FAILED: "problems found, or the run failed"},
    "runs rerun": _RAN,
    "modules list": {Exit.FAILED: "one cannot be used"},
    "modules verify": {Exit.DONE: "signed", Exit.FAILED: "not signed by any of the keys"},
    "doctor": {Exit.FAILED: "something is missing or broken"},
}
_ALSO: Mapping[str, tuple[Exit, ...]] = {
    "plan": _SYSTEMD,
    "run": _RUNS,
    "runs": _ROOT,
    "runs show": _ROOT,
    "runs rerun": _RUNS,
    "runs prune": _ROOT,
    "cancel": _SYSTEMD,
    "status": _SYSTEMD,
    "graph": _ROOT,
    **dict.fromkeys(("apply", "rollback", "remove"), _CHANGES),
    **dict.fromkeys(("start", "stop", "restart", "reload", "trigger"), _CHANGES),
    "secrets set": _ROOT,
    "secrets list": _ROOT,
    "secrets rm": _ASKS,
    "setup": _ROOT,
}


def epilog(command: str, example: str) -> str:
    """The end of a command's help: its exit codes and its example."""
    return f"{line(command)}\n\n{example}"


def line(command: str) -> str:
    """`Exit codes: 0 done; …` of a command, such as `runs show`."""
    if command == "try":
        return "Exit codes: those of what it runs; 77 not permitted."
    also = _ALSO.get(command, ())
    words = {**_WORDS, **_OWN.get(command, {})}
    codes = {Exit.DONE, Exit.FAILED, Exit.USAGE, *_OWN.get(command, ()), *also}
    return f"Exit codes: {'; '.join(f'{code} {words[code]}' for code in sorted(codes))}."
