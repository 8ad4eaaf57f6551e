"""Random playbooks of streams, and what comes out of them as plain Python has it."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tests.lab.running import step, use

Record = dict[str, Any]
Records = list[Record]
PLACE = "/srv/topologies"
MOST = 20_000
"""Records that one step may yield: joins of joins of joins yield too many to wait for."""
_HOST = "security_context: {profile: host}, "
_SIZES = (None, None, None, 4096, 16384, 1 << 20)


@dataclass(frozen=True)
class Node:
    """A workload. `ordered`: its records come in the order in which they stand here."""

    name: str
    inputs: tuple[str, ...]
    text: str
    records: Records
    ordered: bool


@dataclass
class Topology:
    """Nodes, each behind its inputs. What nobody reads is written to files of their names."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def ends(self) -> list[Node]:
        read = set(chain.from_iterable(node.inputs for node in self.nodes))
        return [node for node in self.nodes if node.name not in read]

    @property
    def workloads(self) -> str:
        writers = [
            step(
                f"write-{node.name}",
                f"exec cat >{PLACE}/{node.name}",
                f"{_HOST}stream_inputs: [{node.name}], ",
            )
            for node in self.ends
        ]
        return "".join((*(node.text for node in self.nodes), *writers))

    def differs(self, read: Callable[[str], str]) -> str:
        """What of that which a run has written is not as it should be; nothing where all is."""
        for node in self.ends:
            got = [json.loads(line) for line in read(f"{PLACE}/{node.name}").splitlines()]
            expected = node.records
            if not node.ordered:
                got, expected = sorted(got, key=_key), sorted(expected, key=_key)
            if got != expected:
                return f"{node.name}: {len(got)} records of {len(expected)}, or others"
        return ""


def _key(record: Record) -> str:
    return json.dumps(record, sort_keys=True)


def drawn(chance: random.Random, size: int, *, modules: bool) -> Topology:
    """A topology of so many nodes, with gxo's own modules among them or of programs alone."""
    topology = Topology()
    kinds = [*_PROGRAMS, *(_MODULES if modules else ())]
    while len(topology.nodes) < size:
        name = f"n{len(topology.nodes)}"
        most = min(len(topology.nodes), 3)
        count = chance.choice((0, 1, 1, 1, 2, 2, 3)) if topology.nodes else 0
        # those that came last are read more often: else all are wide and none is deep
        recent = topology.nodes[-4:] if chance.random() < 0.7 else topology.nodes
        inputs = chance.sample(recent, min(count, most, len(recent)))
        fitting = [kind for low, high, kind in kinds if low <= len(inputs) <= high]
        node = chance.choice(fitting)(chance, name, inputs)
        if len(node.records) <= MOST:
            topology.nodes.append(node)
    return topology


def _node(
    chance: random.Random,
    name: str,
    inputs: Sequence[Node],
    text: Callable[[str, str], str],
    records: Records,
    *,
    ordered: bool,
) -> Node:
    """`text` makes the workload of the name and what else stands in it."""
    names = tuple(node.name for node in inputs)
    size = chance.choice(_SIZES)
    extra = f"stream_inputs: [{', '.join(names)}], " if inputs else ""
    extra += f"channel_policy: {{buffer_size: {size}}}, " if size else ""
    return Node(name, names, text(name, extra), records, ordered)


def _program(command: str) -> Callable[[str, str], str]:
    return lambda name, extra: step(name, command, extra)


def _module(module: str, **params: object) -> Callable[[str, str], str]:
    return lambda name, extra: use(name, module, extra, **params)


def _all(inputs: Sequence[Node]) -> Records:
    return [record for node in inputs for record in node.records]


