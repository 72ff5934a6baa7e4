"""Views: responses that differ from a value, and name their fields once."""

from collections.abc import Callable, Mapping
from inspect import get_annotations
from operator import attrgetter
from typing import Annotated, Any, Self, Unpack, get_args, get_origin

from pydantic import ConfigDict, Field

from api.http.explanation import advice, reason, sentence
from api.schemas.common import AS_TIME, ResponseModel, Time, rfc3339
from api.schemas.value_fields import From, with_fields_of

CODE = "stable, for programs; documented in docs/faults; empty in entries written before codes"
DOUBTS = "what is said beside the code: mostly what weakens the diagnosis; part of `reason`"
EMPTY_ADVICE = "what to do about the code; empty where there is nothing to do, and without a code"
UNITS_IN_NAMES = "the unit is the suffix of a name; without one it is a ratio or an identifier"
ReasonValues = dict[str, int | float | str | bool | list[str | float] | None]
Getter = Callable[[Any], Any]
# View and type of a value -> the getters of the fields.
_known: dict[tuple[type, type], dict[str, Getter]] = {}


class View(ResponseModel):
    """A response made of a value: its fields by name, its times as text, its code in words.

    With `value` it has all fields of that type, but those `without`, next to its own; `last` are
    fields of the value, and words of its code, behind the others. A field of another name is a
    keyword of `of`.
    """

    def __init_subclass__(
        cls,
        value: type | None = None,
        without: str = "",
        last: str = "",
        **_: Unpack[ConfigDict],
    ) -> None:
        """Take the fields from the value, before Pydantic makes a model of them."""
        if value is not None:
            own = get_annotations(cls)
            cls.__annotations__ = with_fields_of(value, own, without, last, _TYPES)

    @classmethod
    def of(cls, value: Any, **own: Any) -> Self:
        """Return the view of a value; `own` has the fields that are not those of the value."""
        return cls(**cls.plain(value, **own))

    @classmethod
    def plain(cls, value: Any, **own: Any) -> dict[str, Any]:
        """Return the same as plain data, without checks: for lists of a whole fleet."""
        getters, names = _known.setdefault((cls, type(value)), {}), cls.__pydantic_fields__
        for name in names:
            if name not in getters and name not in own:
                getters[name] = _getter(cls, name, value)
        return {n: own[n] if n in own else getters[n](value) for n in names}


class Reason(View):
    """A code with its values, the sentence made of them, and the advice."""

    code: str
    """stable, for programs; documented in docs/faults"""
    values: ReasonValues = Field(description=UNITS_IN_NAMES)
    sentence: str
    """code and values in words"""
    what_to_do: str = Field(description=EMPTY_ADVICE)


# The fields of a code in any view, unless a value describes its own.
_TYPES: Mapping[str, Any] = {
    "time": Time | None,
    "code": Annotated[str, Field(description=CODE)],
    "values": Annotated[ReasonValues, Field(description=UNITS_IN_NAMES)],
    "doubts": Annotated[list[Reason], Field(description=DOUBTS)],
    "sentence": Annotated[str, Field(description="code and values in words")],
    "reason": str,
    "what_to_do": Annotated[str, Field(description=EMPTY_ADVICE)],
}


def _getter(view: type[View], name: str, value: Any) -> Getter:
    """Return how a value gives a field of a view."""
    if name in _WORDS:
        return _WORDS[name]
    field = view.model_fields[name]
    is_time = AS_TIME in field.metadata or Time in get_args(field.annotation)
    if paths := [m.path for m in field.metadata if type(m) is From]:
        get = _path(*paths)
        return (lambda v: rfc3339(get(v))) if is_time else _nested(field.annotation, get)
    if is_time:
        return _time(name, value)
    return _nested(field.annotation, attrgetter(_first(value, name, f"why.{name}")))


def _path(path: str) -> Getter:
    """Return how a value gives a field of one that it may have."""
    first, get = path.partition(".")[0], attrgetter(path)
    return lambda v: None if getattr(v, first) is None else get(v)


def _nested(hint: Any, get: Getter) -> Getter:
    """Return how a value gives a field in which other views may be: alone, in a list or a table."""
    kinds = [k for k in (hint, *get_args(hint)) if isinstance(k, type) and issubclass(k, View)]
    if not kinds:
        return get
    plain = kinds[0].plain
    if get_origin(hint) is list:
        return lambda v: list(map(plain, get(v)))
    if get_origin(hint) is dict:
        return lambda v: {name: plain(each) for name, each in get(v).items()}
    return lambda v: None if get(v) is None else plain(get(v))


def _time(name: str, value: Any) -> Getter:
    """Return how a value gives a time as text, of s or of ms since 1970."""
    if hasattr(value, f"{name}_ms"):
        ms = attrgetter(f"{name}_ms")
        return lambda v: None if ms(v) is None else rfc3339(ms(v) / 1000)
    seconds = attrgetter("t" if name == "time" else _first(value, f"t_{name}", f"{name}_t"))
    return lambda v: rfc3339(seconds(v))


def _first(value: Any, name: str, other: str) -> str:
    return name if hasattr(value, name) else other


def _why(value: Any) -> Any:
    return value if hasattr(value, "code") else value.why


def _sentence(value: Any) -> str:
    why = _why(value)
    return sentence(why.code, why.values) if why.code else getattr(why, "reason", "")


def _recommended_action(value: Any) -> str:
    why = _why(value)
    level = getattr(value, "level", "") or getattr(value, "state", "")
    return advice(why.code, why.values, level)


def _reason(value: Any) -> str:
    return reason(value) if hasattr(value, "doubts") else _sentence(value)


_WORDS: Mapping[str, Getter] = {
    "doubts": lambda v: list(map(Reason.plain, v.doubts)),
    "sentence": _sentence,
    "what_to_do": _recommended_action,
    "reason": _reason,
}
