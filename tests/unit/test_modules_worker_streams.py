"""Workers with streams: a real process, what stalls it and what ends it."""

import array
import json
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gxo
from gxo.runtime.work import Flow, flow_of
from gxo.systemd.memory import sealed
from tests.unit.flowing import lines, params, records

TOP = Path(gxo.__file__).parent.parent


class Process:
    """A worker as the runner starts it, but for its sandbox."""

    def __init__(self, module: str, inputs: Sequence[str], place: Path, *, output: bool = True,
                 spool: bool = False, **given_: Any) -> None:  # fmt: skip
        request = {
            "module": module, "params": params(module, given_), "workspace": str(place),
            "free": False, "write": [], "read": [],
            "streams": {"inputs": list(inputs), "output": output, "spool": spool},
        }  # fmt: skip
        ours, theirs = socket.socketpair()
        pipes = [os.pipe() for _ in inputs]
        told, out = os.pipe(), os.pipe()
        handed = [sealed(json.dumps(request)), told[1], *(r for r, _ in pipes)]
        handed += [out[1]] if output else []
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handed))])
        code = (
            f"import sys; sys.path.insert(0, {str(TOP)!r}); sys.path += sys.argv[1:];"
            "from gxo.modules.worker import main; main()"
        )
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-I", "-S", "-B", "-X", "utf8", "-c", code, *libraries()],
            stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        for end in {*handed, out[1]}:
            os.close(end)
        ours.close()
        theirs.close()
        self.inputs = [writer for _, writer in pipes]
        self.told = told[0]
        self.out = out[0]

    def end(self) -> tuple[list[dict[str, Any]], bytes]:
        """All lines of the answer, and the rest of the output."""
        got: list[bytes] = []
        reading = threading.Thread(target=lambda: got.extend(_all(self.out)), daemon=True)
        reading.start()
        told = b"".join(_all(self.told))
        reading.join(20)
        stdout, stderr = self.process.communicate(timeout=20)
        assert stdout == b""
        assert stderr == b"", stderr.decode()
        return [json.loads(line) for line in told.splitlines()], b"".join(got)


def libraries() -> list[str]:
    """Where the libraries of this process lie."""
    import orjson
    import re2
    import yaml

    return sorted({str(Path(str(m.__file__)).parent.parent) for m in (orjson, re2, yaml)})


def _all(descriptor: int) -> list[bytes]:
    got = []
    while data := os.read(descriptor, 1 << 16):
        got.append(data)
    os.close(descriptor)
    return got


def test_a_worker_with_streams(tmp_path: Path) -> None:
    """It takes its descriptors from the socket, tells of progress, and answers on one line."""
    worker = Process("data:map", ["a", "b"], tmp_path, to={"n": "{{ add .record.n 1 }}"})
    os.write(worker.inputs[0], lines([{"n": 1}]))
    assert os.read(worker.out, 100) == b'{"n":2}\n'
    os.write(worker.inputs[1], lines([{"n": 2}]))
    assert os.read(worker.out, 100) == b'{"n":3}\n'
    deadline = time.monotonic() + 20
    while not select.select([worker.told], [], [], 0)[0]:
        assert time.monotonic() < deadline
        os.write(worker.inputs[0], lines([{"n": 5}]))
        time.sleep(0.05)
        os.read(worker.out, 1 << 16)
    for end in worker.inputs:
        os.close(end)
    told, _ = worker.end()
    assert worker.process.returncode == 0
    *progress, last = told
    flows = [flow_of(json.dumps(line)) for line in told]
    assert progress
    assert all(set(line) == {"progress"} for line in progress)
    assert last["summary"]["items"] == []
    final = flows[-1]
    assert isinstance(final, Flow)
    assert final.inputs["b"] == (9, 1)
    count = last["summary"]["count"]
    assert final.inputs["a"] == (9 * (count - 1), count - 1)
    assert final.output == (8 * count, count)
    assert all(flow and flow.output <= final.output for flow in flows)


def test_a_worker_whose_reader_ends(tmp_path: Path) -> None:
    """It says so, with what it counted."""
    worker = Process("passthrough", ["a"], tmp_path)
    os.close(worker.out)
    os.write(worker.inputs[0], b"x")
    told, status = b"".join(_all(worker.told)), worker.process.wait(20)
    worker.process.communicate()
    answer = json.loads(told)
    assert (answer["error"], status) == ("what reads its stream has ended", 1)
    assert answer["streams"]["in"] == {"a": {"bytes": 1, "records": None}}
    os.close(worker.inputs[0])


def test_a_stalled_reader_stalls_the_worker(tmp_path: Path) -> None:
    """Within what pipes and one batch hold, and its memory stays flat however much there is."""
    worker = Process("data:filter", ["a"], tmp_path, where="{{ true }}")
    os.set_blocking(worker.inputs[0], False)
    block = lines([{"n": 1000 + n} for n in range(300)])  # so short that it is written as a whole
    sent, still = 0, time.monotonic() + 1
    while time.monotonic() < still:
        try:
            sent += os.write(worker.inputs[0], block)
            still = time.monotonic() + 1
        except BlockingIOError:
            time.sleep(0.02)
    assert sent < (1 << 20)
    os.set_blocking(worker.inputs[0], True)
    got = 0

    def read() -> None:
        nonlocal got
        while data := os.read(worker.out, 1 << 16):
            got += len(data)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    most = []
    for _ in range(40):
        for _ in range(5):
            with open(worker.inputs[0], "wb", closefd=False) as file:
                file.write(block)
        most.append(_resident(worker.process.pid))
    os.close(worker.inputs[0])
    reading.join(20)
    assert max(most[10:]) - most[9] < 2048
    told = [json.loads(line) for line in b"".join(_all(worker.told)).splitlines()]
    worker.process.communicate(timeout=20)
    assert told[-1]["streams"]["in"]["a"]["bytes"] == got
    os.close(worker.out)


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_a_join_lays_aside_what_it_does_not_read_yet(tmp_path: Path) -> None:
    """Where both its inputs come from one, the first may be far ahead."""
    left = lines([{"k": n % 50, "n": n} for n in range(20_000)])
    right = lines([{"k": n, "name": str(n)} for n in range(50)])
    worker = Process("data:join", ["left", "right"], tmp_path, spool=True, on=["k"])
    with open(worker.inputs[0], "wb") as file:  # noqa: PTH123
        file.write(left)
    with open(worker.inputs[1], "wb") as file:  # noqa: PTH123
        file.write(right)
    told, out = worker.end()
    assert told[-1]["summary"]["count"] == 20_000
    assert [r["n"] for r in records(out)] == list(range(20_000))
    assert all(r["name"] == str(r["k"]) for r in records(out))
    assert list(tmp_path.iterdir()) == []
