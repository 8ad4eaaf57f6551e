"""`python -I -m gxo.runtime run ID`, the command of a runner's unit, and `clean ID` behind it."""

import sys

from gxo.runtime.service import clean, run

_COMMANDS = {"run": run, "clean": clean}

if __name__ == "__main__":
    command, run_id = sys.argv[1:]
    sys.exit(_COMMANDS[command](run_id))
