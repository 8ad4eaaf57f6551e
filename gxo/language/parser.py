"""Parsers from the grammars in grammar/: their tables are computed by lark once, then cached."""

import json
import re
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gxo.data import data_dir
from gxo.language import cache as store
from gxo.language.lalr import Parser, Rule, Tables, Terminal

if TYPE_CHECKING:
    from lark import Lark

_VERSION = 1
"""Of the JSON that holds the tables; part of the key."""


@cache
def fast(name: str, *starts: str) -> Parser:
    """The parser of `grammar/NAME.lark`, for one or more start rules.

    Importing lark costs 40 ms, so it computes the tables once and later calls read them from the
    cache, as JSON: data that runs nothing. The file's name hashes lark's version and the grammar,
    so that a change of either computes new ones.
    """
    starts = starts or ("start",)
    text = _grammar(name)
    file = f"{name}-{_key(text, starts)}.json"
    kept = store.read(file)
    if kept is not None:
        return Parser(_from_json(json.loads(kept)))
    data = _to_json(_build(text, starts))
    store.write(file, json.dumps(data, separators=(",", ":")).encode())
    return Parser(_from_json(data))


def _grammar(name: str) -> str:
    return (data_dir("grammar") / f"{name}.lark").read_text(encoding="utf-8")


def _key(text: str, starts: tuple[str, ...]) -> str:
    parts = (str(_VERSION), _lark_version(), *starts, text)
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def _lark_version() -> str:
    """The file that states it, whole: importing lark costs 40 ms, importlib.metadata 20."""
    spec = find_spec("lark")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


def _build(text: str, starts: tuple[str, ...]) -> "Lark":
    from lark import Lark

    return Lark(text, parser="lalr", start=list(starts), propagate_positions=True)


def tables_of(lark: "Lark") -> Tables:
    """The tables of a LALR parser that lark has built."""
    return _from_json(_to_json(lark))


def _to_json(lark: "Lark") -> dict[str, Any]:
    """Tables of lark as plain data: what its own stand-alone parsers are made of."""
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    data, memo = lark.memo_serialize([TerminalDef, LarkRule])
    lexer, table = data["parser"]["lexer_conf"], data["parser"]["parser"]
    order = [reference["@"] for reference in data["parser"]["parser_conf"]["rules"]]
    position = {reference: index for index, reference in enumerate(order)}
    numbers = {state: index for index, state in enumerate(sorted(table["states"]))}

    def action(kind: int, argument: Any) -> int:
        return numbers[argument] if kind == 0 else ~position[argument["@"]]

    return {
        "terminals": [_terminal(memo[reference["@"]]) for reference in lexer["terminals"]],
        "ignored": list(lexer["ignore"]),
        "rules": [_rule(memo[reference]) for reference in order],
        "actions": [
            {
                table["tokens"][token]: action(*todo)
                for token, todo in table["states"][state].items()
            }
            for state in sorted(table["states"])
        ],
        "starts": {name: numbers[state] for name, state in table["start_states"].items()},
        "ends": {name: numbers[state] for name, state in table["end_states"].items()},
    }


def _terminal(found: dict[str, Any]) -> list[Any]:
    pattern = found["pattern"]
    literal = pattern["__type__"] == "PatternStr" and not pattern["flags"]
    text = pattern["value"]
    if not literal:
        text = re.escape(text) if pattern["__type__"] == "PatternStr" else text
        for flag in sorted(pattern["flags"]):
            text = f"(?{flag}:{text})"
    width = len(text) if literal else int(pattern.get("_width", (0, len(pattern["value"])))[1])
    return [found["name"], text, literal, found["priority"], width]


def _rule(found: dict[str, Any]) -> list[Any]:
    symbols, options = found["expansion"], found["options"]
    everything = options["keep_all_tokens"]
    empty = "".join("1" if absent else "0" for absent in options["empty_indices"])
    return [
        found["alias"] or found["origin"]["name"],
        found["origin"]["name"],
        [everything or not symbol.get("filter_out", False) for symbol in symbols],
        [_is_inline(symbol) for symbol in symbols],
        [len(ones) for ones in empty.split("0")] if empty else [0] * (len(symbols) + 1),
        options["expand1"] and not found["alias"],
    ]


def _is_inline(symbol: dict[str, Any]) -> bool:
    return bool(symbol["__type__"] == "NonTerminal" and symbol["name"].startswith("_"))


def _from_json(data: dict[str, Any]) -> Tables:
    return Tables(
        terminals=tuple(Terminal(*terminal) for terminal in data["terminals"]),
        ignored=tuple(data["ignored"]),
        rules=tuple(
            Rule(name, origin, tuple(keep), tuple(inline), tuple(absent), single)
            for name, origin, keep, inline, absent, single in data["rules"]
        ),
        actions=tuple(data["actions"]),
        starts=data["starts"],
        ends=data["ends"],
    )
