"""Meaning of the name of a column: quantity, unit, and how sure that is.

Known are words of English, Chinese, French, German and Spanish.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vtox.motor.files.table import Certainty
from vtox.motor.files.units import KNOWN, UNITS, plain_unit
from vtox.motor.values.domain import CHANNEL_UNITS, CURRENTS, LINE_VOLTAGES, VIBRATIONS, VOLTAGES

# Quantity that a file states in addition to channels -> its unit.
BESIDE = {"time": "s", "speed": "rpm", "temperature": "degC"}
QUANTITY_UNITS = dict(CHANNEL_UNITS) | BESIDE
RATES = (
    "fs_hz",
    "fs",
    "fs_claimed_hz",
    "samplingrate",
    "sampling_rate",
    "sample_rate",
    "samplerate",
)
# Short names that may mean something else.
GUESSED_RATES = (
    "sr sf fe fa f_s fsamp sampfreq samp_freq samplefreq samplingfreq samplingfrequency "
    "sampling_frequency sample_frequency fsample freq_sampling rate fsr fs_acq".split()
)
GUESSED_STEPS = "dt ts t_s tstep delta_t deltat sample_time sampletime tsample".split()
# Column names of VTOX itself and of common data sets (`de`: drive end; `i`, `v`: tables of three).
NAMES = (
    {c: c for c in CHANNEL_UNITS}
    | {"de": "vibration", "de_time": "vibration", "t": "time", "time": "time", "timestamp": "time"}
    | {"speed": "speed", "rpm": "speed", "temperature": "temperature"}
    | {f"{table}:{i}": f"{table}{p}" for table in "iv" for i, p in enumerate("abc", start=1)}
)
PHASES = {
    phase: number
    for letters in ("abc", "123", "uvw", "rst", ("l1", "l2", "l3"))
    for number, phase in enumerate(letters)
}
AXES = {
    **dict.fromkeys(("x", "径向", "radial", "水平", "horizontal"), 0),
    **dict.fromkeys(("y", "垂直", "vertical"), 1),
    **dict.fromkeys(("z", "轴向", "axial"), 2),
}
# Words that name a quantity; the longest that fits is taken.
WORDS = {
    **dict.fromkeys(
        "current currents curr 电流 strom stromstarke courant intensite corriente "
        "intensidad".split(),
        "current",
    ),
    **dict.fromkeys(
        "voltage voltages volt 电压 spannung tension voltaje".split(),
        "voltage",
    ),
    **dict.fromkeys(
        "linevoltage linetolinevoltage phasetophasevoltage 线电压 leiterspannung "
        "aussenleiterspannung tensioncomposee tensiondelinea".split(),
        "line voltage",
    ),
    **dict.fromkeys(
        "vibration vib acceleration accelerometer accel acc 加速度 振动加速度 振动 schwingung "
        "beschleunigung vibracion aceleracion".split(),
        "vibration",
    ),
    **dict.fromkeys(
        "leakage leak leakagecurrent residualcurrent earthcurrent groundcurrent 漏电流 漏电 "
        "泄漏电流 剩余电流 零序电流 ableitstrom leckstrom differenzstrom courantdefuite "
        "courantresiduel corrientedefuga corrienteresidual".split(),
        "leakage",
    ),
    **dict.fromkeys(
        "speed rpm rotationalspeed 转速 drehzahl vitesse vitessederotation velocidad".split(),
        "speed",
    ),
    **dict.fromkeys("temperature temp 温度 temperatur temperatura".split(), "temperature"),
    **dict.fromkeys(
        "time timestamp datetime elapsedtime relativetime 时间 时刻 采样时间 时间戳 日期时间 "
        "xvalue zeit zeitstempel uhrzeit temps horodatage heure tiempo hora".split(),
        "time",
    ),
}
# Words for a place or a manner, not for a quantity.
FILLERS = frozenset(
    "stator motor machine phase ph shaft rotor sensor data signal channel wave waveform instant "
    "定子 电机 电动机 三相 相 方向 轴 传感器 信号 通道 波形 瞬时值 瞬时 值 主轴 实际 采样 绕组 "
    "轴承 驱动端 传动端 driveend de rotation rotational "
    "fase phasen moteur arbre eje welle estator leiter ligne linea du des la le del".split()
)
# A symbol next to the words for it: `C相电流Ic`.
SYMBOLS = {f"{letter}{phase}": phase for letter in "iuv" for phase in "abc123"}
_TOKENS = sorted({*WORDS, *FILLERS, *PHASES, *AXES, *SYMBOLS}, key=len, reverse=True)
# One letter for the quantity, then the phase: I_A, IL1, i_u, U1, VAN.
_SYMBOL = re.compile(r"(?P<letter>[iuv])(?:ph)?(?P<phase>[abcuvwrst]|l?[123])(?P<neutral>n?)")
# Two phases behind the letter of a voltage: Uab, U12, UL1L2, V_RS.
_BETWEEN = re.compile(r"[uv]?l?(?P<one>[abcuvwrst123])-?l?(?P<two>[abcuvwrst123])")
# Accents on letters: grave to cedilla.
_ACCENT = re.compile("[\u0300-\u0327]")
_BRACKETS = re.compile(r"^(.+?)[\s_]*[\[(【]([^\[\]()【】]*)[\])】]$")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Meaning of a name: a channel or one of `BESIDE`, and the unit it states, in plain letters."""

    quantity: str
    unit: str
    certainty: Certainty


