"""Modules on records as tests feed them: params as a playbook writes them, input in any parts."""

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gxo.modules.drive import operator
from gxo.modules.flow import Batch
from gxo.modules.net import Node
from gxo.modules.streams import Streams
from gxo.modules.worker import perform
from gxo.runtime.asked import asked
from gxo.spec.library import LIBRARY
from gxo.template.evaluate import Scope
from gxo.template.functions import run_functions
from gxo.template.value import ListValue, Literal, MapValue, Value
from tests.unit.template_support import parsed
from tests.unit.units_plans import SPAN, name

Records = list[dict[str, Any]]


def value(data: object) -> Value:
    """Data as a playbook's value; text may hold templates."""
    if isinstance(data, list):
        return ListValue(tuple(map(value, data)), SPAN)
    if isinstance(data, dict):
        return MapValue(tuple((name(key), value(item)) for key, item in data.items()), SPAN)
    if isinstance(data, str) and "{{" in data:
        found, problems = parsed(data)
        assert not problems
        return found
    assert data is None or isinstance(data, str | bool | int | float)
    return Literal(data, SPAN)


def params(
    module: str, given: Mapping[str, Any], *, streams: bool = True, **names: Any
) -> dict[str, Any]:
    """The params of a request, as the runner makes them in a scope of these names."""
    functions = run_functions(
        secret=lambda name: f"<{name}>", env=lambda name: f"${name}", now=str, uuid=str
    )
    written = value(dict(given))
    assert isinstance(written, MapValue)
    scope = Scope(names=names, functions=functions)
    return asked(LIBRARY[module], written, scope, SPAN, streams=streams)


def node(module: str, given: Mapping[str, Any], ports: int, place: Path) -> tuple[Node, list[Any]]:
    """A module's operator and what it hands on."""
    found: list[Any] = []
    made = Node(operator(module, params(module, given), ports), ports, str(place))
    made.outlet = found.append
    return made, found


def ask(module: str, place: Path | str = "/nowhere", **given: Any) -> dict[str, Any]:
    """What a worker without streams answers."""
    return perform(_request(module, given, str(place)))


def summary(module: str, **given: Any) -> dict[str, Any]:
    """What it yields, where it can."""
    answer = ask(module, **given)
    assert "error" not in answer, answer
    found: dict[str, Any] = answer["summary"]
    return found


def _request(module: str, given: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {
        "module": module,
        "params": params(module, given),
        "workspace": place,
        "free": False,
        "write": [],
        "read": [],
    }


def stream(
    module: str,
    inputs: Sequence[Sequence[bytes]],
    place: Path,
    *,
    output: bool = True,
    spool: bool = False,
    **given: Any,
) -> tuple[dict[str, Any], bytes, dict[str, Any]]:
    """What a worker answers, what it hands on, and its counts; each input comes in such parts."""
    pipes = [os.pipe() for _ in inputs]
    out = os.pipe()
    writers = [
        threading.Thread(target=_write, args=(writer, parts), daemon=True)
        for (_, writer), parts in zip(pipes, inputs, strict=True)
    ]
    got: list[bytes] = []
    reading = threading.Thread(target=_read, args=(out[0], got), daemon=True)
    for thread in (*writers, reading):
        thread.start()
    streams = Streams(
        [(f"i{number}", reader) for number, (reader, _) in enumerate(pipes)],
        out[1] if output else None,
        spool=str(place) if spool else None,
    )
    try:
        answer = perform(_request(module, given, str(place)), streams)
    finally:
        os.close(out[1])
        for one in streams.inputs:
            if not one.ended:
                os.close(one.descriptor)
    for thread in (*writers, reading):
        thread.join(30)
        assert not thread.is_alive()
    return answer, b"".join(got), streams.counts()


def _write(descriptor: int, parts: Iterable[bytes]) -> None:
    try:
        for part in parts:
            left = memoryview(part)
            while left:
                left = left[os.write(descriptor, left) :]
    except BrokenPipeError:
        pass
    finally:
        os.close(descriptor)


def _read(descriptor: int, got: list[bytes]) -> None:
    while data := os.read(descriptor, 1 << 16):
        got.append(data)
    os.close(descriptor)


def lines(records: Iterable[Any]) -> bytes:
    """Records as a stream has them."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def records(data: bytes) -> Records:
    """What a stream holds."""
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def parts(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The data cut into parts, of these sizes as far as they go."""
    found, at = [], 0
    for size in sizes:
        found.append(data[at : at + size])
        at += size
    return [part for part in (*found, data[at:]) if part]


def fed(module: str, given: Mapping[str, Any], inputs: Sequence[Records], place: Path) -> list[Any]:
    """What an operator hands on of records fed one port after the other, in batches of three."""
    made, found = node(module, given, len(inputs), place)
    for port, all_ in enumerate(inputs):
        for at in range(0, len(all_), 3):
            made.feed(port, Batch(all_[at : at + 3]))
        made.end(port)
    handed: list[Any] = []
    for chunk in found:
        handed += chunk.records if isinstance(chunk, Batch) else [chunk]
    return handed
