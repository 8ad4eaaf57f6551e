"""What stops a machine from being made, in the user's terms."""


class MachineError(Exception):
    """Reads "cannot X: reason", with the next step where there is one."""
