"""http:request against real servers on loopback, one of them with TLS."""

import datetime
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gxo.modules.worker import perform


class Handler(BaseHTTPRequestHandler):
    """Answers by path; keeps what it was asked."""

    asked: ClassVar[list[dict[str, Any]]] = []
    elsewhere: ClassVar[str] = ""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked.append(
            {"method": self.command, "path": self.path, "headers": headers, "body": body}
        )
        part = self.path.split("/")[1].split("?")[0]
        if part == "slow":
            time.sleep(5)
        if part == "away":
            self.answer(302, b"", {"Location": self.elsewhere + "/json"})
        elif part == "moved":
            self.answer(307, b"", {"Location": self.elsewhere + "/json"})
        elif part == "loop":
            self.answer(307, b"", {"Location": "/loop"})
        elif part == "file":
            self.answer(302, b"", {"Location": "file:///etc/passwd"})
        elif part == "missing":
            self.answer(404, b"not here", {})
        elif part == "big":
            self.answer(200, b"x" * (2 << 20), {})
        elif part == "deep":
            self.answer(200, b"[" * 5000 + b"]" * 5000, {"Content-Type": "application/json"})
        else:
            self.answer(200, b'{"n": [1]}', {"Content-Type": "application/json", "X-A": "b"})

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - as http.server names them

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not on the terminal."""


class Server(ThreadingHTTPServer):
    """Clients that go away are what some tests are about."""

    def handle_error(self, *_: object) -> None:
        """Not on the terminal."""


@dataclass
class Served:
    """A server and what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def served(context: ssl.SSLContext | None = None, elsewhere: str = "") -> Iterator[Served]:
    """A server of its own on a free port."""
    asked: list[dict[str, Any]] = []
    handler = type("Own", (Handler,), {"asked": asked, "elsewhere": elsewhere})
    server = Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    try:
        scheme = "https" if context else "http"
        yield Served(f"{scheme}://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@pytest.fixture(scope="module")
def http() -> Iterator[Served]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, its key beside it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    place = tmp_path_factory.mktemp("tls")
    pem = serialization.Encoding.PEM
    (place / "ca.pem").write_bytes(made.public_bytes(pem))
    (place / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return place


def ask(url: str, workspace: str = "/", **params: Any) -> dict[str, Any]:
    """What a worker answers; params not given are at their defaults."""
    plain = {
        "method": "GET", "headers": None, "body": None, "timeout": 5, "follow": 5,
        "accept_status": None, "authorities": None,
    }  # fmt: skip
    request = {
        "module": "http:request",
        "params": {"url": url, **plain, **params},
        "workspace": workspace,
        "free": False,
        "write": [],
        "read": [],
    }
    return perform(request)


def test_an_answer_with_all_that_is_known(http: Served) -> None:
    """Status, headers in lower case, the body, and the same decoded."""
    found = ask(f"{http.url}/json?q=a b".replace(" ", "%20"))["summary"]
    assert (found["status"], found["headers"]["x-a"]) == (200, "b")
    assert (json.loads(found["body"]), found["json"]) == ({"n": [1]}, {"n": [1]})
    assert not found["truncated"]


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [({"a": ["ü"]}, '{"a": ["ü"]}', "application/json"), ("text", "text", None), (None, "", None)],
)
def test_bodies(http: Served, body: object, sent: str, kind: str | None) -> None:
    """Text goes as it is, maps and lists as JSON which the headers say; a length is always sent."""
    ask(f"{http.url}/x", method="POST", body=body, headers={"X-Own": "yes"})
    asked = http.asked[-1]
    assert (asked["method"], asked["body"], asked["headers"]["x-own"]) == ("POST", sent, "yes")
    assert asked["headers"].get("content-type") == kind


def test_a_bad_status_fails_and_is_kept(http: Served) -> None:
    """A status from 400 on fails and keeps the answer, unless the status is accepted."""
    failed = ask(f"{http.url}/missing")
    assert (failed["cannot"], failed["about"]) == ("ask", f"{http.url}/missing")
    assert failed["error"] == "it answered 404 Not Found"
    assert failed["summary"]["body"] == "not here"
    assert ask(f"{http.url}/missing", accept_status=[404, 410])["summary"]["status"] == 404


def test_what_is_too_much(http: Served) -> None:
    """A large body is cut, which is said; a deep one is text alone; a slow one is given up."""
    big = ask(f"{http.url}/big")["summary"]
    assert (len(big["body"]), big["truncated"]) == (1 << 20, True)
    assert ask(f"{http.url}/deep")["summary"]["json"] is None
    started = time.monotonic()
    assert ask(f"{http.url}/slow", timeout=0.2)["error"].endswith("no answer within 0.2 s")
    assert time.monotonic() - started < 4


def test_redirections(http: Served) -> None:
    """So many are followed; another host gets nothing that may be secret; no other scheme."""
    with served(elsewhere=http.url) as first:
        told = {"Authorization": "Basic x", "Cookie": "c", "X-Api-Key": "k", "Accept": "a/b"}
        asked: Any = {"method": "POST", "body": {"a": 1}, "headers": told}
        assert ask(f"{first.url}/away", **asked)["summary"]["status"] == 200
        last = http.asked[-1]
        assert (last["method"], last["body"], last["headers"]["accept"]) == ("GET", "", "a/b")
        kept = {"authorization", "cookie", "x-api-key", "content-type"} & last["headers"].keys()
        assert kept == set()
        assert first.asked[0]["headers"]["authorization"] == "Basic x"
        assert ask(f"{first.url}/moved", headers=told)["summary"]["status"] == 200
        count = len(http.asked)
        refused = ask(f"{first.url}/moved", **asked)["error"]
        assert refused == f"it redirects to {http.url}/json; a body goes to no other host"
        assert len(http.asked) == count
        assert ask(f"{first.url}/away", follow=0)["summary"]["status"] == 302
    assert ask(f"{http.url}/loop", follow=3)["error"].endswith("it redirects more than 3 times")
    assert "neither http" in ask(f"{http.url}/file")["error"]


@pytest.mark.parametrize(
    ("url", "headers", "said"),
    [
        ("ftp://127.0.0.1/", {}, "neither http"),
        ("file:///etc/passwd", {}, "neither http"),
        ("http://127.0.0.1/a b", {}, "the URL holds a blank or a control character"),
        ("http://127.0.0.1/a\r\nX: y", {}, "the URL holds a blank or a control character"),
        ("http://me:pw@127.0.0.1/", {}, "use the header Authorization"),
        ("http://127.0.0.1/", {"X": "a\r\nY: b"}, "a line break or a control character"),
        ("http://127.0.0.1/", {"X: a\r\nY": "b"}, "is not a valid header name"),
        ("http://127.0.0.1/", {"Content-Length": "0"}, "gxo itself sets"),
        ("http://127.0.0.1/", {"X": [1]}, "must be text"),
    ],
)
def test_what_is_not_asked(url: str, headers: dict[str, Any], said: str) -> None:
    """Text that would ask something else than it says is refused before anything is sent."""
    assert said in ask(url, headers=headers)["error"]


def test_tls(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate must be vouched for by the authorities given, and name the host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with served(context) as server:
        mine = {"workspace": str(authority), "authorities": "ca.pem"}
        assert ask(f"{server.url}/x", **mine)["summary"]["status"] == 200
        assert "its certificate is not trusted" in ask(f"{server.url}/x")["error"]
        other = server.url.replace("127.0.0.1", "localhost")
        assert "its certificate is not trusted" in ask(f"{other}/x", **mine)["error"]
        none = ask(f"{server.url}/x", workspace=str(authority), authorities="key.pem")
        assert "holds no certificates" in none["error"]
        assert ask(f"{server.url}/x", workspace=str(authority), authorities="/etc/x")["fatal"]
        assert "error" in ask(server.url.replace("https", "http"))


def test_authorities_are_a_file(http: Served, tmp_path: Path) -> None:
    """To wait for somebody to write to a FIFO is no part of a request."""
    os.mkfifo(tmp_path / "pipe")
    said = ask(f"{http.url}/x", workspace=str(tmp_path), authorities="pipe")["error"]
    assert said == "it is neither a file nor a directory"


def test_a_downgrade_is_not_followed(authority: Path, http: Served) -> None:
    """A redirection from https to http is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    with served(context, elsewhere=http.url) as server:
        said = ask(f"{server.url}/away", workspace=str(authority), authorities="ca.pem")
        assert "redirects from https to http" in said["error"]


def test_nobody_there() -> None:
    """Where nobody listens, the reason is the system's own."""
    assert ask("http://127.0.0.1:1/")["error"].endswith("Connection refused")
