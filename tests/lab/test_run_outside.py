"""Modules from outside the library in runs, and whose may run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keys import new_key
from tests.lab.applying import site, until
from tests.lab.machine import Machine
from tests.lab.running import Ran, left, run, step, steps, summaries, use
from tests.schemas import held

MODULES = "/etc/gxo/modules"
COPIES = "/var/lib/gxo/modules"
SHELL = """\
name: acme:shell
doc: Says what it was asked, and where it is.
entry: bin/run
params:
  word: {type: text, doc: Any., default: none}
  path: {type: path, doc: Any.}
"""
RUN = """\
#!/bin/sh
here=${0%/bin/run}
asked=$(cat)
echo "to stderr" >&2
(: >"$here/new") 2>/dev/null && changed=true || changed=false
printf '{"summary": {"user": "%s", "pwd": "%s", "here": "%s", "changed": %s, "asked": %s}}' \\
    "$(id -un)" "$PWD" "$here" "$changed" "$asked"
"""


class Host:
    """A machine with a module in Python and one in shell, and a key that may sign them."""

    def __init__(self, machine: Machine, keys: Path) -> None:
        self.machine = machine
        private, public = new_key(keys)
        self.key = machine.write("/root/release.key", private.read_text(), 0o600)
        machine.write("/etc/gxo/keys/release.pub", public.read_text())
        machine.gxo("setup", check=True)
        machine.gxo("modules", "new", "acme:greet", f"{MODULES}/greet", check=True)
        machine.write(f"{MODULES}/shell/module.yaml", SHELL)
        machine.write(f"{MODULES}/shell/bin/run", RUN, 0o755)
        self.configure("enforce")
        self.sign("greet", "shell")

    def configure(self, policy: str) -> None:
        text = f"modules: {{policy: {policy}, keys: [/etc/gxo/keys/release.pub]}}\n"
        self.machine.write("/etc/gxo/config.yaml", text)

    def sign(self, *names: str) -> None:
        for name in names:
            place = f"{MODULES}/{name}"
            self.machine.gxo("modules", "sign", place, "--key", self.key, check=True)

    def change(self, name: str = "greet", file: str = "main.py") -> None:
        """One byte more than was signed."""
        path = f"{MODULES}/{name}/{file}"
        self.machine.write(path, self.machine.read(path) + "#", 0o755)

    def run(self, *workloads: str, head: str = "") -> Ran:
        """Run them; of the copies nothing is left."""
        ran = run(self.machine, "".join(workloads), head=head)
        assert self.machine.run("ls", "-A", COPIES).stdout == ""
        return ran


@pytest.fixture
def host(machine: Machine, tmp_path: Path) -> Iterator[Host]:
    yield Host(machine, tmp_path)
    machine.run("rm", "-rf", "/etc/gxo", "/srv/told", check=True)


def told(ran: Ran) -> str:
    """What was said of the run as a whole."""
    return "\n".join(e["detail"] for e in ran.events if not e["step"])


def test_signed_modules_run(host: Host) -> None:
    """In Python and in shell, in the step's own sandbox; what they yield, others read.

    They are copies that the step itself cannot change, and of which all is signed. What is put into
    the place of a module after the run has begun is not run.
    """
    swap = f"printf '%s' 'print(1)' >{MODULES}/greet/main.py"
    ran = host.run(
        step("swap", swap, "security_context: {profile: host}, "),
        use("greet", "acme:greet", "needs: [swap], ", who="{{ .name }}", times=2),
        use("shell", "acme:shell", "needs: [greet], ", word="{{ .greet.greeting }}", path="a/b"),
        use("free", "acme:shell", "security_context: {profile: host}, "),
        use("strict", "acme:greet", "security_context: {profile: strict, allow_degraded: true}, ",
            who="you"),
        head="vars: {name: you}\n",
    )  # fmt: skip
    assert (ran.code, ran.status) == (0, "Completed"), ran.events
    found = summaries(host.machine, ran.id)
    assert found["greet"] == {"greeting": "hello you, hello you"}
    shell = found["shell"]
    asked = shell["asked"]
    assert asked["module"] == "acme:shell"
    assert asked["params"] == {"word": "hello you, hello you", "path": "a/b"}
    assert asked["workspace"] == shell["pwd"]
    assert (shell["user"], shell["changed"]) == ("gxo", False)
    assert shell["here"] == "/var/lib/gxo/module"
    assert (found["free"]["user"], found["free"]["asked"]["free"]) == ("root", True)
    assert found["free"]["here"].startswith(COPIES)
    assert found["strict"] == {"greeting": "hello you"}
    assert "to stderr\n" in host.machine.journal(f"GXO_RUN={ran.id}", "GXO_STEP=shell")


def test_a_changed_module_does_not_run(host: Host) -> None:
    """One byte of any file, and the run fails before its first step; who is to know is told."""
    host.change()
    told_of = {"module": "exec", "params": {"command": "echo x >>/srv/told", "shell": True}}
    head = f"security_context: {{profile: host}}\non_failure: [{json.dumps(told_of)}]\n"
    ran = host.run(step("first", "true"), use("greet", "acme:greet", who="you"), head=head)
    assert (ran.code, ran.status) == (1, "Failed")
    assert set(ran.steps) == {"on_failure.1"}
    reason = f"cannot run the module `acme:greet` in {MODULES}/greet: `main.py` is not what was"
    assert reason in told(ran)
    assert reason in host.machine.journal(f"GXO_RUN={ran.id}", "GXO_STREAM=security")
    assert host.machine.read("/srv/told") == "x\n"


def test_policies(host: Host) -> None:
    """`warn` runs what nobody has signed and says so; `off` runs it; a bad key stops `enforce`."""
    host.change()
    host.configure("warn")
    greet = use("greet", "acme:greet", who="you")
    ran = host.run(greet)
    assert (ran.code, summaries(host.machine, ran.id)["greet"]) == (0, {"greeting": "hello you"})
    (warning,) = (e["detail"] for e in ran.events if e["event"] == "warning")
    assert warning.endswith("runs anyway: `main.py` is not what was signed")
    assert warning in host.machine.journal(f"GXO_RUN={ran.id}", "PRIORITY=4")
    plain = host.machine.gxo("run", "/srv/runs.yaml")
    assert f"  warning   {warning}\n" in plain.stdout
    host.configure("off")
    ran = host.run(greet)
    assert ran.code == 0
    assert not [e for e in ran.events if e["event"] == "warning"]
    host.configure("enforce")
    host.sign("greet")
    host.machine.run("chmod", "666", "/etc/gxo/keys/release.pub", check=True)
    ran = host.run(greet)
    assert ran.code == 1
    assert "users other than root may write to it" in told(ran)


def test_a_killed_runner_leaves_no_copies(host: Host) -> None:
    """They go with the workspace, by whoever cleans up behind it."""
    machine = host.machine
    slow = step("slow", "sleep 600") + use("greet", "acme:greet", "needs: [slow], ", who="you")
    path = machine.write("/srv/killed.yaml", f"name: killed\nworkloads:\n{slow}")
    machine.gxo("run", "--detach", path, check=True)
    assert until(lambda: bool(steps(machine)))
    assert machine.run("ls", "-A", COPIES).stdout != ""
    machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "gxo-run-*", check=True)
    assert until(lambda: left(machine) == [])
    assert machine.run("ls", "-A", COPIES).stdout == ""


def test_a_path_that_leads_out(host: Host) -> None:
    """It ends the run before the module is started, as one of the library's does."""
    ran = host.run(
        step("trap", "ln -s /etc out"),
        use("shell", "acme:shell", "needs: [trap], ignore_errors: true, ", path="out/passwd"),
        step("after", "true", "needs: [shell], "),
    )
    assert (ran.code, ran.status, ran.steps["shell"]) == (1, "Failed", "Failed")
    assert "after" not in ran.steps
    assert ran.details("shell")[-1].startswith("security: cannot use out/passwd: it leads out of ")
    security = host.machine.journal(f"GXO_RUN={ran.id}", "GXO_STREAM=security")
    assert ran.details("shell")[-1] in security


