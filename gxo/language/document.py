"""From a source to the nodes of its YAML documents, every node with its place."""

import re
from typing import TYPE_CHECKING, Any

from yaml import MarkedYAMLError, Node
from yaml._yaml import CParser

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.limits import DEPTH, FAULTS, VALUES
from gxo.source import Source, Span

if TYPE_CHECKING:
    from gxo.diagnostic import yaml as yaml_faults
else:
    yaml_faults = Lazy("gxo.diagnostic.yaml")

# C0 but tab and line breaks, C1 with NEL, the separators at which YAML 1.1 breaks lines,
# bidirectional overrides (they show text in another order than it is read), surrogates, byte order
# marks, noncharacters.
_FORBIDDEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff"
)
FORBIDDEN = re.compile(f"[{_FORBIDDEN}]")
FORBIDDEN_IN_VALUE = re.compile(f"[{_FORBIDDEN}\r]")
# Where a tag or an anchor may stand; matches within text only cost a second look.
_SPECIAL = re.compile(r"(?:^|[\s\[{,])(?:&[\w-]|!)")
STAND_IN = "\ufffd"


def compose(source: Source, problems: list[Problem]) -> tuple[Node, ...]:
    """The root node of each document up to the first that is not YAML.

    Plain, quoted and block scalars carry their text alone: the type of each is its key's business.
    """
    text = source.text
    # every forbidden character is unprintable, and that is found out ten times faster
    if not text.replace("\n", "").isprintable() and FORBIDDEN.search(text):
        found = [*FORBIDDEN.finditer(text)]
        problems += [
            yaml_faults.ControlCharacter(span=Span(source, m.start(), m.end()), character=m[0])
            for m in found[:FAULTS]
        ]
        text = FORBIDDEN.sub(STAND_IN, text)
    if ("&" in text or "!" in text) and _SPECIAL.search(text):
        from gxo.language.anchors import inspect

        if not inspect(source, text, problems):
            return ()
    roots: list[Node] = []
    parser = _Composer(text)
    try:
        while parser.check_node():
            parser.begin()
            root = parser.get_node()
            assert root is not None
            roots.append(root)
    except MarkedYAMLError as error:
        from gxo.language.syntax import syntax_problem

        problems.append(syntax_problem(source, error))
    except _TooDeepError as error:
        problems.append(yaml_faults.TooDeep(span=_at(source, error.place), limit=DEPTH))
    except _TooManyError as error:
        problems.append(yaml_faults.TooManyValues(span=_at(source, error.place), limit=VALUES))
    finally:
        parser.dispose()
    return tuple(roots)


def _at(source: Source, offset: int) -> Span:
    return Span(source, offset, min(offset + 1, len(source.text)))


class _TooDeepError(Exception):
    def __init__(self, place: int) -> None:
        self.place = place


class _TooManyError(Exception):
    def __init__(self, place: int) -> None:
        self.place = place


class _Composer(CParser):
    """PyYAML's C composer with our own idea of a resolver: it resolves nothing, it only counts.

    The composer recurses in C without a limit; `descend_resolver` is where it can be stopped.
    """

    depth = 0
    left = VALUES

    def begin(self) -> None:
        """A new document has its own counts."""
        self.depth = 0
        self.left = VALUES

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        return ""

    def descend_resolver(self, parent: Any, _index: object) -> None:
        self.depth = depth = self.depth + 1
        self.left = left = self.left - 1
        if depth > DEPTH:
            raise _TooDeepError(parent.start_mark.index)
        if left < 0:
            raise _TooManyError(parent.start_mark.index)

    def ascend_resolver(self) -> None:
        self.depth -= 1
