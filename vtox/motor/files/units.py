"""Units as people write them: the factor of each to the unit of its channel."""

import re
import unicodedata

STANDARD_GRAVITY = 9.80665
# Unit of a channel -> unit as written, by `plain_unit` -> factor between them.
UNITS: dict[str, dict[str, float]] = {
    "A": {
        "a": 1.0,
        "ma": 1e-3,
        "ua": 1e-6,
        "µa": 1e-6,
        "μa": 1e-6,
        "ka": 1e3,
        "amp": 1.0,
        "amps": 1.0,
        "ampere": 1.0,
        "安": 1.0,
        "安培": 1.0,
        "毫安": 1e-3,
        "微安": 1e-6,
        "千安": 1e3,
    },
    "V": {
        "v": 1.0,
        "mv": 1e-3,
        "kv": 1e3,
        "volt": 1.0,
        "volts": 1.0,
        "伏": 1.0,
        "伏特": 1.0,
        "毫伏": 1e-3,
        "千伏": 1e3,
    },
    "m/s^2": {
        "m/s^2": 1.0,
        "m/s2": 1.0,
        "m/s/s": 1.0,
        "m_s2": 1.0,
        "ms2": 1.0,
        "ms-2": 1.0,
        "ms^-2": 1.0,
        "m.s-2": 1.0,
        "米/秒2": 1.0,
        "mm/s^2": 1e-3,
        "mm/s2": 1e-3,
        "g": STANDARD_GRAVITY,
        "gn": STANDARD_GRAVITY,
        "mg": STANDARD_GRAVITY * 1e-3,
    },
    "rpm": {
        "rpm": 1.0,
        "r/min": 1.0,
        "1/min": 1.0,
        "min-1": 1.0,
        "rev/min": 1.0,
        "u/min": 1.0,
        "tr/min": 1.0,
        "vueltas/min": 1.0,
        "转/分": 1.0,
        "转/分钟": 1.0,
        "转每分": 1.0,
        "hz": 60.0,
        "r/s": 60.0,
        "rps": 60.0,
    },
    "degC": {"c": 1.0, "°c": 1.0, "degc": 1.0, "℃": 1.0, "摄氏度": 1.0},
    "s": {
        "s": 1.0,
        "sec": 1.0,
        "secs": 1.0,
        "second": 1.0,
        "seconds": 1.0,
        "秒": 1.0,
        "seg": 1.0,
        "sek": 1.0,
        "ms": 1e-3,
        "msec": 1e-3,
        "毫秒": 1e-3,
        "us": 1e-6,
        "µs": 1e-6,
        "μs": 1e-6,
        "微秒": 1e-6,
        "ns": 1e-9,
        "min": 60.0,
        "h": 3600.0,
    },
}
# Units of other quantities, so that a column in one of them is not taken for a channel.
OTHER_UNITS = frozenset(
    "mm/s m/s in/s um µm mm mil mils % pu p.u. w kw mw va kva var kvar nm n·m ohm db dbm bar pa "
    "kpa °f degf k rad rad/s deg ° hz khz counts count raw adc lsb".split()
)
KNOWN = frozenset(u for units in UNITS.values() for u in units) | OTHER_UNITS


def plain_unit(text: str) -> str:
    """Return a unit in lower case, without the signs that only print it: `m/s²` is `m/s2`."""
    text = unicodedata.normalize("NFKC", text).strip().strip("[]()【】").lower()
    return re.sub(r"[\s·*']", "", text)


def is_unit(text: str) -> bool:
    """Whether a text is a unit that is known here."""
    return plain_unit(text) in KNOWN