def meaning(name: str, unit: str = "") -> Meaning | None:
    """Return the meaning of the name of a column, None if no rule knows it.

    Parameters
    ----------
    name : str
        As in the file: `ia`, `ib_mA`, `Ic [mA]`, `A相电流(A)`, `加速度X`, `Phase A current / A`.
    unit : str
        The unit, if the file has a field for it.
    """
    for base, stated in _splits(_plain(name).strip().lower()):
        if found := _quantity(base):
            return Meaning(found[0], plain_unit(unit) or stated, found[1])
    return None


def _plain(name: str) -> str:
    """Return a name without accents and in the plain form of each letter."""
    letters = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFKC", "".join(c for c in letters if not _ACCENT.match(c)))


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield a name and its unit, for each way in which names carry units."""
    if match := _BRACKETS.match(name):
        inside = plain_unit(match[2])
        # Text in brackets may be a word of the name: `加速度(X)`.
        if inside in KNOWN:
            yield match[1], inside
        yield f"{match[1]} {match[2]}", ""
        if inside not in AXES and inside not in PHASES:
            yield match[1], inside
        return
    units = sorted(KNOWN, key=len, reverse=True)
    # `Phase A current, A` has its unit behind a mark, so that the second A is no phase.
    yield from _suffixed(name, units, (" / ", "/", ", "))
    yield name, ""
    yield from _suffixed(name, units, ("_", " "))
    for unit in units:
        if name.endswith(unit) and "\u4e00" <= name[-len(unit) - 1 : -len(unit)] <= "\u9fff":
            yield name.removesuffix(unit), unit


def _suffixed(name: str, units: Iterable[str], marks: Iterable[str]) -> Iterator[tuple[str, str]]:
    for unit in units:
        for mark in marks:
            if name.endswith(f"{mark}{unit}"):
                yield name.removesuffix(f"{mark}{unit}"), unit


def _quantity(base: str) -> tuple[str, Certainty] | None:
    if base in NAMES:
        return NAMES[base], "stated"
    key = re.sub(r"[\s_\-.#,/]+", "", base)
    if match := _SYMBOL.fullmatch(key):
        return _phase_channel(match["letter"] == "i", PHASES[match["phase"]]), "likely"
    if key[:1] in ("u", "v") and (channel := between_phases(key)):
        return channel, "likely"
    return _parse_words(key)


def between_phases(text: str) -> str:
    """Return the voltage from one phase to the next, empty for another pair or none.

    Examples
    --------
    >>> between_phases("bc"), between_phases("l3-l1"), between_phases("u12"), between_phases("ba")
    ('vbc', 'vca', 'vab', '')
    """
    match = _BETWEEN.fullmatch(text)
    if not match:
        return ""
    first, second = PHASES[match["one"]], PHASES[match["two"]]
    return LINE_VOLTAGES[first] if second == (first + 1) % 3 else ""


def _phase_channel(is_current: bool, phase: int) -> str:
    return (CURRENTS if is_current else VOLTAGES)[phase]


def _parse_words(key: str) -> tuple[str, Certainty] | None:
    """Return the quantity of a name that is made of known words only."""
    quantities: list[str] = []
    others: list[str] = []
    while key:
        token = next((t for t in _TOKENS if key.startswith(t)), "")
        if not token:
            return None
        if token in WORDS:
            quantities.append(WORDS[token])
        elif token not in FILLERS:
            others.append(SYMBOLS.get(token, token))
        key = key[len(token) :]
    if len(quantities) != 1:
        return None
    if quantities[0].endswith("voltage") and len(others) == 2:
        channel = between_phases("-".join(others))
        return (channel, "likely") if channel else None
    return _placed(quantities[0], set(others))


def _placed(quantity: str, others: set[str]) -> tuple[str, Certainty] | None:
    """Return the channel of a quantity at a phase or axis; a line voltage has two phases."""
    if quantity == "line voltage":
        return None
    if quantity in ("current", "voltage"):
        if quantity == "current" and not others:
            return CURRENTS[0], "guess"
        phases = {PHASES.get(o) for o in others}
        # `voltage_v` is a voltage in volts rather than that of phase V.
        if len(phases) != 1 or None in phases or (quantity, others) == ("voltage", {"v"}):
            return None
        return _phase_channel(quantity == "current", PHASES[others.pop()]), "likely"
    if quantity == "vibration" and len(others) == 1 and others <= set(AXES):
        axis = others.pop()
        return VIBRATIONS[AXES[axis]], "likely" if axis in "xyz" else "guess"
    if others:
        return None
    return quantity, "likely"


def factor(quantity: str, unit: str) -> float | None:
    """Return the ratio of a unit to that of a quantity, None for a unit of another quantity."""
    return UNITS[QUANTITY_UNITS[quantity]].get(plain_unit(unit))
