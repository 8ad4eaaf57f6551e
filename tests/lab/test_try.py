"""`gxo try`, from the host: what it shows, what it passes on, and that nothing of it stays."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from gxo.lab.mounts import covers
from tests.lab.fingerprint import Difference, Fingerprint, difference, fingerprint
from tests.lab.machine import CHECKOUT
from tests.lab.remains import wait_until_gone

GXO = [sys.executable, "-I", "-m", "gxo"]
WATCHED = tuple(
    map(
        Path,
        (
            *("/etc", "/usr/local", "/usr/lib/systemd", "/root/.config", "/srv", "/opt"),
            *("/var/lib/gxo", "/var/lib/systemd", "/run/gxo", "/run/systemd"),
        ),
    )
)
SITE = """
workloads:
  - name: web
    lifecycle: {policy: supervise, ready: {settle: 300ms}}
    process:
      module: exec
      params: {shell: true, command: "echo the web is up; exec sleep infinity"}
  - name: nightly
    lifecycle: {policy: scheduled, cron: "17 3 * * *", workspace: none}
    process: {module: exec, params: {command: /usr/bin/true}}
"""
DIES = """
workloads:
  - name: dies
    lifecycle: {policy: supervise, ready: {settle: 2s}}
    process: {module: exec, params: {shell: true, command: "echo no luck; sleep 0.1; exit 3"}}
"""


def gxo_try(
    *arguments: str,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002 - as subprocess.run has it
) -> subprocess.CompletedProcess[str]:
    """Run `gxo try` as a user of this host does."""
    return subprocess.run(
        [*GXO, "try", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
        input=input,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A playbook in /tmp, which the guest would not see by itself."""
    path = tmp_path / "hello.yaml"
    path.write_text(SITE)
    return path


def changed(before: Fingerprint) -> list[Difference]:
    """What is not as it was on this host; what belongs to other tests' labs left out."""
    found = difference(before, fingerprint(WATCHED))
    return [d for d in found if "gxo-lab" not in d.name and d.part != "sysctl"]


def test_it_applies_and_shows_and_leaves_nothing(site: Path) -> None:
    """Plan, progress, states, exposure, journal and the command's output; the host is as before."""
    before = fingerprint(WATCHED)
    probe = "hostname; systemctl is-active gxo-hello.web.service; touch /etc/from-the-guest"
    done = gxo_try("--exec", probe, str(site))
    assert done.returncode == 0, done.stderr
    plan, rest = done.stdout.split("applied: hello 1\n")
    assert plan.splitlines()[0].split() == ["start", "hello.web", "new"]
    assert plan.endswith("2 to start\n")
    head, web, nightly, *journal = rest.splitlines()
    assert head.split()[0] == "WORKLOAD"
    assert head.split()[-1] == "EXPOSURE"
    assert web.split()[:3] == ["hello.web", "supervise", "running"]
    assert 0 < float(web.split()[-1]) < 3
    assert nightly.split()[:3] == ["hello.nightly", "scheduled", "waiting"]
    assert any(line.endswith(" hello.web: the web is up") for line in journal)
    machine, active = journal[-2:]
    assert active == "active"
    assert "  started   hello.web\n" in done.stderr
    assert f"\n$ {probe}\n" in done.stderr
    assert machine.startswith("gxo-lab-")
    assert wait_until_gone(machine) == []
    assert changed(before) == []


def test_codes_and_output_pass_through(site: Path) -> None:
    """A subcommand's exit code, JSON and errors are those of the subcommand, and nothing more."""
    done = gxo_try("plan", "--json", str(site))
    assert (done.returncode, done.stderr) == (2, "")
    changes = json.loads(done.stdout)["changes"]
    assert [change["workload"] for change in changes] == ["web", "nightly"]
    site.write_text(SITE.replace("supervise,", "supervised,"))
    done = gxo_try("validate", site.name, cwd=site.parent)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[unknown-value]: `policy` cannot be `supervised`\n")
    assert "--> hello.yaml:4:25\n" in done.stderr
    assert gxo_try("--exec", "exit 7").returncode == 7


def test_a_failed_apply_is_shown(site: Path) -> None:
    """What does not come up is 1, with its last words, and still the states and the journal."""
    site.write_text(DIES)
    done = gxo_try(str(site))
    assert done.returncode == 1
    assert "error: cannot start `hello.dies` (gxo-hello.dies.service): it exited" in done.stderr
    assert "\n    no luck\n" in done.stderr
    assert done.stderr.rstrip().endswith("what had changed is back to what ran before")
    assert " hello.dies: no luck\n" in done.stdout


def test_a_shell_in_it() -> None:
    """`--shell` opens a shell there, which reads this one's input; how it ends is no failure."""
    done = gxo_try("--shell", input="systemctl is-system-running; exit 3\n")
    assert (done.returncode, done.stdout) == (0, "running\n")


def test_an_interrupt_leaves_nothing(site: Path) -> None:
    """Ctrl-C goes to all of the foreground at once: 130, no traceback, and the host as before."""
    before = fingerprint(WATCHED)
    trying = subprocess.Popen(
        [*GXO, "try", "--exec", "hostname; exec sleep 60", str(site)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert trying.stdout is not None
    machine = ""
    while not machine.startswith("gxo-lab-"):
        machine = trying.stdout.readline().strip()
    began = time.monotonic()
    os.killpg(trying.pid, signal.SIGINT)
    _, said = trying.communicate(timeout=30)
    assert trying.returncode == 130, said
    assert time.monotonic() - began < 20
    assert "Traceback" not in said
    assert wait_until_gone(machine) == []
    assert changed(before) == []


def test_an_installation_under_tmp(tmp_path: Path, site: Path) -> None:
    """The guest's /tmp is its own: a checkout and its environment there are shared with it."""
    checkout = tmp_path / "checkout"
    for part in ("gxo", "grammar", "templates", "packaging"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / part, checkout / part, ignore=skip)
    venv = checkout / ".venv"
    make = ["-m", "venv", "--without-pip", "--system-site-packages", str(venv)]
    subprocess.run([sys.executable, *make], check=True)
    libraries = Path(sysconfig.get_path("purelib"))
    (packages,) = venv.glob("lib/python3*/site-packages")
    (packages / "checkout.pth").write_text(f"{checkout}\n{libraries}\n")
    share = [f"--bind={libraries}"] if covers(libraries) else []
    python = str(venv / "bin/python")
    look = f"{python} -I -c 'import gxo; print(gxo.__file__)'"
    done = subprocess.run(
        [python, "-I", "-m", "gxo", "try", *share, "--exec", look, "validate", str(site)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (f"1 playbook, 2 workloads: no errors\n{checkout}/gxo/__init__.py\n")


# what is needed is loaded while the checkout can be read, which may be closed to others
AS_NOBODY = """
import os, sys
import gxo.cli.program, gxo.cli.try_out, gxo.diagnostic.render, gxo.lab, gxo.lab.program
from gxo.cli.main import main
os.setresuid(65534, 65534, 65534)
sys.argv = ["gxo", "try", "status"]
main()
"""


def test_only_root_can() -> None:
    """Another user is told so in one line, with the code for not permitted."""
    argv = [sys.executable, "-c", AS_NOBODY]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr == (
        "error: cannot boot a throw-away systemd: not root; run it with sudo"
        " (gxo does not drive user managers yet)\n"
    )