def test_answers(host: Host) -> None:
    """What is no answer is a failure of the step, whatever it is; an error is told as it is."""
    answers = {
        "silent": ("", "its worker ended without an answer"),
        "words": ("no JSON", "its worker ended without an answer"),
        "list": ('{"summary": [1]}', "its worker ended without an answer"),
        "number": ('{"error": 5}', "its worker ended without an answer"),
        "deep": ("[" * 100_000, "its worker ended without an answer"),
        "error": ('{"error": "no\\nway", "summary": {"a": 1}}', "no\N{REPLACEMENT CHARACTER}way"),
    }
    program = "#!/usr/bin/python3\nimport json, sys\nsys.stdout.write(json.load(sys.stdin)"
    host.machine.write(f"{MODULES}/shell/bin/run", f'{program}["params"]["word"])\n', 0o755)
    host.sign("shell")
    ran = host.run(
        *(
            use(name, "acme:shell", "ignore_errors: true, ", word=text)
            for name, (text, _) in answers.items()
        )
    )
    assert {name: ran.details(name)[-1] for name in answers} == {
        name: reason for name, (_, reason) in answers.items()
    }
    assert summaries(host.machine, ran.id)["error"] == {"a": 1}


def test_a_schedule_keeps_to_its_module(host: Host) -> None:
    """Its runs are of the bytes that were applied: of other ones, signed too, after an apply."""
    with site(host.machine, "turned") as here:
        never = '{policy: scheduled, calendar: "*-01-01", catch_up: false}'
        here.write(use("greet", "acme:greet", who="you").replace("{policy: run_once}", never))
        here.apply()
        assert here.gxo("trigger", "turned.greet").returncode == 0
        host.change()
        host.sign("greet")
        assert here.gxo("trigger", "turned.greet").returncode == 1
        (last, first) = held("runs", here.gxo("runs", "--json", "-n", "2").stdout)["runs"]
        assert (first["status"], last["status"]) == ("Completed", "Failed")
        assert "it has changed since the playbook was read" in last["detail"]
        assert list(here.plan()) == ["greet"]
        here.apply()
        assert here.gxo("trigger", "turned.greet").returncode == 0


def test_a_host_says_what_it_has(host: Host) -> None:
    """`gxo modules` lists the library and what lies beside it, with whose signature."""
    host.change("shell", "bin/run")
    said = held("modules", host.machine.gxo("modules", "list", "--json").stdout)["modules"]
    outside = {each["name"]: each["signature"] for each in said if each["origin"] == "outside"}
    assert outside == {"acme:greet": "signed", "acme:shell": "badly signed"}
    done = host.machine.gxo("modules", "verify", f"{MODULES}/greet")
    assert (done.returncode, done.stdout) == (
        0,
        f"acme:greet in {MODULES}/greet: signed by /etc/gxo/keys/release.pub\n",
    )
    assert host.machine.gxo("modules", "verify", f"{MODULES}/shell").returncode == 1
