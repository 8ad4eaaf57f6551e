"""From the paths of a command line to plans: every stage's problems, all in one go."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.cli import output
from gxo.cli.exits import Failure
from gxo.data import own_command
from gxo.dataclass import dataclass, replace
from gxo.diagnostic import Problem, has_errors, sort_problems
from gxo.language.files import read_paths
from gxo.language.frontend import parse_sources
from gxo.language.model import Playbook
from gxo.plan.build import Given, build_plans
from gxo.plan.model import Plan
from gxo.spec.lifecycle import Policy
from gxo.template.value import Data
from gxo.units.build import Target, compile_units
from gxo.units.model import Unit
from gxo.units.target import OLDEST

if TYPE_CHECKING:
    from gxo.apply.places import Prune
    from gxo.language.catalog import Catalog
    from gxo.language.reader import Find
    from gxo.source import Name
    from gxo.spec.outside import Outside
    from gxo.units.steps import Frame


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the playbooks say; the plans and units of those without an error."""

    plans: tuple[Plan, ...]
    units: tuple[Unit, ...]
    problems: tuple[Problem, ...]
    parts: tuple[Plan, ...] = ()
    """Of playbooks with an error, what could be checked all the same."""

    @property
    def failed(self) -> bool:
        return has_errors(self.problems)


def load(paths: Sequence[str], given: Given, target: Target) -> Loaded:
    """Read, parse, plan and compile for `apply`; nothing raises on what a user wrote."""
    sources, unread = read_paths(paths)
    playbooks, wrong = parse_sources(sources, _outside())
    problems = [*unread, *wrong]
    given = _declared(given, playbooks, problems)
    plans, parts, wrong = _plans(playbooks, given)
    problems += wrong
    declared = {playbook.name: len(playbook.inputs) for playbook in playbooks}

    def compiled(plan: Plan) -> tuple[Unit, ...]:
        if len(plan.inputs) < declared[plan.playbook]:
            return ()  # without its inputs nothing can be evaluated
        units, wrong = compile_units(plan, target)
        problems.extend(wrong)
        return units

    units = tuple(unit for plan in plans for unit in compiled(plan))
    for part in parts:
        compiled(part)
    return Loaded(plans, units, sort_problems(problems), parts)


def _declared(given: Given, playbooks: Sequence[Playbook], problems: Iterable[Problem]) -> Given:
    """What is given; with errors, who has an input or a var may be among what could not be read."""
    if not has_errors(problems):
        return given
    known = {item.name.text for playbook in playbooks for item in playbook.inputs}
    inputs = {name: text for name, text in given.inputs.items() if name in known}
    return replace(given, inputs=inputs, typed={})


def _plans(
    playbooks: Sequence[Playbook], given: Given
) -> tuple[tuple[Plan, ...], tuple[Plan, ...], tuple[Problem, ...]]:
    """Plans with what playbooks name beside themselves, parts of those with errors, problems."""
    unread: tuple[Problem, ...] = ()
    if any("profile_path" in playbook.source.text for playbook in playbooks):
        from gxo.language.seccomp import read_profiles

        profiles, unread = read_profiles(playbooks)
        given = replace(given, profiles=profiles)
    plans, wrong = build_plans(playbooks, given)
    if len(plans) == len(playbooks):
        return plans, (), (*unread, *wrong)
    from gxo.plan.part import build_parts

    return plans, build_parts(playbooks, given), (*unread, *wrong)


def _outside() -> "Find":
    """What finds modules from outside the library: loaded where a playbook names one."""
    made: list[Catalog] = []

    def find(name: "Name", problems: list[Problem]) -> "Outside | None":
        if not made:
            from gxo.cli.given import config_path
            from gxo.language.catalog import Catalog

            made.append(Catalog(config_path()))
        return made[0].find(name, problems)

    return find


def load_to_read(paths: Sequence[str], given: Given, target: Target) -> Loaded:
    """As `load`, but nobody means to apply: what later versions do is no problem.

    A `run_once` step may read what there is at a run alone, and required inputs may be missing.
    """
    loaded = load(paths, replace(given, partial=True), target)
    if not loaded.problems:
        return loaded
    from gxo.diagnostic.evaluation import EVALUATION
    from gxo.diagnostic.units import NotInThisVersion

    steps = [
        step.span
        for plan in (*loaded.plans, *loaded.parts)
        for step in plan.steps
        if step.lifecycle.policy is Policy.RUN_ONCE
    ]
    problems = (
        problem
        for problem in loaded.problems
        if not isinstance(problem, NotInThisVersion)
        and not (isinstance(problem, EVALUATION) and any(map(problem.span.within, steps)))
    )
    return replace(loaded, problems=tuple(problems))


