"""What can be wrong with a file before its keys are read: the file itself, its text, its YAML."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotRead(Problem):
    """A path that gives no text. `reason` completes "cannot read it: …"."""

    code: ClassVar[str] = "file-unreadable"
    reason: str
    advice: str | None = None

    def message(self) -> str:
        return f"cannot read {self.span.source.path}: {self.reason}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMissing(Problem):
    code: ClassVar[str] = "file-missing"

    def message(self) -> str:
        return f"cannot read {self.span.source.path}: there is no such file"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAFile(Problem):
    """A FIFO, a socket, a device: `kind` says which."""

    code: ClassVar[str] = "file-kind"
    kind: str

    def message(self) -> str:
        return f"cannot read {self.span.source.path}: it is {self.kind}, not a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTooBig(Problem):
    """Larger than a playbook may be; `limit` is in bytes."""

    code: ClassVar[str] = "file-too-big"
    limit: int

    def message(self) -> str:
        mebibytes = self.limit // (1024 * 1024)
        return f"cannot read {self.span.source.path}: it is larger than {mebibytes} MiB"

    def hint(self) -> str:
        return "split it into several playbooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlaybooks(Problem):
    code: ClassVar[str] = "directory-empty"

    def message(self) -> str:
        return f"cannot read {self.span.source.path}: the directory holds no *.yaml or *.yml file"

    def hint(self) -> str:
        return "directories within it are not searched: name them too"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUtf8(Problem):
    code: ClassVar[str] = "not-utf8"
    byte: int
    advice: str | None = None

    def message(self) -> str:
        return f"cannot read the text: byte 0x{self.byte:02x} is not UTF-8"

    def hint(self) -> str:
        return self.advice or "save the file as UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryFile(Problem):
    code: ClassVar[str] = "file-binary"

    def message(self) -> str:
        return f"cannot read {self.span.source.path}: it is not text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCharacter(Problem):
    """A character that may not stand in any string: it could drive a terminal or split a line."""

    code: ClassVar[str] = "control-character"
    character: str

    def message(self) -> str:
        return f"a control character (U+{ord(self.character):04X}) is not allowed in a playbook"

    def hint(self) -> str | None:
        return "remove it" if self.character != "\r" else "end lines with a line feed alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlSyntax(Problem):
    """Text that is not YAML. `reason` is in the user's terms, never the parser's."""

    code: ClassVar[str] = "yaml-syntax"
    reason: str
    advice: str | None = None
    opened: Span | None = None
    opened_label: str = "opened here"

    def message(self) -> str:
        return self.reason

    def hint(self) -> str | None:
        return self.advice

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.opened, self.opened_label),) if self.opened else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyPlaybook(Problem):
    code: ClassVar[str] = "playbook-empty"

    def message(self) -> str:
        return "the playbook is empty"

    def hint(self) -> str:
        return "a playbook is a map with at least `workloads`"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitTag(Problem):
    code: ClassVar[str] = "yaml-tag"
    tag: str

    def message(self) -> str:
        return f"the tag `{self.tag}` is not allowed in a playbook: each key has its own type"

    def hint(self) -> str:
        return f"leave the tag out; if the text begins with `{self.tag}`, quote it"


@dataclass(frozen=True, slots=True, kw_only=True)
class StarUnquoted(Problem):
    """A value such as `*/5 * * * *` that YAML takes for an alias."""

    code: ClassVar[str] = "unquoted-star"
    value: str

    def message(self) -> str:
        return f"`{self.value}` begins with `*`, which YAML takes for an alias"

    def hint(self) -> str:
        return f'quote it: "{self.value}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAlias(Problem):
    code: ClassVar[str] = "unknown-alias"
    name: str

    def message(self) -> str:
        return f"the alias `*{self.name}` has no anchor `&{self.name}` before it"

    def hint(self) -> str:
        return "quote it if you mean text"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecursiveAlias(Problem):
    code: ClassVar[str] = "recursive-alias"
    name: str
    anchor: Span

    def message(self) -> str:
        return f"the alias `*{self.name}` is inside its own anchor"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.anchor, "the anchor"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTwice(Problem):
    code: ClassVar[str] = "anchor-twice"
    first: Span

    def message(self) -> str:
        return "one playbook sets this anchor twice"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyValues(Problem):
    """More values than a playbook may have, or aliases that expand to more (an alias bomb)."""

    code: ClassVar[str] = "too-many-values"
    limit: int
    alias: str | None = None

    def message(self) -> str:
        what = f"the alias `*{self.alias}` makes it" if self.alias else "it is"
        return f"the playbook is too large: {what} more than {self.limit} values"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooDeep(Problem):
    code: ClassVar[str] = "too-deep"
    limit: int

    def message(self) -> str:
        return f"values are nested deeper than {self.limit} levels"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeKey(Problem):
    code: ClassVar[str] = "merge-key"

    def message(self) -> str:
        return "the merge key `<<` is not allowed in a playbook: it hides what a map holds"

    def hint(self) -> str:
        return "write the keys out, or give the whole map an anchor and use its alias"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNotText(Problem):
    code: ClassVar[str] = "key-not-text"
    kind: str

    def message(self) -> str:
        return f"the key of a map must be text, not {self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnquotedTemplate(Problem):
    """`{{ … }}` without quotes, which YAML reads as a map within a map."""

    code: ClassVar[str] = "unquoted-template"

    def message(self) -> str:
        return "a template that begins a value must be quoted: YAML takes `{{` for a map"

    def hint(self) -> str:
        return "put quotes around the whole value: '{{ … }}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateKey(Problem):
    code: ClassVar[str] = "duplicate-key"
    name: str
    first: Span

    def message(self) -> str:
        return f"the key `{self.name}` appears twice in one map"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first"),)
