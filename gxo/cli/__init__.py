"""The command line: the only room that prints, and the only user of typer and rich."""
