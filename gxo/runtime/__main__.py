"""`python -I -m gxo.runtime VERB ARGUMENT`: what the units of runs and of their instances call."""

import gc
import os
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
    gc.disable()  # nothing that is only being loaded can be dropped
    module = import_module(_VERBS[verb])
    gc.freeze()
    gc.enable()
    code = getattr(module, verb)(argument)
    sys.stdout.flush()
    # at once: to take apart what is loaded costs Python 15 ms, for which `gxo run` would wait
    os._exit(code)
