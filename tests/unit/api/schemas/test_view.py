"""A view has the fields of its value by name, times as text, and the code in words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import pytest
from pydantic import ValidationError

from api.schemas.common import Time
from api.schemas.sensitivity import FaultSensitivity
from api.schemas.value_fields import After, From
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


@dataclass(frozen=True, slots=True)
class Wheel:
    """A value in another one."""

    teeth: int
    """of the rim"""
    hidden: float = 0.0


@dataclass(frozen=True, slots=True)
class Gear:
    """A value whose fields are documented where they are."""

    t: float
    spare: Wheel | None
    wheels: tuple[Wheel, ...]
    by_name: Mapping[str, Wheel]


class ShownWheel(View, value=Wheel, without="hidden"):
    """Its view."""


class ShownGear(View, value=Gear):
    """A view in which other views are."""

    name: Annotated[str, After("")]
    time: Annotated[Time | None, After("t")]
    spare: ShownWheel | None
    wheels: list[ShownWheel]
    by_name: dict[str, ShownWheel]
    last: str


def test_a_view_of_a_type_has_its_fields_in_order() -> None:
    names = ["name", "t", "time", "spare", "wheels", "by_name", "last"]
    assert list(ShownGear.model_fields) == names
    assert list(ShownWheel.model_fields) == ["teeth"]


class ShownParts(View, value=Gear, without="t wheels by_name spare", last="code"):
    """A view of a part of a value; the word is its own here."""

    teeth: Annotated[int | None, From("spare.teeth")]


def test_a_field_may_be_taken_from_a_part_of_the_value() -> None:
    bare = Gear(3.0, None, (), {})
    assert list(ShownParts.model_fields) == ["code", "teeth"]
    assert ShownParts.of(bare, code="").teeth is None
    assert ShownParts.of(replace(bare, spare=Wheel(9)), code="").teeth == 9


def test_views_in_a_view_are_made_of_the_values_in_its_value() -> None:
    shown = ShownGear.of(Gear(3.0, None, (Wheel(9),), {"a": Wheel(7)}), name="G", last="")
    assert shown.model_dump() == {
        "name": "G",
        "t": 3.0,
        "time": "1970-01-01T00:00:03.000Z",
        "spare": None,
        "wheels": [{"teeth": 9}],
        "by_name": {"a": {"teeth": 7}},
        "last": "",
    }


def test_fields_of_a_value_are_described_by_its_docstrings() -> None:
    described = FaultSensitivity.model_json_schema()["properties"]
    assert described["clear"]["description"] == "so many slots in a row with nothing found clear it"
    assert "slot_s" not in described
