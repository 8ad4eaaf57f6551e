"""Playbooks run on a lab machine, for the tests of runs."""

import json
from dataclasses import dataclass
from typing import Any

from tests.lab.machine import Machine
from tests.schemas import held


@dataclass(frozen=True, slots=True)
class Ran:
    """How a `gxo run --json` ended and what it told."""

    code: int
    events: list[dict[str, Any]]
    stderr: str

    @property
    def id(self) -> str:
        return str(self.events[0]["run"])

    @property
    def status(self) -> str:
        return str(self.events[-1]["status"])

    @property
    def steps(self) -> dict[str, str]:
        """The last status of each step that came up, in the order of their first events."""
        return {e["step"]: e["status"] for e in self.events if e["event"] == "step"}

    def details(self, step: str) -> list[str]:
        """What was told of a step in words."""
        return [e["detail"] for e in self.events if e["step"] == step and e["detail"]]

    def order(self, status: str) -> list[str]:
        return [e["step"] for e in self.events if e["event"] == "step" and e["status"] == status]


def run(
    machine: Machine,
    workloads: str,
    *args: str,
    head: str = "",
    name: str = "runs",
    timeout: float = 120,
) -> Ran:
    """Run a playbook of these workloads, and see that nothing of the run is left."""
    path = machine.write(f"/srv/{name}.yaml", f"name: {name}\n{head}workloads:\n{workloads}")
    done = machine.gxo("run", "--json", *args, path, timeout=timeout)
    ran = Ran(
        done.returncode, [held("event", line) for line in done.stdout.splitlines()], done.stderr
    )
    assert left(machine) == []
    return ran


def left(machine: Machine) -> list[str]:
    """Units, workspaces and directories of services of runs that are there."""
    units = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "gxorun-*",
                        "gxo-run-*").stdout.splitlines()  # fmt: skip
    spaces = machine.run("ls", "-A", "/var/lib/gxo/workspaces").stdout.splitlines()
    own = machine.run("find", "/run/gxo", "/run/private", "-name", "run.*").stdout.splitlines()
    return [*(line.split()[0] for line in units), *spaces, *own]


def step(name: str, command: str, extra: str = "") -> str:
    """A run_once workload that runs a line of shell."""
    params = json.dumps({"command": command, "shell": True})
    return (
        f"  - {{name: {name}, {extra}lifecycle: {{policy: run_once}},"
        f" process: {{module: exec, params: {params}}}}}\n"
    )


def steps(machine: Machine) -> list[str]:
    """The steps' units that run."""
    said = machine.run(
        *("systemctl", "list-units", "--plain", "--no-legend"), "--state=activating", "gxorun-*"
    )
    return [line.split()[0] for line in said.stdout.splitlines()]


def use(name: str, module: str, extra: str = "", **params: object) -> str:
    """A run_once workload of a module; what it yields is registered under its own name."""
    return (
        f"  - {{name: {name}, register: {name}, {extra}lifecycle: {{policy: run_once}},"
        f" process: {{module: '{module}', params: {json.dumps(params)}}}}}\n"
    )


def summaries(machine: Machine, run_id: str) -> dict[str, Any]:
    """What each step of a run has yielded."""
    said = machine.gxo("runs", "show", "--json", run_id, check=True).stdout
    return {name: step["summary"] for name, step in json.loads(said)["steps"].items()}
