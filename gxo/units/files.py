"""A unit as the text of its file, laid out by templates/*.j2."""

from functools import cache
from typing import TYPE_CHECKING

from gxo.data import data_dir
from gxo.units.directives import line, sound
from gxo.units.model import Unit, UnitType

if TYPE_CHECKING:
    from jinja2 import Template


def render_file(unit: Unit) -> str:
    """The whole file; it says the same to systemd as `properties.properties` over D-Bus."""
    return _template(unit.type).render(unit=unit, sections=_sections(unit))


def render_plain(unit: Unit) -> str:
    """The file without its layout: loading jinja2 takes longer than starting a run."""
    return "".join(
        f"[{name}]\n" + "".join(f"{each}\n" for each in lines)
        for name, lines in _sections(unit).items()
    )


def _sections(unit: Unit) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for setting in unit.directives:
        sections.setdefault(setting.section, []).append(line(sound(setting)))
    return sections


@cache
def _template(kind: UnitType) -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(data_dir("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - unit files, quoted in units/quote.py
    )
    return environment.get_template(f"{kind}.j2")
