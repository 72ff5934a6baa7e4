"""Faults, statistics, states and outcomes have one name in each language, for every reader."""

from dataclasses import replace
from typing import get_args

import pytest

from api.http.page_texts import page_texts
from tests.unit.reporting.notification.test_plan import EVENT
from vtox.motor.alarms.life import OUTCOMES
from vtox.motor.alarms.priority import ActionTime
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import STATES
from vtox.motor.values.scalars import FLAG
from vtox.motor.words.catalogue import Kind, catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import name_of
from vtox.pipeline.store.alarms.flags import FLAGS
from vtox.reporting.notification.messages import alarm_message
from vtox.reporting.notification.rules import CONDITIONS
from vtox.reporting.reports.texts import texts

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
