"""Every problem gxo can find, as data: a file of variants a stage; worded and drawn only here."""

from gxo.diagnostic.base import Problem, Severity, has_errors, sort_problems
from gxo.diagnostic.render import render, render_all, to_json

__all__ = ["Problem", "Severity", "has_errors", "render", "render_all", "sort_problems", "to_json"]
