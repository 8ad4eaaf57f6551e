"""Streams against a shell's pipe, tee, jq and Python's own json; in a lab each.

What a run costs whatever its stream carries is measured by itself, with next to nothing to carry,
and taken off both sides: what is compared is the time from the first byte to the last.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import playbooks
from in_lab import PLACE, gxo_run, job, ready
from timing import Job, Result, compare

from gxo.dataclass import dataclass
from gxo.lab import Lab

_SINK = "cat >/dev/null"
_GIB = 1 << 30


def pipe(size: int = 24 * _GIB) -> Iterator[Result]:
    """Two programs, against the same two in a shell's pipe."""
    yield from _zeros("exec to exec", "a shell's pipe", size, [_SINK], f"| {_SINK}", 1 / 0.95)


def fanout(size: int = 4 * _GIB) -> Iterator[Result]:
    """One program whose stream three read, against tee with process substitutions."""
    tee = f"| tee >({_SINK}) >({_SINK}) | {_SINK}"
    yield from _zeros("exec to three", "tee >() >()", size, [_SINK] * 3, tee, 1 / 0.8)


def _zeros(
    name: str, other: str, size: int, sinks: list[str], rest: str, bound: float
) -> Iterator[Result]:
    def source(count: int) -> str:
        return f"head -c {count} /dev/zero"

    files = {
        "all.yaml": playbooks.fan(source(size), sinks),
        "one.yaml": playbooks.fan(source(1), sinks),
    }
    with ready(files) as lab:
        yield compare(
            f"{name}, {size // _GIB} GiB / {other}",
            _carried(lab, gxo_run("all.yaml"), gxo_run("one.yaml")),
            _carried(lab, *(["bash", "-c", f"{source(count)} {rest}"] for count in (size, 1))),
            bound,
            pairs=3,
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """What is done to records: a module, and the same for jq and in Python."""

    module: str
    params: str
    jq: str
    python: str
    inputs: tuple[str, ...] = ()
    """Further files."""


_PYTHON = """\
import json, sys
{before}
for line in sys.stdin:
    record = json.loads(line)
    {each}
"""
_WRITE = 'sys.stdout.write(json.dumps(record, separators=(",", ":")) + "\\n")'
_WORKS = (
    _Work(
        "data:map",
        "{to: {name: '{{ .record.host | upper }}', n: '{{ .record.n }}'}}",
        "jq -c '{name: (.host | ascii_upcase), n: .n}'",
        _PYTHON.format(
            before="",
            each=f'record = {{"name": record["host"].upper(), "n": record["n"]}}; {_WRITE}',
        ),
    ),
    _Work(
        "data:filter",
        "{where: '{{ gt .record.size 1024 }}'}",
        "jq -c 'select(.size > 1024)'",
        _PYTHON.format(before="", each=f'if record["size"] > 1024: {_WRITE}'),
    ),
    _Work(
        "data:join",
        "{on: [host]}",
        f"jq -cn --slurpfile owners {PLACE}/owners '(INDEX($owners[]; .host)) as $of"
        " | inputs | $of[.host] as $owner | select($owner) | . + $owner'",
        _PYTHON.format(
            before=f'of = {{one["host"]: one for one in map(json.loads, open("{PLACE}/owners"))}}',
            each=f'if record["host"] in of: record.update(of[record["host"]]); {_WRITE}',
        ),
        ("owners",),
    ),
)


def records(count: int = 1_000_000) -> Iterator[Result]:
    """A module between two programs, against jq and Python there."""
    files = {
        "all": "".join(map(_record, range(count))),
        "one": _record(0),
        "owners": "".join(map(_owner, range(1000))),
    }
    for number, work in enumerate(_WORKS):
        for size in ("all", "one"):
            sources = [f"cat {PLACE}/{file}" for file in (size, *work.inputs)]
            text = playbooks.through(work.module, work.params, sources, _SINK)
            files[f"{number}-{size}.yaml"] = text
        files[f"{number}.py"] = work.python
    with ready(files) as lab:
        for number, work in enumerate(_WORKS):
            ours = _carried(lab, *(gxo_run(f"{number}-{size}.yaml") for size in ("all", "one")))
            rivals = {"jq": work.jq, "Python's json": f"/usr/bin/python3 {PLACE}/{number}.py"}
            for rival, command in rivals.items():
                theirs = _carried(
                    lab,
                    *(
                        ["sh", "-c", f"cat {PLACE}/{size} | {command} | {_SINK}"]
                        for size in ("all", "one")
                    ),
                )
                bound, pairs = (1, 3) if rival == "jq" else (None, 1)
                result = compare("", ours, theirs, bound, pairs=pairs)
                rate = f"{count / result.ours:,.0f}/s"
                yield replace(result, name=f"{work.module}, {count:,} records, {rate} / {rival}")


def _record(number: int) -> str:
    record = {
        "host": f"web-{number % 1000}",
        "n": number,
        "size": number * 7919 % 4096,
        "path": f"/srv/app/{number % 97}/index.html",
        "status": 200 if number % 13 else 404,
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def _owner(number: int) -> str:
    owner = {"host": f"web-{number}", "owner": f"team-{number % 20}", "rack": number % 40}
    return json.dumps(owner) + "\n"


def _carried(
    lab: Lab, whole: list[str] | tuple[str, ...], nothing: list[str] | tuple[str, ...]
) -> Job:
    """What a command takes more than one that carries next to nothing."""
    work, idle = job(lab, whole), job(lab, nothing)
    return lambda: work() - idle()
