"""http:request: one question to a server, redirections followed."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import threading
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from gxo.modules.depth import DEEPEST, shallow
from gxo.modules.fault import ModuleError
from gxo.modules.kinds import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Never

    from gxo.modules.jail import Jail
    from gxo.modules.streams import Streams

    Answer = tuple[int, str, dict[str, Any]]

KEPT = 1 << 20
"""Bytes of a body that a summary keeps."""
_CHUNK = 1 << 18
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNFIT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# gxo says them itself: a second word would let one request hide in another
_OURS = ("content-length", "transfer-encoding", "connection")
_MOVED = (301, 302, 303, 307, 308)
# what may go to another host than it was written for: any other header may be a secret
_OF_ANY_HOST = ("accept", "content-type", "user-agent")


class _Question:
    """What is asked; a redirection changes it."""

    def __init__(
        self, url: str, method: str, headers: dict[str, str], body: bytes | Iterator[bytes] | None
    ) -> None:
        self.url = _url(url)
        self.method = method
        self.headers = headers
        self.body = body

    def moved(self, status: int, where: str) -> _Question:
        """The question to ask instead."""
        to = _url(urljoin(self.url.geturl(), where))
        if (self.url.scheme, to.scheme) == ("https", "http"):
            raise ModuleError(f"it redirects from https to http ({to.geturl()})")
        method, headers, body = self.method, self.headers, self.body
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            headers = {k: v for k, v in headers.items() if k.lower() != "content-type"}
            method, body = "HEAD" if self.method == "HEAD" else "GET", None
        if not (body is None or isinstance(body, bytes)):
            raise ModuleError(f"it redirects to {to.geturl()}; a stream cannot be sent twice")
        if (to.scheme, to.hostname, to.port) != (self.url.scheme, self.url.hostname, self.url.port):
            if body is not None:
                raise ModuleError(f"it redirects to {to.geturl()}; a body goes to no other host")
            headers = {k: v for k, v in headers.items() if k.lower() in _OF_ANY_HOST}
        return _Question(to.geturl(), method, headers, body)


def request(params: dict[str, Any], jail: Jail, streams: Streams | None = None) -> dict[str, Any]:
    """`http:request`; a status from 400 on is a failure unless it is expected.

    An input stream is its body, sent in chunks; what a good answer holds goes to the output stream.
    """
    headers = _headers(params["headers"] or {})
    body: bytes | Iterator[bytes] | None
    if streams is not None and streams.inputs:
        if params["body"] is not None:
            raise ModuleError("it takes `body` or a stream, not both")
        body = streams.whole()
    else:
        body = _body(params["body"], headers)
    expected = _statuses(params["accept_status"] or [])
    question = _Question(params["url"], params["method"], headers, body)
    try:
        status, reason, summary = _within(
            params["timeout"],
            lambda: _ask(
                question,
                params["follow"],
                _authorities(params["authorities"], jail),
                lambda answer: _taken(answer, streams, expected),
            ),
        )
    except TimeoutError:
        raise ModuleError(f"no answer within {params['timeout']:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise ModuleError(f"its certificate is not trusted: {error.verify_message}") from None
    except socket.gaierror as error:
        raise ModuleError(error.strerror or "no such host") from None
    except (HTTPException, ssl.SSLError, UnicodeError) as error:
        raise ModuleError(f"no usable answer: {str(error) or type(error).__name__}") from None
    if status >= 400 and status not in expected:
        raise ModuleError(f"it answered {status} {reason}".rstrip(), summary)
    return summary


def _within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; TimeoutError where that takes longer, then it is left behind.

    In a thread: no signal ends the look-up of a name, nor reading from a disk that is far away.
    """
    ends: list[Answer | BaseException] = []

    def end() -> None:
        try:
            ends.append(ask())
        except BaseException as error:  # noqa: BLE001 - who waits raises it
            ends.append(error)

    asking = threading.Thread(target=end, daemon=True)
    asking.start()
    asking.join(min(seconds, threading.TIMEOUT_MAX))
    if not ends:
        raise TimeoutError
    if isinstance(ends[0], BaseException):
        raise ends[0]
    return ends[0]


def _authorities(path: str | None, jail: Jail) -> str | None:
    """What the file of certificates holds."""
    if path is None:
        return None
    with open(opened(jail.place(path).open(os.O_PATH), os.O_RDONLY), "rb") as file:
        return file.read().decode("ascii", "ignore")


def _ask(
    question: _Question,
    follow: int,
    pem: str | None,
    take: Callable[[HTTPResponse], dict[str, Any]],
) -> Answer:
    """Ask, and ask again where it is redirected to; the last answer, as `take` makes a summary."""
    left = follow
    while True:
        connection = _connection(question.url, pem)
        try:
            answer = _answer(connection, question)
            where = answer.getheader("location")
            if not (answer.status in _MOVED and where and follow):
                return answer.status, _plain(answer.reason), take(answer)
        finally:
            connection.close()
        if not left:
            raise ModuleError(f"it redirects more than {follow} times")
        left -= 1
        question = question.moved(answer.status, where)


