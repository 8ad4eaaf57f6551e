"""`gxo setup`: what gxo needs on a host, made once."""

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo setup")
def setup(json: options.Json = False) -> int:
    """Prepare this host: the user gxo, directories, a unit for boot.

    That unit starts again after each boot what was applied. The first `gxo apply` does all of this
    too.
    """
    from gxo.apply.setup import setup as set_up
    from gxo.cli.root import need_root

    need_root("set up this host")
    done = set_up()
    if json:
        output.emit({"done": list(done)})
    else:
        output.say("\n".join(done) or "nothing to do: this host is set up")
    return Exit.DONE
