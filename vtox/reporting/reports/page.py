"""The page of a report for people: one HTML text without scripts and without any other file.

Drawn from the contents alone, so that the same contents give the same page. Files of `templates`
lay it out, and call the modules that they name.
"""

from dataclasses import asdict

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from threadpoolctl import threadpool_limits

from vtox.motor.values.plain_data import digits
from vtox.motor.words.catalogue import catalogue
from vtox.reporting.reports import (
    cards,
    charts,
    elements,
    energy,
    figures,
    rows,
    trend_charts,
    views,
)
from vtox.reporting.reports.contents import Contents, baseline_of, motor_of
from vtox.reporting.reports.document import PLACE, hash_of_data
from vtox.reporting.reports.texts import language_of, say, texts

_TEMPLATES = Environment(
    loader=PackageLoader("vtox.reporting.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_MODULES = (cards, charts, elements, energy, figures, rows, trend_charts, views)
_TEMPLATES.globals |= {m.__name__.rpartition(".")[2]: m for m in _MODULES}
_TEMPLATES.globals |= {"digits": digits, "say": say, "px": "{:.1f}".format}


def page(contents: Contents) -> str:
    """Return the page, with `vtox.reporting.reports.document.PLACE` where the data belong.

    Raises `ReportError`: the contents are no records of a machine.
    """
    text = texts(contents.language)
    oldest_first = sorted(contents.records, key=lambda r: r.t_start or 0.0)
    newest = {v["fault"]: v for record in oldest_first for v in record.verdicts}
    with threadpool_limits(1):
        return _TEMPLATES.get_template("report.html").render(
            contents=contents,
            environment=asdict(contents.environment),
            text=text,
            tag=catalogue(language_of(text)).tag,
            subject=contents.machine.machine_id or ", ".join(r.name for r in contents.records[:3]),
            summary=cards.worst_first(list(newest.values())),
            motor=motor_of(contents.machine),
            baseline=baseline_of(contents.machine),
            families={r.family for r in contents.records},
            hash=hash_of_data(contents),
            place=Markup(PLACE),
        )
