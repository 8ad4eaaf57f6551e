"""Seccomp profiles of files on a live systemd: each call meets what the file says, and no other."""

import json
import os

from tests.lab.machine import Machine

# getppid(2) is one that systemd always allows, unless it is told otherwise
CALLS = {
    "x86_64": {"getppid": 110, "getpriority": 140},
    "aarch64": {"getppid": 173, "getpriority": 141},
}
ATTEMPT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for name, number in %r.items():
    child = os.fork()
    if not child:
        os._exit(libc.syscall(number, 0, 0) < 0 and ctypes.get_errno())
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
PLAYBOOK = """
workloads:
  - name: free
    lifecycle: {policy: run_once}
    process: &attempt {module: exec, params: {command: python3, args: [/srv/seccomp.py]}}
  - name: allows
    lifecycle: {policy: run_once}
    security_context: {seccomp: {profile_path: /srv/allows.json}}
    process: *attempt
  - name: denies
    lifecycle: {policy: run_once}
    security_context: {profile: host, seccomp: {profile_path: /srv/denies.json}}
    process: *attempt
"""
SIGSYS = 31


def test_each_call_meets_what_the_file_says(machine: Machine) -> None:
    """A list of what is allowed, and one of what is denied, each with the answers of the file."""
    known = machine.run("systemd-analyze", "syscall-filter", "--no-pager", "@known", check=True)
    names = [
        name
        for line in known.stdout.splitlines()[1:]
        if (name := line.strip()) and name[0] not in "#@"
    ]
    allowed = [name for name in names if name not in ("getppid", "getpriority")]
    allows = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        "syscalls": [{"names": allowed, "action": "SCMP_ACT_ALLOW"}],
    }
    denies = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [
            {"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42},
            {"names": ["getpriority"], "action": "SCMP_ACT_KILL_PROCESS"},
        ],
    }
    machine.write("/srv/allows.json", json.dumps(allows))
    machine.write("/srv/denies.json", json.dumps(denies))
    machine.write("/srv/seccomp.py", ATTEMPT % CALLS[os.uname().machine])
    path = machine.write("/srv/seccomp.yaml", PLAYBOOK)
    done = machine.gxo("run", path)
    assert done.returncode == 0, done.stderr
    for workload, expected in (
        ("free", ["getppid 0", "getpriority 0"]),
        ("allows", ["getppid 38", "getpriority 38"]),
        ("denies", ["getppid 42", f"getpriority {-SIGSYS}"]),
    ):
        said = machine.journal("GXO_PLAYBOOK=seccomp", f"GXO_STEP={workload}")
        assert [line for line in said.splitlines() if line.startswith("getp")] == expected
