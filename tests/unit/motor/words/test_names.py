"""Faults, statistics, states and outcomes have one name in each language, whoever reads it."""

from dataclasses import replace
from typing import get_args

import pytest

from api.http.page_texts import page_texts
from tests.unit.reporting.notification.test_plan import EVENT
from vtox.alarms.life import OUTCOMES
from vtox.alarms.priority import ActionTime
from vtox.faults import FAULTS
from vtox.records.notification.messages import alarm_message
from vtox.records.notification.rules import CONDITIONS
from vtox.records.reports.texts import texts
from vtox.store.alarms.flags import FLAGS
from vtox.values.domain import STATES
from vtox.values.scalars import FLAG
from vtox.words.catalogue import Kind, catalogue
from vtox.words.languages import LANGUAGES, Language
from vtox.words.rendering import name_of

NAMED: dict[Kind, set[str]] = {
    "fault": {*FAULTS, *FLAGS, FLAG, *(c.partition(":")[0] for c in CONDITIONS)},
    "state": set(STATES),
    "outcome": set(OUTCOMES),
    "action": set(get_args(ActionTime)),
    "statistic": set(FAULTS),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_language_names_everything(kind: Kind, language: Language) -> None:
    names = catalogue(language).names[kind]
    assert names.keys() == NAMED[kind]
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", sorted(NAMED["fault"]))
def test_page_report_and_message_call_a_fault_alike(fault: str, language: Language) -> None:
    name = name_of("fault", fault, language)
    title = alarm_message(replace(EVENT, fault=fault), language)["data"]["title"]
    assert name in title
    for heading in (
        page_texts(language)[f"words.fault_{fault}"],
        texts(language)[f"fault_{fault}"],
    ):
        assert heading.casefold() == name.casefold()
