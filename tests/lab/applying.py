"""Playbooks applied on a lab machine, for the tests of apply."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

from tests.lab.machine import Machine

HOST = "security_context: {profile: host}\n"
"""For playbooks whose commands write where they like."""


@dataclass(frozen=True, slots=True)
class Site:
    """One playbook of its own name on a machine. `write` it, then `apply` it."""

    machine: Machine
    name: str

    @property
    def path(self) -> str:
        return f"/srv/{self.name}/{self.name}.yaml"

    def write(self, workloads: str, head: str = "") -> str:
        """The text of the playbook: `workloads` is the list, one flow map an item."""
        return self.machine.write(self.path, f"name: {self.name}\n{head}workloads:\n{workloads}")

    def gxo(self, *args: str) -> "CompletedProcess[str]":
        return self.machine.gxo(*args)

    def apply(self, *args: str) -> "CompletedProcess[str]":
        """Apply, which must succeed."""
        done = self.gxo("apply", "--yes", *args, self.path)
        assert done.returncode == 0, done.stderr
        return done

    def fail(self, *args: str) -> str:
        """Apply, which must fail; what it says."""
        done = self.gxo("apply", "--yes", *args, self.path)
        assert done.returncode == 1, (done.stdout, done.stderr)
        return done.stderr

    def plan(self, *args: str) -> dict[str, tuple[str, str]]:
        """Action and reason of each workload with something to do; none is exit 0."""
        done = self.gxo("plan", "--json", *args, self.path)
        assert done.returncode in (0, 2), done.stderr
        found = changes(done.stdout)
        assert done.returncode == (2 if found else 0)
        return found

    def unit(self, workload: str, kind: str = "service") -> str:
        return f"gxo-{self.name}.{workload}.{kind}"

    def units(self, *states: str) -> dict[str, str]:
        """Loaded units of the playbook, slices apart, and their active state."""
        wanted = [f"--state={','.join(states)}"] if states else []
        said = self.machine.run(
            *("systemctl", "list-units", "--all", "--output=json", *wanted),
            f"gxo-{self.name}.*",
            check=True,
        )
        rows = json.loads(said.stdout)
        return {
            row["unit"]: row["active"]
            for row in rows
            if row["load"] == "loaded" and not row["unit"].endswith(".slice")
        }

    def pid(self, workload: str) -> str:
        pid = self.machine.show(self.unit(workload), "MainPID")["MainPID"]
        assert pid != "0", f"{workload} does not run"
        return pid

    def timers(self) -> list[str]:
        return [name for name, state in self.units().items()
                if name.endswith(".timer") and state == "active"]  # fmt: skip

    def lines(self, path: str) -> list[str]:
        """The lines of a file on the machine; none where it is not there."""
        return self.machine.read(path).splitlines() if self.machine.exists(path) else []


def changes(text: str) -> dict[str, tuple[str, str]]:
    """The changes of a JSON document that are to be made, by workload."""
    document: dict[str, Any] = json.loads(text)
    return {
        change["workload"]: (change["action"], change["reason"])
        for change in document["changes"]
        if change["action"] != "none"
    }


@contextmanager
def site(machine: Machine, name: str) -> Iterator[Site]:
    """A playbook of that name, removed in the end."""
    yield Site(machine, name)
    machine.gxo("remove", "--yes", name)
    machine.run("rm", "-rf", f"/srv/{name}")


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it came to hold within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def service(name: str, command: str, extra: str = "", lifecycle: str = "") -> str:
    """A supervised workload that runs a line of shell, and settles quickly."""
    return (
        f"  - {{name: {name}, {extra}lifecycle: {{policy: supervise, "
        f"ready: {{settle: 300ms}}{lifecycle}}}, process: {{module: exec, params: "
        f"{{command: {json.dumps(command)}, shell: true}}}}}}\n"
    )


def schedule(name: str, command: str, calendar: str, lifecycle: str = "") -> str:
    """A scheduled workload that runs a line of shell."""
    return (
        f"  - {{name: {name}, lifecycle: {{policy: scheduled, calendar: {json.dumps(calendar)}, "
        f"workspace: none{lifecycle}}}, process: {{module: exec, params: "
        f"{{command: {json.dumps(command)}, shell: true}}}}}}\n"
    )
