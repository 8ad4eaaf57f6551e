"""Texts in the formats of data:parse and data:format: what hypothesis draws, and how it is fed."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gxo.modules.flow import Batch
from tests.unit.flowing import Records, node, parts

NOWHERE = Path("/nowhere")
SIZES = st.lists(st.integers(1, 9), max_size=40)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | TEXT
DATA = st.recursive(
    SCALARS, lambda d: st.lists(d, max_size=3) | st.dictionaries(TEXT, d, max_size=3), max_leaves=8
)
CELLS = st.text(st.sampled_from("ab,;\"'\n\r é"), max_size=5)
RECORDS = st.lists(st.dictionaries(TEXT, DATA, max_size=4), max_size=6)


def parse(data: bytes, sizes: list[int], **given_: Any) -> Records:
    """The records of a text that comes in such parts."""
    made, found = node("data:parse", given_, 1, NOWHERE)
    for part in parts(data, sizes):
        made.feed(0, part)
    made.end(0)
    return [record for batch in found for record in batch.records]


def formatted(records: Records, **given_: Any) -> bytes:
    """The text of records, in batches of two."""
    made, found = node("data:format", given_, 1, NOWHERE)
    for at in range(0, len(records), 2):
        made.feed(0, Batch(records[at : at + 2]))
    made.end(0)
    return b"".join(found)
