"""The texts of the pages, from the catalogue of words.

A page has `{{ fleet.machines }}` where the text `machines` of `[pages.fleet]` belongs. All texts of
the language go with the page as JSON, and so do the faults and the fields of a nameplate; its
scripts take them from there (`static/texts.js`).
"""

import json
import re
from functools import cache
from html import escape
from typing import Any

from vtox.motor.faults import FAULTS, VIEWS, Family
from vtox.motor.values.nameplate_fields import FIELDS
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import headings

_PLACE = re.compile(r"\{\{ (\w+\.\w+) \}\}")
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


def page_in_language(html: str, language: Language) -> str:
    """Return a page with the texts of a language in their places, and the links to the others.

    `{{ texts }}` is where the texts for its scripts go, `{{ languages }}` where the links do.
    """
    texts = page_texts(language)
    for place, markup in (("texts", _embedded(language)), ("languages", _switch(language))):
        html = html.replace(f"{{{{ {place} }}}}", markup)
    filled = _PLACE.sub(lambda place: _markup(texts[place[1]]), html)
    return filled.replace('<html lang="en">', f'<html lang="{catalogue(language).tag}">', 1)


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


@cache
def _embedded(language: Language) -> str:
    faults = {name: _view(name, family) for name, family in FAULTS.items()}
    known = {"texts": page_texts(language), "faults": faults, "nameplate": _nameplate_form()}
    # Within a script element nothing but `<` can end it.
    data = json.dumps(known, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="texts">{data}</script>'


def _view(fault: str, family: Family) -> dict[str, str]:
    """Return what shows a fault, as in the address of the page of a machine."""
    view = VIEWS[fault]
    shown = {"kind": view.kind, "family": family.name, "channel": view.channel}
    return {name: text for name, text in shown.items() if text}


@cache
def _switch(language: Language) -> str:
    return "".join(
        f'<a href="?lang={other}" lang="{known.tag}" hreflang="{known.tag}" '
        f'data-language="{other}">{known.name}</a>'
        for other, known in ((name, catalogue(name)) for name in LANGUAGES)
        if other != language
    )


def _markup(text: str) -> str:
    """Return a text as HTML, what is between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
