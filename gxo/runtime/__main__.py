"""`python -I -m gxo.runtime VERB ARGUMENT`: what the units of runs and of their instances call."""

import sys
from importlib import import_module

# verb -> module and function, so that each loads what it needs
_VERBS = {
    "run": "gxo.runtime.service",
    "clean": "gxo.runtime.service",
    "instance": "gxo.runtime.instance",
    "begin": "gxo.runtime.instance",
}

if __name__ == "__main__":
    verb, argument = sys.argv[1:]
    sys.exit(getattr(import_module(_VERBS[verb]), verb)(argument))
