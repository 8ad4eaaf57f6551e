"""`gxo modules` apart from runs: a module that is made, listed, signed and verified."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.keys import new_key, openssl
from tests.schemas import held

GXO = [sys.executable, "-I", "-m", "gxo", "modules"]


class Here:
    """A directory with a configuration of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.key, self.public = new_key(place)
        self.config = place / "config.yaml"
        self.config.write_text(f"modules: {{paths: [{place}/m], keys: [{self.public}]}}\n")

    def gxo(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": "/usr/bin:/bin", "GXO_CONFIG": str(self.config)} | env
        return subprocess.run(
            [*GXO, *arguments],
            cwd=self.place,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def outside(self) -> dict[str, str]:
        """The modules beside the library and how each is signed."""
        found = held("modules", self.gxo("list", "--json").stdout)["modules"]
        return {each["name"]: each["signature"] for each in found if each["origin"] == "outside"}


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_a_new_module_works(here: Here) -> None:
    """Its program answers a request as it stands, and says so where it cannot."""
    done = here.gxo("new", "acme:greet", "m/greet")
    assert (done.returncode, done.stdout) == (0, "m/greet/module.yaml\nm/greet/main.py\n")
    for who, answer in (
        ("you", {"summary": {"greeting": "hello you, hello you"}}),
        ("nobody", {"error": "there is nobody to greet"}),
    ):
        request = json.dumps({"params": {"who": who, "times": 2}})
        said = subprocess.run(
            [sys.executable, here.place / "m/greet/main.py"],
            input=request,
            capture_output=True,
            text=True,
            check=False,
        )
        assert json.loads(said.stdout) == answer
        assert said.returncode == ("error" in answer)
    again = here.gxo("new", "acme:greet", "m/greet")
    assert (again.returncode, again.stderr) == (
        1,
        "error: cannot make a module in m/greet: there is something in it\n",
    )
    for name in ("greet", "Acme:greet", "http:greet", "gxo:greet", "acme:greet\n"):
        assert here.gxo("new", name, "x").returncode == 64
    assert not (here.place / "x").exists()


def test_from_unsigned_to_signed(here: Here) -> None:
    """Listed as what it is at each moment; `verify` takes another key where it is given one."""
    here.gxo("new", "acme:greet", "m/greet")
    assert here.outside() == {"acme:greet": "not signed"}
    assert here.gxo("sign", "m/greet", "--key", str(here.key)).stdout == (
        "signed acme:greet in m/greet\n"
    )
    assert here.outside() == {"acme:greet": "signed"}
    verified = here.gxo("verify", "m/greet")
    assert verified.stdout == f"acme:greet in {here.place}/m/greet: signed by {here.public}\n"
    _, stranger = new_key(here.place, "stranger")
    wrong = here.gxo("verify", "m/greet", "--key", str(stranger))
    assert wrong.returncode == 1
    assert "is by none of the keys" in wrong.stderr
    with (here.place / "m/greet/main.py").open("a") as file:
        file.write("#")
    found = here.gxo("verify", "m/greet", "--json")
    (module,) = held("modules", found.stdout)["modules"]
    assert (found.returncode, module["signature"]) == (1, "badly signed")
    assert "badly signed" in here.gxo().stdout


def test_keys_that_ask_for_a_password(here: Here) -> None:
    """It is taken from a variable, never from the command line; cosign's own way has its own."""
    here.gxo("new", "acme:greet", "m/greet")
    locked = here.place / "locked.key"
    openssl("pkcs8", "-topk8", "-passout", "pass:hush", "-in", here.key, "-out", locked)
    sign = ("sign", "m/greet", "--key", str(locked))
    assert "there is no terminal to ask" in here.gxo(*sign).stderr
    assert "the password is wrong" in here.gxo(*sign, GXO_KEY_PASSWORD="no").stderr
    assert here.gxo(*sign, GXO_KEY_PASSWORD="hush").returncode == 0
    assert here.outside() == {"acme:greet": "signed"}
    locked.write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    said = here.gxo(*sign, GXO_KEY_PASSWORD="x").stderr
    assert "`cosign sign-blob` can sign its module.manifest" in said


def test_what_is_wrong_is_told(here: Here) -> None:
    """Broken modules beside sound ones, two of one name, a configuration that cannot be used."""
    here.gxo("new", "acme:greet", "m/a")
    here.gxo("new", "acme:greet", "m/b")
    (here.place / "m/c").mkdir()
    (here.place / "m/c/module.yaml").write_text("name: acme:c\n")
    done = here.gxo("list", "--json")
    assert done.returncode == 1
    assert "2 modules on this host are called `acme:greet`" in done.stderr
    assert "m/c/module.yaml:1:1" in done.stderr
    assert "a module needs the key `entry`" in done.stderr
    (here.place / "m/a/link").symlink_to("/etc/passwd")
    assert "`link`: a symbolic link" in here.gxo("sign", "m/a", "--key", str(here.key)).stderr
    here.config.write_text("modules: {polcy: off}\n")
    assert "cannot list the modules of this host" in here.gxo("list").stderr
