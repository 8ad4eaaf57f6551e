"""Outside: a run's modules from outside the library, each read once, checked, and copied.

What is started is the copy, whatever becomes of the directory after it was read. Copies lie beside
the workspace, under its name, and go when it goes. The protocol is that of gxo's own workers: a
request on standard input, an answer on standard output, both JSON.
"""

import os
from collections.abc import Mapping
from os.path import normpath
from pathlib import Path
from typing import Any

from gxo.config.model import ModulePolicy
from gxo.config.read import ConfigError, load_config
from gxo.dataclass import replace
from gxo.modules.fault import ModuleError, SecurityError
from gxo.modules.jail import Jail
from gxo.outside.manifest import digest
from gxo.outside.signature import BadKey, PublicKey
from gxo.outside.tree import Tree, UnusableTree, read_tree
from gxo.outside.trust import Signed, configured_keys, examine
from gxo.plan.model import Plan
from gxo.plan.outside import outside
from gxo.runtime.command import BadParams, Escape
from gxo.runtime.python import NoPython, own_python
from gxo.runtime.workspace import COPIES, WorkspaceError, remove
from gxo.spec.module import ParamType
from gxo.spec.outside import Outside
from gxo.units.directives import directive
from gxo.units.model import Command, Directive
from gxo.units.steps import Frame

_SEEN = "/var/lib/gxo/module"
"""Where a step that sees nothing of gxo's own finds its module, read-only."""
_PYTHON = ("-E", "-s", "-B", "-X", "utf8")


class Refused(Exception):
    """A module may not run, so that the run cannot begin: "cannot run X: reason"."""


def lay_out(plan: Plan, workspace: str, config: str = "") -> tuple[str, ...]:
    """Copy the modules of a plan for a run, once all are checked; the warnings.

    `config` is the configuration's file where it is not the host's. Raises Refused, WorkspaceError.
    """
    warnings: list[str] = []
    policy, keys = _trusted(config, warnings)
    top = copies_of(workspace)
    remove(top)  # of the run before its pause
    trees: list[tuple[Tree, Path]] = []
    for module in outside(plan):
        tree = _read(module)
        verdict = examine(tree, keys)
        if policy is not ModulePolicy.OFF and verdict.signed is not Signed.YES:
            if policy is ModulePolicy.ENFORCE:
                raise Refused(f"{_cannot(module)}: {verdict.words}")
            warnings.append(f"{_called(module)} runs anyway: {verdict.words}")
        if digest(tree) != module.digest:
            raise Refused(
                f"{_cannot(module)}: it has changed since the playbook was read; `gxo apply` or"
                " `gxo run` the playbook again"
            )
        trees.append((tree, top / module.digest))
    try:
        for tree, place in trees:
            _write(tree, place)
    except OSError as error:
        raise WorkspaceError(f"cannot write {error.filename}: {error.strerror}") from None
    return tuple(warnings)


def copies_of(workspace: str) -> Path:
    """The directory that holds a run's copies, from the path of its workspace."""
    return COPIES.place / Path(workspace).name


def _trusted(config: str, warnings: list[str]) -> tuple[ModulePolicy, tuple[PublicKey, ...]]:
    """The policy of the configuration, and its keys where that asks for them."""
    try:
        modules = load_config(config).modules
    except ConfigError as error:
        raise Refused(f"cannot tell whose modules may run: {error}") from None
    if modules.policy is ModulePolicy.OFF:
        return modules.policy, ()
    try:
        return modules.policy, configured_keys(modules)
    except BadKey as error:
        if modules.policy is ModulePolicy.ENFORCE:
            raise Refused(str(error)) from None
        warnings.append(str(error))
        return modules.policy, ()


def _read(module: Outside) -> Tree:
    try:
        return read_tree(module.path)
    except UnusableTree as error:
        raise Refused(f"{_cannot(module)}: {error}") from None


def _called(module: Outside) -> str:
    return f"the module `{module.spec.name}` in {module.path}"


def _cannot(module: Outside) -> str:
    return f"cannot run {_called(module)}"


def _write(tree: Tree, place: Path) -> None:
    """Write the copy, owned by root and readable by all, as steps have users of their own.

    It holds only what was read before, and of the modes only who may execute.
    """
    _directory(COPIES.place, 0o711)
    _directory(place.parent, 0o755)
    _directory(place, 0o755)
    for file in tree.files:
        path = place / file.path
        for above in reversed(path.relative_to(place).parents[:-1]):
            _directory(place / above, 0o755)
        path.write_bytes(file.data)
        path.chmod(0o755 if file.executable else 0o644)


def _directory(path: Path, mode: int) -> None:
    path.mkdir(exist_ok=True)
    path.chmod(mode)


def start_outside(
    module: Outside, request: Mapping[str, Any], frame: Frame
) -> tuple[tuple[Directive, ...], Frame]:
    """The command line and the frame of a step whose module gets that request. Raises BadParams,
    Escape.
    """
    copy = copies_of(request["workspace"]) / module.digest
    if not copy.is_dir():
        raise BadParams(f"the module `{module.spec.name}` was refused when the run began")
    _hold_paths(module, request)
    entry = f"{_SEEN if frame.hidden else copy}/{module.entry}"
    argv: tuple[str, ...] = (entry,)
    if module.entry.endswith(".py"):
        try:
            argv = (own_python(frame), *_PYTHON, entry)
        except NoPython as error:
            raise BadParams(str(error)) from None
    if frame.hidden:
        seen = directive("BindReadOnlyPaths", f"{copy}:{_SEEN}")
        frame = replace(frame, directives=(*frame.directives, seen))
    return (directive("ExecStart", Command(argv)),), frame


def _hold_paths(module: Outside, request: Mapping[str, Any]) -> None:
    """Check that its path params lie where the step may work; its sandbox holds it to that."""
    jail = Jail(
        request["workspace"], free=request["free"], write=request["write"], read=request["read"]
    )
    for param in module.spec.params:
        path = request["params"][param.name]
        if param.type is not ParamType.PATH or path is None:
            continue
        try:
            place = jail.place(path)
            if not place.base.free and normpath(place.rest).startswith(".."):
                raise SecurityError(f"it leads out of {place.base.path}")
            os.close(place.open(os.O_PATH))
        except SecurityError as error:
            raise Escape(f"cannot use {path}: {error}") from None
        except ModuleError as error:
            raise BadParams(str(error)) from None
        except OSError:
            continue  # it is not there yet, or is none: the module will say so
