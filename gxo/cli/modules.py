"""`gxo modules`: the library and the modules beside it, who has signed them, and how one begins."""

from pathlib import Path
from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Failure

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

_Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The module's directory.", show_default=False)
]


@app.callback(epilog="Example: gxo modules list")
def modules(context: typer.Context, json: options.Json = False) -> int:
    """List the modules that playbooks can use, or make and sign your own."""
    return Exit.DONE if context.invoked_subcommand is not None else listed(json=json)


@app.command("list", epilog="Example: gxo modules list --json")
def listed(json: options.Json = False) -> int:
    """List the modules that playbooks can use.

    Those of the library, and those of this host with their directory and whether a key of the
    configuration has signed them.
    """
    from gxo.cli.table import coloured, table
    from gxo.cli.vetting import known

    found, problems = known()
    if json:
        output.emit({"modules": [module.document() for module in found]})
    else:
        rows = [(each.name, each.path or "library", each.signature, each.short) for each in found]
        header = ("MODULE", "WHERE", "SIGNATURE", "DOES")
        output.say(table(rows, header=header, colour=coloured()).rstrip("\n"))
    if problems:
        output.report(problems)
    return Exit.FAILED if problems else Exit.DONE


@app.command(epilog="Example: gxo modules new acme:report /etc/gxo/modules/report")
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="NAMESPACE:NAME, by which playbooks call it.")
    ],
    directory: _Directory,
) -> int:
    """Write a small module that works, to start from.

    It has a `module.yaml` and a program in Python.
    """
    from gxo.cli.skeleton import write

    for path in write(name, directory):
        output.say(str(path))
    return Exit.DONE


@app.command(epilog="Example: gxo modules sign /etc/gxo/modules/report --key release.key")
def sign(
    directory: _Directory,
    key: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The private key: ECDSA on P-256 in PEM, PKCS#8 or EC.",
            show_default=False,
        ),
    ],
) -> int:
    """Sign a module, with all its files.

    Writes `module.manifest`, which names every file, and its signature, `module.sig`, which is the
    same that `cosign sign-blob` makes. The password of an encrypted key is asked for, or taken from
    `GXO_KEY_PASSWORD`.
    """
    from gxo.cli.vetting import sign as signed

    name = signed(directory, key)
    output.say(f"signed {name} in {directory}")
    return Exit.DONE


@app.command(epilog="Example: gxo modules verify --key release.pub /etc/gxo/modules/report")
def verify(
    directory: _Directory,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A public key, in place of those in the configuration.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Check that a module is as one of the keys has signed it."""
    from gxo.cli.vetting import judged
    from gxo.outside.trust import Signed

    module = judged(directory, key)
    if json:
        output.emit({"modules": [module.document()]})
    elif module.signed is Signed.YES:
        output.say(f"{module.name} in {module.path}: signed by {module.detail}")
    else:
        raise Failure(f"cannot trust {module.name} in {module.path}: {module.detail}")
    return Exit.DONE if module.signed is Signed.YES else Exit.FAILED
