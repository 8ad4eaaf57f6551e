"""Parsers from the grammars in grammar/: built by lark once, then read from the cache."""

from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

from gxo.data import data_dir
from gxo.language import cache as store

if TYPE_CHECKING:
    from lark import Lark


@cache
def load(name: str, start: str | tuple[str, ...] = "start") -> "Lark":
    """The LALR parser of `grammar/NAME.lark`, its tokens and trees carrying character offsets.

    The cache holds lark's own pickle. Reading one runs what it says, so it comes from nowhere but a
    directory and a file that only we can write (gxo/language/cache.py); its name hashes lark's
    version and the grammar, so that a change of either builds a new one.
    """
    import lark

    text = (data_dir("grammar") / f"{name}.lark").read_text(encoding="utf-8")
    starts = (start,) if isinstance(start, str) else start
    key = sha256("\0".join((lark.__version__, *starts, text)).encode()).hexdigest()[:32]
    file = f"{name}-{key}.grammar"
    kept = store.read(file)
    if kept is not None:
        return lark.Lark.load(BytesIO(kept))
    built = lark.Lark(text, parser="lalr", start=list(starts), propagate_positions=True)
    buffer = BytesIO()
    built.save(buffer)
    store.write(file, buffer.getvalue())
    return built
