"""The texts of the pages, from the catalogue of words.

A page has `{{ fleet.machines }}` where the text `machines` of `[pages.fleet]` belongs. All texts of
the language go with the page as JSON, and so do the faults and the fields of a nameplate. Scripts
of the page take them from there (`static/texts.js`). `static/base.html` is around every page but
those to sign in.
"""

import json
import re
from functools import cache
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from vtox.motor.faults import FAULTS, VIEWS, Family
from vtox.motor.values.nameplate_fields import FIELDS
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import headings

PAGES = Environment(
    loader=PackageLoader("api", "static"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_CODE = re.compile(r"`([^`]*)`")


@cache
def page_texts(language: Language) -> dict[str, str]:
    """Return the texts of a language by their keys: `fleet.machines`, `words.fault_broken_bar`."""
    known = catalogue(language)
    names = {f"words.{kind}_{i}": name for kind, i, name in headings(language)}
    names |= {f"units.{suffix}": unit for suffix, unit in known.units.items()}
    names["language.locale"] = known.locale
    return names | {
        f"{page}.{k}": text for page, texts in known.pages.items() for k, text in texts.items()
    }


def page_in_language(name: str, language: Language, **values: Any) -> str:
    """Return a page of the static folder with its values and with the texts of a language."""
    return PAGES.get_template(name).render(_context(language), **values)


@cache
def _context(language: Language) -> dict[str, Any]:
    """Return the texts of a language by page, those for scripts, and all languages."""
    pages: dict[str, dict[str, Markup]] = {}
    for key, text in page_texts(language).items():
        page, _, name = key.partition(".")
        pages.setdefault(page, {})[name] = _markup(text)
    # As attributes: the keys of a dictionary could hide behind its methods.
    known: dict[str, Any] = {page: SimpleNamespace(**texts) for page, texts in pages.items()}
    languages = [(name, catalogue(name)) for name in LANGUAGES]
    return known | {
        "language": catalogue(language),
        "languages": languages,
        "texts": _embedded(language),
    }


@cache
def _nameplate_form() -> list[dict[str, Any]]:
    """Return the fields of a nameplate as a page shows and asks for them."""
    form = []
    for f in FIELDS:
        row: dict[str, Any] = {"name": f.name, "kind": f.kind}
        if f.range:
            row |= {"low": f.range.low, "high": f.range.high, "whole": f.range.whole}
            row["kilo"] = f.range.kilo
        if f.choices:
            row["choices"] = f.choices
        if f.max_length:
            row["length"] = f.max_length
        if f.default is not None:
            row["default"] = f.default
        form.append(row)
    return form


def _embedded(language: Language) -> Markup:
    faults = {name: _view(name, family) for name, family in FAULTS.items()}
    known = {"texts": page_texts(language), "faults": faults, "nameplate": _nameplate_form()}
    # Within a script element nothing but `<` can end it.
    return Markup(json.dumps(known, ensure_ascii=False).replace("<", "\\u003c"))


def _view(fault: str, family: Family) -> dict[str, str]:
    """Return the parameters that show a fault in the address of a machine's page."""
    view = VIEWS[fault]
    shown = {"kind": view.kind, "family": family.name, "channel": view.channel}
    return {name: text for name, text in shown.items() if text}


def _markup(text: str) -> Markup:
    """Return a text as HTML, with the parts between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))