def or_fail(loaded: Loaded, *, as_json: bool) -> Loaded:
    """What was loaded; with an error among the problems they are printed and the command ends."""
    if as_json and loaded.failed:
        output.emit_problems(loaded.problems)
    elif loaded.problems:
        output.report(loaded.problems)
    if loaded.failed:
        raise SystemExit(1)
    return loaded


def load_to_apply(paths: Sequence[str], given: Given, *, as_json: bool) -> Loaded:
    """As `load` for this host, without errors.

    Refuses a systemd that is too old; what this host does not enforce is an error of its own.
    """
    from gxo.systemd.host import read_host, unenforced

    host = read_host()
    need_systemd(host.systemd)
    runtime = own_command(module="gxo.runtime")
    target = Target(systemd=host.systemd, gaps=unenforced(host), runtime=runtime)
    return or_fail(load(paths, given, target), as_json=as_json)


def need_systemd(version: int) -> None:
    """Raise Failure where this host's systemd is too old, or it has none (0)."""
    if version < OLDEST:
        found = f"systemd {version}" if version else "no systemd"
        raise Failure(
            f"cannot work on this host: it has {found}, and gxo needs {OLDEST} or newer;"
            " `gxo validate` and `gxo compile` need none"
        )


def directories(paths: Sequence[str]) -> tuple[Path, ...]:
    """Those of the paths that are directories, absolute."""
    return tuple(Path(path).absolute() for path in paths if path and Path(path).is_dir())


def pruning(wanted: bool | None) -> "Prune":
    """What `--prune/--no-prune` means: left out, workloads go; given, playbooks too."""
    from gxo.apply.places import Prune

    return {None: Prune.WORKLOADS, True: Prune.PLAYBOOKS, False: Prune.NONE}[wanted]


def given(inputs: Sequence[str], variables: Sequence[str], files: Sequence[Path]) -> Given:
    """The values a command line sets; a pair without `=` is wrong usage."""
    merged: dict[str, Data] = {}
    for file in files:
        merged |= _read_vars(file)
    typed = dict(map(_pair, variables))
    return replace(Given(), inputs=dict(map(_pair, inputs)), vars=merged | typed, typed=typed)


def _pair(text: str) -> tuple[str, str]:
    import typer

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"`{text}` is not NAME=VALUE")
    return name, value


def _read_vars(file: Path) -> dict[str, Data]:
    from gxo.language.limits import FILE_BYTES
    from gxo.template import fault, limits, yaml_text

    try:
        with file.open("rb") as opened:
            text = opened.read(FILE_BYTES + 1)
        if len(text) > FILE_BYTES:
            raise fault.TooMuch("bytes", FILE_BYTES)
        data = yaml_text.load(text.decode(), limits.DEFAULT)
    except OSError as error:
        raise Failure(f"cannot read variables from {file}: {error.strerror}") from None
    except UnicodeError:
        raise Failure(f"cannot read variables from {file}: it is not text in UTF-8") from None
    except (fault.Failure, fault.TooMuch) as error:
        raise Failure(f"cannot read variables from {file}: {error}") from None
    if not isinstance(data, dict):
        raise Failure(f"cannot read variables from {file}: it must be a map of names to values")
    return data


def host_target(version: int | None) -> Target:
    """The systemd to compile for: the one asked for, this host's, else 252."""
    from gxo.systemd.version import installed_version

    runtime = own_command(module="gxo.runtime")
    return Target(systemd=version or installed_version() or OLDEST, runtime=runtime)


def load_to_run(
    path: str, given: Given, target: Target, *, as_json: bool
) -> "tuple[Plan, Mapping[str, Frame]]":
    """One playbook's plan and the frames of its steps, without errors."""
    from gxo.units.steps import compile_steps

    sources, problems = read_paths([path])
    playbooks, wrong = parse_sources(sources, _outside())
    plans, parts, more = _plans(playbooks, _declared(given, playbooks, (*problems, *wrong)))
    frames: Mapping[str, Frame] = {}
    for plan in (*plans, *parts)[:1]:
        frames, last = compile_steps(plan, target)
        more = (*more, *last)
    or_fail(Loaded(plans, (), sort_problems([*problems, *wrong, *more])), as_json=as_json)
    if len(plans) != 1:
        raise Failure(f"cannot run {path}: it holds {len(plans)} playbooks, not one")
    return plans[0], frames
