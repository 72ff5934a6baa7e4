"""A view has the fields of its value by name, times as text, and the code in words."""

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from api.schemas.common import Time
from api.schemas.view import Reason, View
from vtox.motor.values.domain import Reason as ReasonValue
from vtox.motor.values.domain import reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A value with each kind of field."""

    fault: str
    begun_t: float
    ended_ms: int | None
    t: float
    why: ReasonValue
    doubts: tuple[ReasonValue, ...] = ()


class Shown(View):
    """Its view."""

    by: str
    fault: str
    begun: Time
    ended: Time | None
    time: Time
    code: str
    sentence: str
    doubts: list[Reason]


VALUE = Inspection(
    fault="bearing",
    begun_t=1.5,
    ended_ms=2500,
    t=3.0,
    why=reason("no_window_yet"),
    doubts=(reason("no_diagnosis_yet"),),
)


def test_a_view_has_names_times_and_words_of_its_value() -> None:
    shown = Shown.of(VALUE, by="Ada").model_dump()
    assert list(shown) == list(Shown.model_fields)
    assert (shown["by"], shown["fault"], shown["code"]) == ("Ada", "bearing", "no_window_yet")
    assert shown["begun"] == "1970-01-01T00:00:01.500Z"
    assert shown["ended"] == "1970-01-01T00:00:02.500Z"
    assert shown["time"] == "1970-01-01T00:00:03.000Z"
    assert shown["doubts"][0]["sentence"]


def test_a_field_that_is_given_once_is_not_kept_for_the_next_value() -> None:
    assert Shown.of(VALUE, by="Ada", fault="own").fault == "own"
    assert Shown.of(VALUE, by="Eve").fault == "bearing"


def test_a_view_that_lacks_a_field_of_its_value_is_an_error() -> None:
    with pytest.raises((AttributeError, ValidationError)):
        Shown.of(VALUE)
