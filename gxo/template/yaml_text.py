"""The one wrapper of PyYAML for `toYaml` and `fromYaml`: safe, from events, without tags.

Events, not nodes: PyYAML's C composer recurses without a limit, and deep input ends the process.
"""

import re
from typing import TYPE_CHECKING, Any, cast

from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import Limits
from gxo.template.value import Data

if TYPE_CHECKING:
    import yaml

_NIL = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")


def plain(text: str) -> Data:
    """What an unquoted scalar means: YAML 1.2's nil, booleans and numbers, and text for the rest.

    YAML 1.1's surprises stay text: `no`, `on`, `010`, `1_000`, `12:30`, dates.
    """
    if text in _NIL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def load(text: str, limits: Limits) -> Data:
    """The data of one document; Failure for what is no YAML or goes beyond plain data."""
    import yaml

    # the C parser ends a text at NUL, as if the rest were not there
    if "\0" in text:
        raise Failure("the text is not YAML: it holds a NUL character", argument=0)
    # CLoader's events come from libyaml; building the data is ours, so no tag can name a type
    loader: Any = yaml.CLoader(text) if yaml.__with_libyaml__ else yaml.Loader(text)
    try:
        return _Builder(limits).build(loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", see its line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Failure(f"the text is not YAML{place}", argument=0) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise Failure("the text is not YAML: it holds a control character", argument=0) from None
    finally:
        loader.dispose()


def dump(value: Data) -> str:
    """Block style, keys in order, no anchors; ends without a line break."""
    import yaml

    dumped = yaml.dump(
        value,
        Dumper=_dumper(),
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=True,
        width=2**30,
    )
    # PyYAML marks the end of a document that is a bare scalar
    text: str = dumped
    return text.removesuffix("\n...\n").removesuffix("\n")


def _dumper() -> Any:
    import yaml

    base: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper
    # a part that stands at two places is written twice: readers expect no `&id001`
    return type("Dumper", (base,), {"ignore_aliases": lambda *_: True})


class _Builder:
    """Builds data from events, with a stack of its own; an alias counts as all it stands for."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.used = 0
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Data, int]] = {}
        self.result: Data = None

    def build(self, loader: Any) -> Data:
        import yaml

        documents = 0
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _wrong("there is a second document", event)
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                done = self.open.pop()
                self._put(done.data, done.anchor, self.used - done.before, event)
        return self.result

    def _node(self, event: "yaml.NodeEvent") -> None:
        import yaml

        self._use(1)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise _wrong("an alias has no anchor before it", event)
            data, size = self.anchors[event.anchor]
            self._use(size)
            self._put(data, None, 0, event)
            return
        tag = cast("Any", event).tag
        if tag is not None and tag != "!":
            raise _wrong("tags are refused", event)
        if isinstance(event, yaml.ScalarEvent):
            self._use(len(event.value))
            data = plain(event.value) if event.implicit[0] else event.value
            self._put(data, event.anchor, 1 + len(event.value), event)
        else:
            if len(self.open) >= self.limits.depth:
                raise TooMuch("levels of lists and maps within each other", self.limits.depth)
            box: Data = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            self.open.append(_Open(box, event.anchor, self.used))

    def _use(self, amount: int) -> None:
        self.used += amount
        if self.used > self.limits.size:
            raise TooMuch("characters and entries, aliases written out", self.limits.size)

    def _put(self, data: Data, anchor: str | None, size: int, event: "yaml.Event") -> None:
        if anchor is not None:
            self.anchors[anchor] = data, size
        if not self.open:
            self.result = data
            return
        box = self.open[-1]
        if isinstance(box.data, list):
            box.data.append(data)
        elif not box.has_key:
            if not isinstance(data, str | int | float) or isinstance(data, bool):
                raise _wrong("a key is not text", event)
            box.key, box.has_key = str(data), True
            if isinstance(box.data, dict) and box.key in box.data:
                raise _wrong("a key stands there twice", event)
        elif isinstance(box.data, dict):
            box.data[box.key] = data
            box.has_key = False


def _wrong(reason: str, event: "yaml.Event") -> Failure:
    """The place, never the text: it may be a secret."""
    mark: Any = event.start_mark
    return Failure(
        f"the YAML is refused at its line {mark.line + 1}, column {mark.column + 1}: {reason}",
        argument=0,
    )


class _Open:
    """A list or map whose end has not come yet."""

    def __init__(self, data: Data, anchor: str | None, before: int) -> None:
        self.data = data
        self.anchor = anchor
        self.before = before
        self.key = ""
        self.has_key = False