def _connection(url: SplitResult, pem: str | None) -> HTTPConnection:
    host = str(url.hostname)
    if not host.isascii():
        host = host.encode("idna").decode()
    if url.scheme == "http":
        return HTTPConnection(host, url.port)
    try:
        trust = ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise ModuleError("`authorities` holds no certificates in PEM form") from None
    return HTTPSConnection(host, url.port, context=trust)


def _answer(connection: HTTPConnection, question: _Question) -> HTTPResponse:
    target = quote(question.url.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if question.url.query:
        target += "?" + quote(question.url.query, safe="/%:@!$&'()*+,;=~-._?[]")
    given = {name.lower() for name in question.headers}
    connection.putrequest(
        question.method, target, skip_host="host" in given, skip_accept_encoding=True
    )
    for name, value in (("User-Agent", "gxo"), ("Accept", "*/*")):
        if name.lower() not in given:
            connection.putheader(name, value)
    for name, value in question.headers.items():
        connection.putheader(name, value.encode())
    connection.putheader("Connection", "close")
    body = question.body
    if not (body is None or isinstance(body, bytes)):
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(body, encode_chunked=True)
        return connection.getresponse()
    if body is not None or question.method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body)
    return connection.getresponse()


def _taken(answer: HTTPResponse, streams: Streams | None, expected: set[int]) -> dict[str, Any]:
    """The summary; the body goes to the output stream, where there is one and the answer good."""
    good = answer.status < 400 or answer.status in expected
    if streams is None or streams.output is None or not good:
        return _read(answer)
    while chunk := answer.read1(_CHUNK):
        streams.write(chunk)
        streams.tell()
    if answer.length:
        raise ModuleError("its answer ended before it was complete")
    return _summary(answer, "")


def _read(answer: HTTPResponse) -> dict[str, Any]:
    """The summary with the body in it, as far as it is kept."""
    data = answer.read(KEPT + 1)
    cut = len(data) > KEPT
    charset = answer.headers.get_content_charset("utf-8")
    try:
        text = data[:KEPT].decode(charset, "replace")
    except LookupError:
        text = data[:KEPT].decode("utf-8", "replace")
    if cut:  # perhaps within a character
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")
    kind = answer.headers.get_content_type()
    is_json = not cut and (kind == "application/json" or kind.endswith("+json"))
    return _summary(answer, text, _json(text) if is_json else None, truncated=cut)


def _summary(
    answer: HTTPResponse, body: str, found: Any = None, *, truncated: bool = False
) -> dict[str, Any]:
    return {
        "status": answer.status,
        "headers": _answer_headers(answer),
        "body": body,
        "json": found,
        "truncated": truncated,
    }


def _answer_headers(answer: HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in answer.getheaders():
        known = headers.get(name.lower())
        headers[name.lower()] = _plain(value if known is None else f"{known}, {value}")
    return headers


def _plain(text: str) -> str:
    """http.client reads headers as Latin-1; what servers write is mostly UTF-8."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def _json(text: str) -> Any:
    def refused(_: str) -> Never:
        raise ValueError

    try:
        found = json.loads(text, parse_constant=refused)
    except (ValueError, RecursionError):
        return None
    # templates read it within the summary, which has levels too
    return found if shallow(found, DEEPEST - 2) else None


def _url(text: str) -> SplitResult:
    if re.search(r"[\x00-\x20\x7f]", text):
        raise ModuleError("the URL holds a blank or a control character")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise ModuleError(f"the URL is not valid: {error}") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ModuleError("the URL is neither http://HOST… nor https://HOST…")
    if url.username is not None or url.password is not None:
        raise ModuleError("a user in a URL can be seen by others; use the header Authorization")
    return url


def _headers(given: dict[str, Any]) -> dict[str, str]:
    headers = {}
    for name, value in given.items():
        if not _TOKEN.fullmatch(name):
            raise ModuleError(f"`{name}` is not a valid header name")
        if name.lower() in _OURS:
            raise ModuleError(f"gxo itself sets the header {name}")
        if isinstance(value, list | dict) or value is None:
            raise ModuleError(f"the header {name} must be text")
        text = json.dumps(value) if not isinstance(value, str) else value
        if _UNFIT.search(text):
            raise ModuleError(f"the header {name} holds a line break or a control character")
        headers[name] = text.strip()
    return headers


def _body(body: Any, headers: dict[str, str]) -> bytes | None:
    """Text as it is, a list or a map as JSON, which the headers say."""
    if body is None:
        return None
    if isinstance(body, str):
        return body.encode()
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return json.dumps(body, ensure_ascii=False).encode()


def _statuses(given: list[Any]) -> set[int]:
    found = {int(each) for each in given if str(each).isdecimal()}
    if len(found) < len({str(each) for each in given}):
        raise ModuleError("`accept_status` is a list of status codes")
    return found
