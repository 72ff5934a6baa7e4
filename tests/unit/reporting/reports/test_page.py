"""The page of a report shows every name as text."""

from dataclasses import replace
from functools import cache

import pytest

from tests.unit.reporting.reports.report_file import contents
from tests.unit.reporting.reports.test_trend_charts import columns, trend
from vtox.motor.words.languages import LANGUAGES
from vtox.reporting.reports.page import page


def name(of: str) -> str:
    return f"<b onclick=x>'\"&{{{{ {of} }}}}`<i>`"


def code(of: str) -> dict[str, object]:
    return {"code": name(of), "values": {}, "doubts": []}


# Senders, people and programs of other versions wrote these.
SHOWN: tuple[str, ...] = (
    "machine",
    "version",
    "record",
    "state",
    "code",
    "doubt",
    "power",
    "load",
    "scalar",
)
SHOWN += ("unit", "zone", "event", "level", "reason", "grows", "limit", "action", "outcome", "by")
SHOWN += ("comment", "moves")


@cache
def hostile(language: str) -> str:
    """The page of a report with markup in each name."""
    made, record = contents(), contents().records[0]
    verdict = (
        record.verdicts[0] | code("code") | {"doubts": [code("doubt")], "state": name("state")}
    )
    assert record.energy
    energy = replace(record.energy, power_code=name("power"), load_code=name("load"))
    changes = {"name": name("record"), "verdicts": [verdict], "energy": energy}
    alert = {"t": 2.0, "fault": "", "event": name("event"), "level": name("level")}
    act = {"t": 1.0, "fault": name("limit"), "action": name("action"), "outcome": name("outcome")}
    scalar = {"name": name("scalar"), "unit": name("unit"), "zone": name("zone"), "value": 1.0}
    parts = {
        "language": language,
        "machine": replace(made.machine, machine_id=name("machine")),
        "environment": replace(made.environment, vtox=name("version")),
        "records": [replace(record, **changes)],
        "events": [
            alert | code("reason") | {"growth": [code("grows")]},
            act | {"by": name("by"), "text": name("comment")},
        ],
        "scalars": [scalar | {"t": 1.0, "state": ""}],
        "trend": trend(),
        "growth": {"bearing": [code("moves")]},
    }
    return page(replace(made, **parts))


@pytest.mark.parametrize("of", SHOWN)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_with_markup_is_text(language: str, of: str) -> None:
    shown = hostile(language)
    assert f"&lt;b onclick=x&gt;&#39;&#34;&amp;{{{{ {of} }}}}" in shown
    assert "<b onclick" not in shown
    assert "<i>" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fault_of_another_version_has_a_statistic_too(language: str) -> None:
    made, record = contents(), contents().records[0]
    verdict = record.verdicts[0] | {"fault": "gearbox", "statistic": 4.25, "threshold": 3.0}
    records = [replace(record, verdicts=[verdict])]
    changes = {
        "language": language,
        "records": records,
        "trend": trend(series={"gearbox": columns()}),
    }
    shown = page(replace(made, **changes))
    assert "gearbox" in shown
    assert {"en": "Decision statistic", "zh": "判定统计量"}[language] in shown
