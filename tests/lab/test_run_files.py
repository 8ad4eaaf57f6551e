"""The filesystem modules in runs on a real systemd, and the jail that their paths lie in."""

import json

import pytest

from tests.lab.machine import CHECKOUT, Machine
from tests.lab.running import Ran, run, step, summaries, use

HOST = "security_context: {profile: host}, "


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def said(ran: Ran) -> list[str]:
    """All that was told of it in words."""
    return [event["detail"] for event in ran.events if event["detail"]]


def chain(*workloads: str) -> str:
    """Workloads each of which waits for the one before."""
    linked = []
    before = ""
    for text in workloads:
        name = text.split("name: ")[1].split(",")[0]
        linked.append(text.replace(",", f", needs: [{before}],", 1) if before else text)
        before = name
    return "".join(linked)


def test_what_each_does(machine: Machine) -> None:
    """Each brings about what it is for, says whether anything changed, and yields typed values."""
    ran = run(
        machine,
        chain(
            use("new", "filesystem:write", path="out/a b.txt", content="héllo\n", mode="0640",
                create_directories=True),
            use("same", "filesystem:write", path="out/a b.txt", content="héllo\n", mode="0640"),
            use("more", "filesystem:write", path="out/a b.txt", content="x", append=True),
            use("read", "filesystem:read", path="{{ _gxo.workspace.path }}/out/a b.txt"),
            use("binary", "filesystem:write", path="out/--raw", content="//79", encoding="base64"),
            use("raw", "filesystem:read", path="out/--raw", encoding="base64"),
            use("stat", "filesystem:stat", path="out/a b.txt"),
            use("none", "filesystem:stat", path="out/none"),
            use("dir", "filesystem:manage", path="deep/er", state="directory", mode="0750"),
            use("again", "filesystem:manage", path="deep/er", state="directory", mode="0750"),
            use("link", "filesystem:manage", path="out/link", state="link", target="../deep"),
            use("all", "filesystem:list", path=".", recursive=True),
            use("txt", "filesystem:list", path="out", pattern="*.txt"),
            step("hostile", "mkdir -p bad/in/side; ln -s / bad/root; mkfifo bad/pipe;"
                 " chmod 000 bad/in/side; chmod 500 bad/in"),
            use("gone", "filesystem:manage", path="bad", state="absent"),
            use("left", "filesystem:stat", path="bad"),
        ),
    )  # fmt: skip
    assert (ran.code, ran.status) == (0, "Completed"), said(ran)
    found = summaries(machine, ran.id)
    changes = {name: found[name]["changed"] for name in ("new", "same", "more", "dir", "again")}
    assert changes == {"new": True, "same": False, "more": True, "dir": True, "again": False}
    assert (found["read"]["content"], found["read"]["size"]) == ("héllo\nx", 8)
    assert (found["raw"]["content"], found["raw"]["truncated"]) == ("//79", False)
    assert (found["stat"]["mode"], found["stat"]["owner"]) == ("0640", "gxo")
    assert found["none"] == dict.fromkeys(
        ("type", "size", "mode", "owner", "group", "modified")
    ) | {"exists": False}
    assert [entry["path"] for entry in found["all"]["entries"]] == [
        "deep", "deep/er", "out", "out/--raw", "out/a b.txt", "out/link",
    ]  # fmt: skip
    assert [entry["path"] for entry in found["txt"]["entries"]] == ["out/a b.txt"]
    assert (found["gone"]["changed"], found["left"]["exists"]) == (True, False)


@pytest.mark.parametrize(
    ("module", "extra", "params"),
    [
        ("filesystem:write", "", {"path": "{{ .name }}/x", "content": "x"}),
        ("filesystem:write", HOST, {"path": "root/etc/evil", "content": "x"}),
        ("filesystem:read", "", {"path": "/etc/hostname"}),
        ("filesystem:manage", HOST, {"path": "root/srv/kept", "state": "absent"}),
        (
            "filesystem:write",
            "security_context: {read_only_paths: [/srv]}, ",
            {"path": "/srv/x", "content": "x"},
        ),
    ],
    ids=["dots", "through-a-link", "outside", "remove-through-a-link", "read-only"],
)
def test_an_escape_ends_the_run(
    machine: Machine, module: str, extra: str, params: dict[str, str]
) -> None:
    """Nothing outside is touched; it is not tried again, tolerated or followed by anything."""
    machine.write("/srv/kept", "kept")
    ran = run(
        machine,
        step("trap", "ln -s / root")
        + use("out", module, f"needs: [trap], retry: {{attempts: 3}}, ignore_errors: true, {extra}",
              **params)
        + step("slow", "sleep 2", "needs: [trap], ")
        + step("other", "true", "needs: [slow], "),
        head="vars: {name: ../..}\n",
    )  # fmt: skip
    assert (ran.code, ran.status, ran.steps["out"]) == (1, "Failed", "Failed")
    assert "other" not in ran.steps
    assert not any(event["event"] == "retry" for event in ran.events)
    detail = ran.details("out")[-1]
    assert detail.startswith("security: cannot ")
    assert detail == f"security: {summaries(machine, ran.id)['out']['security']}"
    assert detail in machine.journal(f"GXO_RUN={ran.id}", "GXO_STEP=out", "GXO_STREAM=security")
    assert machine.read("/srv/kept") == "kept"
    assert not machine.exists("/etc/evil")


