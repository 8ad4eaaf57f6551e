"""A throw-away systemd in namespaces, over a copy-on-write view of this host or of another tree."""

from gxo.lab.machine import Lab
from gxo.lab.spec import Bind, CgroupMode, LabError, LabSpec, Limits

__all__ = ["Bind", "CgroupMode", "Lab", "LabError", "LabSpec", "Limits"]
