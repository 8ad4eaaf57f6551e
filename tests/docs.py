"""Reading the documents: their code blocks, and what a command in them should print.

A `yaml` block that holds `workloads:` is a whole playbook; one that begins with `# NAME.yaml` is
written to that file. In a `console` block each line behind `$ ` is a command, and the lines up to
the next are all that it prints: `…` stands for any text in a line, or alone, for any lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for path in (TOP / "README.md", *TOP.glob("docs/**/*.md"), *TOP.glob("examples/*/README.md"))
    if path.exists()
)
RUN_EXAMPLES = ("access-log", "build", "rerun")
"""Those of `gxo run`; the others are for `gxo apply`."""
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)
_FILE = re.compile(r"# (\S+\.ya?ml)\n")


@dataclass(frozen=True, slots=True)
class Block:
    document: str
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that a block says it is."""
        found = _FILE.match(self.text)
        return found[1] if found else None

    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command of a `console` block, and what it should print."""
        for part in re.split(r"^\$ ", self.text, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def blocks(document: Path) -> tuple[Block, ...]:
    """The code blocks of a document, in order."""
    text = document.read_text()
    name = str(document.relative_to(TOP))
    return tuple(
        Block(name, text.count("\n", 0, found.start()) + 2, found[1], found[2])
        for found in _BLOCK.finditer(text)
    )


def matches(expected: str, printed: str) -> bool:
    """Whether all that was printed is what the document says, `…` being anything.

    Columns may be wider or narrower.
    """
    pattern = ""
    for line in expected.splitlines():
        if line == "…":
            pattern += r"(?:.*\n)*?"
            continue
        words = re.split(r"(?<=\S)  +", line)
        pattern += "  +".join(re.escape(word).replace("…", ".*") for word in words) + r" *\n"
    return re.fullmatch(pattern, printed) is not None