def test_an_escape_of_what_is_done_for_a_failure_ends_the_run(machine: Machine) -> None:
    """Neither the next of its list nor another step starts, whatever `ignore_errors` says."""
    params = {"path": "../out", "content": "x"}
    mend = [
        {"module": "filesystem:write", "params": params},
        {"module": "exec", "params": {"command": "/bin/true"}},
    ]
    tolerant = f"ignore_errors: true, on_failure: {json.dumps(mend)}, "
    ran = run(
        machine,
        step("bad", "exit 3", tolerant) + step("slow", "sleep 2") + step("other", "true",
                                                                         "needs: [slow], "),
    )  # fmt: skip
    assert ran.code == 1
    assert ran.steps == {"bad": "Failed", "slow": "Completed", "bad/on_failure.1": "Failed"}
    assert ran.details("bad/on_failure.1")[-1].startswith("security: cannot write ../out: ")


def test_what_is_granted_beside_the_workspace(machine: Machine) -> None:
    """Paths of the security_context may be used as they are granted, and `host` sees all."""
    machine.run("install", "-d", "-o", "gxo", "/srv/granted")
    machine.write("/srv/shown/note", "seen", 0o644)
    machine.run("chmod", "755", "/srv/shown")
    paths = "security_context: {read_write_paths: [/srv/granted], read_only_paths: [/srv/shown]}, "
    ran = run(
        machine,
        chain(
            use("put", "filesystem:write", paths, path="/srv/granted/a", content="x"),
            use("see", "filesystem:read", paths, path="/srv/shown/note"),
            use("own", "filesystem:manage", HOST, path="/srv/granted/a", state="file",
                owner="daemon", group="0", mode="0600"),
            use("host", "filesystem:stat", HOST, path="/srv/granted/a"),
        ),
    )  # fmt: skip
    assert (ran.code, ran.status) == (0, "Completed"), said(ran)
    found = summaries(machine, ran.id)
    assert found["see"]["content"] == "seen"
    host = found["host"]
    assert (host["owner"], host["group"], host["mode"]) == ("daemon", "root", "0600")


def test_what_cannot_be_done(machine: Machine) -> None:
    """A FIFO in the place of a file, and other ends, are plain failures that say why at once."""
    ran = run(
        machine,
        step("odd", "mkfifo pipe; mkdir dir; head -c 2000000 /dev/zero | tr '\\0' e >big")
        + use("pipe", "filesystem:read", "needs: [odd], ignore_errors: true, ", path="pipe")
        + use("over", "filesystem:write", "needs: [odd], ignore_errors: true, ", path="pipe",
              content="x")
        + use("dir", "filesystem:read", "needs: [odd], ignore_errors: true, ", path="dir")
        + use("none", "filesystem:read", "needs: [odd], ignore_errors: true, ", path="none")
        + use("big", "filesystem:read", "needs: [odd], ", path="big"),
    )  # fmt: skip
    assert ran.details("pipe")[-1] == "cannot read pipe: it is neither a file nor a directory"
    assert ran.details("over")[-1] == "cannot write pipe: it is neither a file nor a directory"
    assert ran.details("dir")[-1] == "cannot read dir: it is a directory"
    assert ran.details("none")[-1] == "cannot read none: No such file or directory"
    big = summaries(machine, ran.id)["big"]
    assert (len(big["content"]), big["size"], big["truncated"]) == (1 << 20, 2_000_000, True)


@pytest.mark.parametrize("profile", ["default", "strict", "host"])
def test_every_profile(machine: Machine, profile: str) -> None:
    """A worker starts in each sandbox; what it is asked stands in no command line."""
    context = f"security_context: {{profile: {profile}, allow_degraded: true}}, "
    ran = run(machine, use("w", "filesystem:write", context, path="x", content="hush-hush"))
    assert (ran.code, ran.status) == (0, "Completed"), said(ran)
    assert "hush-hush" not in machine.journal("--no-hostname")


def test_a_worker_that_dies(machine: Machine) -> None:
    """It has failed, and the step says how its unit ended."""
    few = "security_context: {resources: {tasks_max: 1}, seccomp: {deny: [read]}}, "
    ran = run(machine, use("w", "filesystem:stat", few, path="x"))
    assert (ran.code, ran.steps) == (1, {"w": "Failed"})
    assert ran.details("w")[-1].startswith("it ")


def test_a_gxo_that_the_sandbox_hides(machine: Machine) -> None:
    """Workers start also where gxo is installed in a home that no step can see."""
    machine.run("mkdir", "-p", "/root/own", check=True)
    parts = [f"{CHECKOUT}/{part}" for part in ("gxo", "grammar", "templates", "packaging")]
    machine.run("cp", "-r", *parts, "/root/own", check=True)
    path = machine.write("/srv/own.yaml", f"workloads:\n{use('w', 'filesystem:stat', path='.')}")
    done = machine.gxo("run", path, env={"PYTHONPATH": "/root/own"})
    assert done.returncode == 0, done.stdout + done.stderr
