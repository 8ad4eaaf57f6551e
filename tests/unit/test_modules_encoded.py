"""Records written many at a time are what each is by itself."""

import json
import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gxo.modules.fault import ModuleError
from gxo.modules.flow import Batch, encoded

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("a\ud800b"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4)


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@given(RECORDS)
@example([{"a": None}, {"b": [{"c": math.inf}]}])
@example([{"a": None, "b": 2**70}])
@example([{"null": "null"}, {"a": {"b": None}}])
def test_a_batch_is_the_lines_of_its_records(records: list[dict[str, Any]]) -> None:
    """One line a record, its null a null, its numbers of any size; none is null by silence."""
    try:
        written = Batch(records).encoded()
    except ModuleError as error:
        assert str(error) == "a number is not finite, which JSON has no word for"
        assert not _finite(records)
    else:
        assert _finite(records)
        assert written == b"".join(map(encoded, records))
        if "\\ud800" not in ascii(records):
            assert list(map(json.loads, written.splitlines())) == records
