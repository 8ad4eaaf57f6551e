"""`python -m gxo` is the command."""

from gxo.cli.main import main

main()
