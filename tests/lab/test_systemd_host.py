"""What a host is and cannot enforce, and how exposed units are."""

import json

import pytest

from gxo.dataclass import replace
from gxo.systemd import exposure, host
from gxo.systemd.host import CgroupMode, Host
from tests.lab.machine import Machine

READ = """
import json
from gxo.dataclass import asdict
from gxo.systemd.bus import Bus
from gxo.systemd.host import host_of, read_host, systemd_version, virtualisation
from gxo.systemd.manager import Manager
host = asdict(read_host())
with Bus.system() as bus:
    assert asdict(host_of(Manager(bus))) == host
host["virtualisation"] = virtualisation()
host["number"] = systemd_version()
print(json.dumps(host, default=sorted))
"""
GOOD = Host(
    systemd=257,
    systemd_text="257.13",
    features=frozenset({"SECCOMP", "BPF_FRAMEWORK"}),
    running=True,
    cgroup_mode=CgroupMode.V2,
    controllers=frozenset({"cpu", "io", "memory", "pids"}),
    security_modules=frozenset({"apparmor", "bpf"}),
    namespaces=frozenset({"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}),
    root=True,
    user_gxo=True,
)


def test_a_machine_is_read_right(machine: Machine) -> None:
    """Version, cgroups, virtualisation and user are those that the machine's own tools tell.

    What systemd says of itself over the bus comes to the same.
    """
    read = json.loads(machine.run(*python(machine), READ, env=machine.gxo_env, check=True).stdout)
    assert read["systemd"] == read["number"] == machine.version
    assert read["running"] is True
    assert read["root"] is True
    assert read["cgroup_mode"] == machine.lab.limits.mode
    assert "SECCOMP" in read["features"]
    assert read["virtualisation"] == machine.run("systemd-detect-virt").stdout.strip()
    assert {"mnt", "net", "user"} <= set(read["namespaces"])
    known = {"io": "blkio"} if read["cgroup_mode"] != "v2" else {}
    wanted = {known.get(name, name) for name in machine.lab.limits.controllers}
    assert wanted <= set(read["controllers"])


def test_a_good_host_has_no_gaps() -> None:
    """A systemd 257 on cgroup v2 with all built in enforces all that gxo writes."""
    assert host.gaps(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "directive", "reason"),
    [
        (
            {"namespaces": frozenset({"mnt", "net"})},
            "PrivatePIDs",
            "this kernel has no pid namespaces",
        ),
        (
            {"controllers": frozenset({"cpu"})},
            "MemoryMax",
            "systemd cannot use the memory cgroup controller (v2)",
        ),
        (
            {"cgroup_mode": CgroupMode.HYBRID},
            "MemoryHigh",
            "needs cgroup v2, this host's cgroups are hybrid",
        ),
        (
            {"cgroup_mode": CgroupMode.V1},
            "IOReadBandwidthMax",
            "systemd cannot use the blkio cgroup controller (v1)",
        ),
        ({"features": frozenset()}, "SystemCallFilter", "this systemd is built without SECCOMP"),
        (
            {"features": frozenset({"SECCOMP"})},
            "SocketBindDeny",
            "this systemd is built without BPF_FRAMEWORK",
        ),
        ({"features": frozenset()}, "RestrictSUIDSGID", "this systemd is built without SECCOMP"),
        (
            {"cgroup_mode": CgroupMode.V1},
            "IPAddressDeny",
            "needs a cgroup v2 hierarchy, this host's cgroups are v1",
        ),
        (
            {"namespaces": frozenset()},
            "ProtectSystem",
            "systemd cannot make namespaces here, as in a container without CAP_SYS_ADMIN",
        ),
        (
            {"namespaces": frozenset({"mnt", "net"})},
            "PrivateUsers",
            "this kernel has no user namespaces",
        ),
        (
            {"security_modules": frozenset()},
            "RestrictFileSystems",
            "the kernel's bpf security module is not enabled (`lsm=…,bpf`)",
        ),
    ],
)
def test_gaps(change: dict[str, object], directive: str, reason: str) -> None:
    """What a host lacks shows as a gap of just the directives that need it, and why."""
    found = {d: gap.reason for gap in host.gaps(replace(GOOD, **change)) for d in gap.directives}  # type: ignore[arg-type]
    assert found[directive] == reason


def test_exposure_of_loaded_units(machine: Machine) -> None:
    """A plain service is rated worse than a closed one; unknown names and slices are left out."""
    machine.run("systemd-run", "--unit=open", "sleep", "60", check=True)
    closed = (
        *("PrivateNetwork=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "User=nobody"),
        *("PrivateTmp=yes", "CapabilityBoundingSet=", "SystemCallFilter=@system-service"),
    )
    properties = [f"--property={p}" for p in closed]
    machine.run("systemd-run", "--unit=closed", *properties, "sleep", "60", check=True)
    names = ["open.service", "closed.service", "nope.service", "system.slice"]
    code = f"import json, gxo.systemd.exposure as e; print(json.dumps(e.of_units({names})))"
    rated = json.loads(machine.run(*python(machine), code, env=machine.gxo_env, check=True).stdout)
    machine.run("systemctl", "stop", "open", "closed")
    assert list(rated) == ["open.service", "closed.service"]
    assert 0 < rated["closed.service"] < 5 < 9 < rated["open.service"] <= 10


def test_exposure_of_files_needs_no_systemd() -> None:
    """Unit files are rated by their text alone; what is no service is left out."""
    plain = "[Service]\nExecStart=/bin/true\n"
    rated = exposure.of_texts(
        {
            "gxo-a.b.service": plain,
            "gxo-a.c.service": plain + "PrivateTmp=yes\nNoNewPrivileges=yes\n",
            "gxo-a.slice": "[Slice]\n",
        }
    )
    assert rated.keys() == {"gxo-a.b.service", "gxo-a.c.service"}
    assert rated["gxo-a.c.service"] < rated["gxo-a.b.service"]
    assert exposure.of_texts({}) == exposure.of_units([]) == {}


def test_services_of_one_isolation_are_rated_once() -> None:
    """What only names a unit or says what it runs is not rated; whatever isolates it is."""
    files = {
        f"gxo-a.{name}.service": f"# {name}\n[Service]\nExecStart=/bin/echo {name}\n"
        f"Environment=A={name}\nStateDirectory=gxo/{name}\nUMask={umask}\nUser={user}\n"
        for name, umask, user in (
            *(("one", "0077", "nobody"), ("two", "0077", "nobody")),
            *(("open", "0000", "nobody"), ("root", "0077", "root")),
        )
    }
    alone = {name: exposure.of_texts({name: text})[name] for name, text in files.items()}
    assert exposure.of_texts(files) == alone
    assert alone["gxo-a.one.service"] < alone["gxo-a.root.service"]


def python(machine: Machine) -> tuple[str, str]:
    """The machine's interpreter, ready for code."""
    return machine.gxo_argv()[0], "-c"
