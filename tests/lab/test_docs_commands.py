"""The commands in the documents print what the documents say, in order, on a real systemd."""

from pathlib import Path

import pytest

from gxo.lab import Lab
from tests.docs import DOCUMENTS, TOP, blocks, matches
from tests.lab.machine import Machine, spec_for
from tests.lab.roots import host_version

RUN = [
    document for document in DOCUMENTS if any(block.kind == "console" for block in blocks(document))
]
PLACE = "/root/docs"


@pytest.mark.parametrize("document", RUN, ids=lambda path: str(path.relative_to(TOP)))
def test_commands_print_what_the_document_says(document: Path) -> None:
    """Playbooks are written as they come, commands run as a reader would type them."""
    with Lab.boot(spec_for(Path("/"))) as lab:
        machine = Machine(lab, host_version())
        settings = "".join(f"export {key}={value}\n" for key, value in machine.gxo_env.items())
        command = " ".join(machine.gxo_argv())
        machine.write("/usr/local/bin/gxo", f'#!/bin/sh\n{settings}exec {command} "$@"\n', 0o755)
        machine.run("mkdir", "-p", PLACE)
        for block in blocks(document):
            if block.kind == "yaml" and block.file:
                machine.write(f"{PLACE}/{block.file}", block.text)
            for line, expected in block.commands() if block.kind == "console" else ():
                done = machine.run("sh", "-c", f"cd {PLACE} && {{ {line}\n}} 2>&1", timeout=120)
                assert matches(expected, done.stdout), (
                    f"{block.place}: $ {line}\n{done.stdout}\n--- the document says\n{expected}"
                )
