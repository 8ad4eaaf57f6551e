"""http:request with streams, against a real server: a stream is its body, an answer is one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.flowing import stream

BIG = bytes(range(256)) * 8000


class Handler(BaseHTTPRequestHandler):
    """Sends back what it got, in chunks; or what the path says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        if self.path == "/moved":
            self.reply(307, b"", {"Location": "/"})
        else:
            self.reply(200, body, {})

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.reply(404, b"not here", {})
        elif self.path == "/short":
            self.reply(200, BIG[:1000], {"Content-Length": "5000"})
            self.close_connection = True
        elif self.path == "/moved":
            self.reply(302, b"elsewhere", {"Location": "/"})
        else:
            self.reply(200, BIG, {})

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not on the terminal."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(url: str, inputs: list[list[bytes]], place: Path, **given: Any) -> Any:
    return stream("http:request", inputs, place, url=url, **given)


def test_a_stream_there_and_back(url: str, tmp_path: Path) -> None:
    """Inputs one after the other, in chunks; the answer's bytes as they are."""
    answer, out, counts = ask(f"{url}/", [[BIG, b"x"], [b"y"]], tmp_path, method="POST")
    assert out == BIG + b"xy"
    assert answer["summary"]["status"] == 200
    assert (answer["summary"]["body"], answer["summary"]["truncated"]) == ("", False)
    assert counts["in"]["i1"]["bytes"] == 1


def test_a_stream_without_a_reader_ends_in_the_summary(url: str, tmp_path: Path) -> None:
    """Where no workload reads its stream, the summary has the answer."""
    answer, out, _ = ask(f"{url}/", [[b"abc"]], tmp_path, output=False, method="POST")
    assert (answer["summary"]["body"], out) == ("abc", b"")


def test_an_answer_is_followed_to_its_end(url: str, tmp_path: Path) -> None:
    """What a redirection says beside is no part of the stream."""
    _, out, _ = ask(f"{url}/moved", [], tmp_path)
    assert out == BIG


@pytest.mark.parametrize(
    ("path", "inputs", "given", "reason"),
    [
        ("missing", [], {}, "it answered 404 Not Found"),
        ("short", [], {}, "its answer ended before it was complete"),
        ("moved", [[b"a"]], {"method": "POST"}, "it redirects to "),
        ("", [[b"a"]], {"method": "POST", "body": "b"}, "it takes `body` or a stream, not both"),
    ],
)
def test_what_is_no_whole_stream(
    url: str, path: str, inputs: list[list[bytes]], given: dict[str, Any], reason: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    """It fails; an answer that is an error goes into the summary, not into the stream."""
    answer, out, _ = ask(f"{url}/{path}", inputs, tmp_path, **given)
    assert answer["error"].startswith(reason)
    assert out in (b"", BIG[:1000])
    if path == "missing":
        assert answer["summary"]["body"] == "not here"