def _numbers(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    first, count = chance.randrange(1000), chance.choice((0, 1, 10, 1000, 8000))
    made = r'printf "{\"id\":%d,\"v\":%d}\n", i, i % 7'
    command = f"awk 'BEGIN {{ for (i = {first}; i < {first + count}; i++) {made} }}'"
    records = [{"id": n, "v": n % 7} for n in range(first, first + count)]
    return _node(chance, name, inputs, _program(command), records, ordered=True)


def _cat(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    (node,) = inputs
    return _node(chance, name, inputs, _program("cat"), node.records, ordered=node.ordered)


def _reverse(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    (node,) = inputs
    return _node(chance, name, inputs, _program("tac"), node.records[::-1], ordered=node.ordered)


def _drop(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    (node,) = inputs
    records = [record for record in node.records if record["v"] != 3]
    command = """sed '/"v":3[,}]/d'"""
    return _node(chance, name, inputs, _program(command), records, ordered=node.ordered)


def _mark(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    (node,) = inputs
    records = [{**record, name: 1} for record in node.records]
    command = f"""sed 's/}}$/,"{name}":1}}/'"""
    return _node(chance, name, inputs, _program(command), records, ordered=node.ordered)


def _concatenate(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    """Reads all at the same time, as who is fed twice by one must."""
    files = [f"{name}.{node.name}" for node in inputs]
    takes = " ".join(
        f'cat "$GXO_STREAM_{node.name.upper()}" >{file} &'
        for node, file in zip(inputs, files, strict=True)
    )
    command = f"{takes} wait; cat {' '.join(files)}"
    ordered = all(node.ordered for node in inputs)
    return _node(chance, name, inputs, _program(command), _all(inputs), ordered=ordered)


def _list(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    records = [{"id": n, "v": n % 7} for n in range(chance.randrange(20))]
    module = _module("data:generate_from_list", items=records)
    return _node(chance, name, inputs, module, records, ordered=True)


def _pass(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    ordered = all(node.ordered for node in inputs)
    return _node(chance, name, inputs, _module("passthrough"), _all(inputs), ordered=ordered)


def _map(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    to = {"id": "{{ .record.id }}", "v": "{{ mod (add .record.v 1) 7 }}"}
    records = [{"id": record["id"], "v": (record["v"] + 1) % 7} for record in _all(inputs)]
    ordered = len(inputs) == 1 and inputs[0].ordered
    return _node(chance, name, inputs, _module("data:map", to=to), records, ordered=ordered)


def _filter(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    records = [record for record in _all(inputs) if record["v"] != 2]
    module = _module("data:filter", where="{{ ne .record.v 2 }}")
    ordered = len(inputs) == 1 and inputs[0].ordered
    return _node(chance, name, inputs, module, records, ordered=ordered)


def _aggregate(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    groups: dict[int, Record] = {}
    for record in _all(inputs):
        group = groups.setdefault(record["v"], {"v": record["v"], name: 0, "id": 0})
        group[name] += 1
        group["id"] += record["id"]
    module = _module("data:aggregate", by=["v"], values={name: "count", "id": "sum id"})
    return _node(chance, name, inputs, module, list(groups.values()), ordered=False)


def _join(chance: random.Random, name: str, inputs: Sequence[Node]) -> Node:
    kind = chance.choice(("inner", "left", "right", "outer"))
    left, right = (node.records for node in inputs)
    by_id: dict[int, Records] = {}
    for record in right:
        by_id.setdefault(record["id"], []).append(record)
    records: Records = []
    for record in left:
        partners = by_id.get(record["id"], [])
        records += [{**partner, **record} for partner in partners]
        if not partners and kind in ("left", "outer"):
            records.append(record)
        if len(records) > MOST:
            break
    if kind in ("right", "outer"):
        met = {record["id"] for record in left}
        records += [record for record in right if record["id"] not in met]
    module = _module("data:join", on=["id"], kind=kind)
    return _node(chance, name, inputs, module, records, ordered=False)


_Kind = Callable[[random.Random, str, Sequence[Node]], Node]
# the fewest and the most inputs, and what makes one
_PROGRAMS: list[tuple[int, int, _Kind]] = [
    (0, 0, _numbers),
    (1, 1, _cat),
    (1, 1, _reverse),
    (1, 1, _drop),
    (1, 1, _mark),
    (2, 3, _concatenate),
]
_MODULES: list[tuple[int, int, _Kind]] = [
    (0, 0, _list),
    (1, 3, _pass),
    (1, 3, _map),
    (1, 2, _filter),
    (1, 2, _aggregate),
    (2, 2, _join),
]
