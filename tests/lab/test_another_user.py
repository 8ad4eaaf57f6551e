"""Secrets of a run and of a service, before the eyes and ears of another user of the machine."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from gxo.runtime.redact import MASK, Redactor
from tests.lab.applying import Site, site, until
from tests.lab.machine import Machine
from tests.lab.onlooker import onlooker
from tests.lab.running import steps
from tests.unit.test_runtime_redact import MANY, fresh

STORE = "/etc/gxo/secrets"
OWN = ("/run/gxo/credentials", "/run/credentials")
"""What services are handed: root alone gets in, and looks for secrets elsewhere."""
# each in one of the forms at a time, cut at each of its places in turn, on either output
WRITES = """\
import base64, json, os, urllib.parse
for number, (name, text) in enumerate(sorted(os.environ.items())):
    if not name.startswith("SECRET_"): continue
    raw = text.encode()
    forms = (raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw), raw.hex().encode(),
             urllib.parse.quote(text, safe="").encode(), json.dumps(text)[1:-1].encode(),
             text.replace("%", "%%").encode(), repr(raw)[2:-1].encode())
    for form in forms:
        at = number % len(form)
        os.write(1 + number % 2, form[:at])
        os.write(1 + number % 2, form[at:] + b"\\n")
os.write(2, f"PLAIN={os.environ['PLAIN']}\\n".encode())
exit(3)
"""
FORMS = 8


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    machine.gxo("setup", check=True)
    machine.run("install", "-d", "-m", "0700", STORE, check=True)
    with site(machine, "watched") as found:
        yield found
    machine.run("rm", "-rf", STORE, "/srv/watched.out", "/srv/go", check=True)


def work(name: str, module: str, extra: str = "", **params: object) -> str:
    return (
        f"  - {{name: {name}, {extra}lifecycle: {{policy: run_once}},"
        f" process: {{module: '{module}', params: {json.dumps(params)}}}}}\n"
    )


def service(marker: str) -> str:
    """A service that has the secrets s0 and s1, says them, and stays up."""
    text = work(
        *("served", "exec"), shell=True, command='echo "$T $PLAIN"; cat; exec sleep 1000',
        environment=["T={{ secret `s0` }}", f"PLAIN={marker}"], stdin="{{ secret `s1` }}\n",
    )  # fmt: skip
    return text.replace("run_once", "supervise, ready: {settle: 300ms}")


def playbook(marker: str, names: list[str]) -> str:
    """A program and a module with secrets, both up until there is /srv/go; then all are written."""
    wait = f"while ! test -e /srv/go; do sleep 0.1; done; : PLAIN={marker}"
    env = [f"SECRET_{name}={{{{ secret `{name}` }}}}" for name in names]
    return "name: eyes\nworkloads:\n" + "".join(
        (
            work("quiet", "exec", command=f'echo "$T"; cat; {wait}', shell=True,
                 environment=["T={{ secret `s2` }}"], stdin="{{ secret `s3` }}\n"),
            work("feed", "exec", command=f"{wait}; echo '{{}}'", shell=True),
            work("made", "data:map", "stream_inputs: [feed], ", to="{{ secret `s4` }} x"),
            work("read", "exec", "stream_inputs: [made], ", command="/bin/cat"),
            work("many", "exec", "needs: [quiet, read], ", command="python3",
                 args=["-c", WRITES], environment=[*env, f"PLAIN={marker}"]),
        )
    )  # fmt: skip


def kept(machine: Machine) -> str:
    """All that lies in files where gxo and systemd put theirs, and the journal."""
    apart = [word for place in (*OWN, "/run/log") for word in ("-path", place, "-prune", "-o")]
    argv = ("find", "/run", "/var/lib/gxo", *apart, "-type", "f", "-exec", "cat", "{}", "+")
    machine.run("journalctl", "--sync")
    journal = machine.run("journalctl", "--output=export", "--no-pager", check=True).stdout
    return machine.run(*argv).stdout + journal


def test_secrets_seen_and_heard_by_another_user(here: Site, tmp_path: Path) -> None:
    """In signals of the bus, in properties, in files: none, in whatever encoding, wherever split.

    Nor is one in the journal, the state and the terminal; all of them have what is no secret.
    """
    machine, marker, chance = here.machine, token_hex(12), random.Random(token_hex(8))
    values = {f"s{number}": fresh(chance) for number in range(MANY)}
    for name, value in values.items():
        machine.write(f"{STORE}/{name}", value, 0o600)
    here.write(service(marker))
    run = machine.write("/srv/eyes.yaml", playbook(marker, [*values]))
    typed = f"script -qec '{' '.join(machine.gxo_argv('run', run))}' /dev/null >/srv/watched.out"
    terminal = machine.gxo_env | {"NO_COLOR": "", "TERM": "xterm-256color"}
    with onlooker(machine, tmp_path / "heard") as other:
        here.apply()
        with machine.popen("sh", "-c", typed, env=terminal) as process:
            assert until(lambda: len(steps(machine)) == 4, 60)
            units = other.look()
            meanwhile = kept(machine)
            machine.write("/srv/go", "")
            process.communicate(timeout=120)
        other.look()
    written = machine.lab.path("/srv/watched.out").read_bytes().decode()
    everything = Redactor([*values.values()])
    ended = kept(machine)
    for text in (other.heard, *other.read.values(), meanwhile, ended, written):
        assert everything.text(text) == text
        assert [value for value in values.values() if value in text] == []
    # what is no secret and stands beside one is there by each of these ways, unchanged
    (quiet,) = (name for name in units if ".quiet." in name)
    for unit in (quiet, here.unit("served")):
        assert f'member=UnitNew\n   string "{unit}"\n' in other.heard
    for way, text in (*other.read.items(), ("meanwhile", meanwhile), ("terminal", written)):
        assert f"PLAIN={marker}" in text, way
    assert f"MESSAGE=PLAIN={marker}\n" in ended
    assert ended.count(f"MESSAGE={MASK}\n") >= FORMS * MANY
