"""The table of results and gaps on the page of a fault, from `quality.toml` in its folder.

Each row has a result, the page that measured it, and the tests that show it. Refusals are counted:
the codes of `unknown` in the rules that the tests named there assert.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from handbook.sources import DOCS
from vtox.motor.faults import MODULES

ROOT = DOCS.parent
TOPICS = {
    "damaged": "damaged machines, real recordings",
    "sound": "sound machines, real recordings",
    "models": "machine models not used for the design",
    "drives": "machines behind drives",
    "refusals": "refusals",
    "false_alarms": "false alarms a machine-year, 95 % bound",
    "delay": "delay",
}
HEAD = "| on | result | where |\n|---|---|---|\n"
NOT_SHOWN = "not shown"


def quality(fault: str) -> dict[str, Any]:
    """Return the file of a fault."""
    return tomllib.loads((_folder(fault) / "quality.toml").read_text("utf-8"))


def with_quality(fault: str, page: str) -> str:
    """Return the text of a fault's page with the table of its file."""
    shown = quality(fault)
    rows = [(TOPICS[t], *_result(fault, t, shown.get(t))) for t in TOPICS]
    rows.append(("not known", "; ".join(shown["not_known"]), ""))
    table = HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return re.sub(rf"{re.escape(HEAD)}(?:\|.*\n)*", lambda _: table, page, count=1)


def refusals(fault: str, tests: list[str]) -> tuple[list[str], list[str]]:
    """Return the codes of `unknown` of a fault: first the asserted ones, then the others."""
    rules = import_module(f"{MODULES[fault]}.rules").RULES.rules
    codes = dict.fromkeys(r.code for r in rules if r.code and r.state == "unknown")
    text = "".join(p.read_text() for t in tests for p in _files(ROOT / t))
    asserted = [c for c in codes if f'"{c}"' in text]
    return asserted, [c for c in codes if c not in asserted]


def _result(fault: str, topic: str, shown: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the cells of a topic: the result, and where it was shown."""
    if shown is None:
        return NOT_SHOWN, ""
    if topic == "refusals":
        asserted, others = refusals(fault, shown["tests"])
        without = f"; without a test: {', '.join(f'`{c}`' for c in others)}" if others else ""
        result = f"{len(asserted)} of {len(asserted) + len(others)} codes of `unknown`{without}"
        return result, ", ".join(f"`{t}`" for t in shown["tests"])
    return shown["result"], ", ".join(_places(shown))


def _places(shown: Mapping[str, Any]) -> Iterator[str]:
    """Yield the page of a result; without one, each file of tests once."""
    if page := shown.get("page"):
        yield f"[{Path(page).stem}](../{Path(page).relative_to('docs')})"
        return
    yield from dict.fromkeys(f"`{t.partition('::')[0]}`" for t in shown.get("tests", ()))


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _folder(fault: str) -> Path:
    return ROOT / MODULES[fault].replace(".", "/")
