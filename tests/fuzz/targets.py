"""What is fuzzed: how an input is made, and which error it may end in."""

import io
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from api.http.errors import Problem
from api.http.json_route import _object as object_of_body
from tests.broken_entries import JSON as STRANGE
from tests.fuzz import files
from tests.fuzz.mutation import damaged
from tests.unit.motor.files import test_plant_layouts as plant
from tests.unit.pipeline.sending.mqtt.test_payloads import COUNTED, FLAT, NESTED, rule
from tests.unit.pipeline.sending.mqtt.test_sparkplug import BIRTH, DATA, RULE
from vtox.motor.errors import InputError
from vtox.motor.files.fleet_files import fleet_csv, read_fleet_file, read_scalars_file
from vtox.motor.values.baseline import VERSION, Baseline
from vtox.motor.values.domain import Motor, Window
from vtox.motor.values.nameplate import motor_from_dict, read_motor
from vtox.pipeline.sending.mqtt import sparkplug_nodes
from vtox.pipeline.sending.mqtt.payloads import Message, Samples, samples_of
from vtox.pipeline.sending.mqtt.sparkplug_nodes import Births
from vtox.pipeline.windows.json_windows import entry_fields
from vtox.pipeline.windows.wire import decode, encode

# For each format in the child, then for each parser of our own.
COUNTS = {True: 10_000, False: 100_000}
MOTOR = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1450, rated_current_a=9.8)
TOML = b'pole_pairs = 2\nsupply_hz = 50.0\nrated_speed_rpm = 1450\nsupply = "grid"\n'
SCALARS = b"machine_id,t,name,value,unit\nM1,1764000000,oil,41.5,degC\nM1,1764000060,oil,42,degC\n"
BASELINE = {"version": VERSION, "bands": [], "asymmetry": None, "records": 4, "seconds": 40.0}


@dataclass(frozen=True, slots=True)
class Target:
    """One parser: `make` makes an input, `run` reads it and returns its outcome in a word."""

    name: str
    make: Callable[[random.Random], Any]
    run: Callable[[Any], str]
    in_child: bool = False


def targets(folder: Path) -> Iterator[Target]:
    """Yield all targets; `folder` takes their files."""
    yield from of_files(folder, files.OF_LIBRARIES | files.LARGE, in_child=True)
    yield from of_files(folder, files.OURS, in_child=False)
    fleet = plant_fleet(folder)
    yield _of_path(folder, "fleet.xlsx", fleet, read_fleet_file, in_child=True)
    yield _of_path(folder, "fleet.csv", fleet_csv({"M1": MOTOR}), read_fleet_file)
    fleet_toml = b"[machines.M1]\n" + TOML
    yield _of_path(folder, "fleet.toml", fleet_toml, read_fleet_file)
    yield _of_path(folder, "motor.toml", TOML, read_motor)
    yield _of_path(folder, "scalars.csv", SCALARS, read_scalars_file)
    yield Target("entry", _entry, lambda fields: _ended(lambda: decode(fields)))
    yield Target("body", lambda rng: _damaged_json(NESTED, rng), _window_of_body)
    yield Target("body.nameplate", lambda rng: _damaged_json(NAMEPLATE, rng), _motor_of_body)
    yield Target("baseline.json", lambda rng: _damaged_json(BASELINE, rng), _baseline)
    yield from _of_messages(folder)


NAMEPLATE = {"pole_pairs": 2, "supply_hz": 50, "bearing": {"orders": {"BPFO": 3.585}}}


def names(folder: Path) -> list[str]:
    """Return the names of all targets."""
    return [t.name for t in targets(folder)]


def of_files(
    folder: Path, seeds: Mapping[str, Callable[[Path], bytes]], *, in_child: bool
) -> Iterator[Target]:
    """Yield a target for each format of recordings."""
    for name, write in seeds.items():
        opts = files.options_for(name)
        yield Target(
            name,
            _Damage(folder, write),
            _File(folder / name, lambda path, opts=opts: files.outcome(path, opts)),
            in_child,
        )


class _Damage:
    """Damages a file, which is written when it is first needed."""

    def __init__(self, folder: Path, write: Callable[[Path], bytes]) -> None:
        self.folder, self.write, self.whole = folder, write, b""

    def __call__(self, rng: random.Random) -> bytes:
        self.whole = self.whole or self.write(self.folder)
        return damaged(self.whole, rng)


@dataclass(frozen=True, slots=True)
class _File:
    """Writes an input to a file and reads that."""

    path: Path
    read: Callable[[Path], str]

    def __call__(self, content: bytes) -> str:
        self.path.write_bytes(content)
        return self.read(self.path)


def _of_path(
    folder: Path,
    name: str,
    whole: bytes,
    read: Callable[[Path], Any],
    *,
    in_child: bool = False,
) -> Target:
    run = _File(folder / name, lambda path: _ended(lambda: read(path)))
    return Target(name, lambda rng: damaged(whole, rng), run, in_child)


def _ended(read: Callable[[], Any]) -> str:
    try:
        read()
    except (InputError, Problem) as error:
        return str(getattr(error, "code", type(error).__name__))
    return "read"


def plant_fleet(folder: Path) -> bytes:
    """Return a workbook with the nameplate of a machine."""
    import openpyxl  # as the tests of plants do

    book, buffer = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet
    sheet.append(["machine_id", "pole_pairs", "supply_hz"])
    sheet.append(["M1", 2, 50.0])
    book.save(buffer)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _damaged_json(value: Any, rng: random.Random) -> bytes:
    """Return JSON with damaged bytes, or with one of its values replaced by a strange one."""
    if rng.random() < 0.3:
        return damaged(_json(value), rng)
    table = place = json.loads(_json(value))
    while True:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or rng.random() < 0.3:
            break
        place = place[key]
    place[key] = "@"
    return _json(table).replace(b'"@"', rng.choice(STRANGE))


WINDOW = Window(
    machine_id="M1",
    run="r",
    seq=17,
    t0=1764000000.25,
    fs_hz=1000.0,
    channels={c: plant.CURRENT_A[:20, i].astype(np.float32) for i, c in enumerate("ia ib".split())},
    speed_rpm=1478.0,
)


def _entry(rng: random.Random) -> dict[bytes, bytes]:
    """Return the fields of an entry with one or two of them damaged, left out or renamed."""
    sent = encode(WINDOW, rng.choice(("i2", "f4")))
    fields = {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in sent.items()}
    fields[b"scalars"] = b'{"oil_degc": 41.5}'
    for _ in range(rng.choice((1, 1, 2))):
        key = rng.choice(list(fields))
        value = fields.pop(key)
        match rng.randrange(6):
            case 0:
                fields[damaged(key, rng)] = value
            case 1:
                pass
            case 2:
                fields[b"dtype"] = rng.choice((b"json", b"i2", b"f4"))
                fields[key] = value
            case _:
                fields[key] = damaged(value, rng)
    return fields


def _window_of_body(text: bytes) -> str:
    return _ended(lambda: decode(entry_fields(object_of_body(text), "M1")))


def _motor_of_body(text: bytes) -> str:
    return _ended(lambda: motor_from_dict(object_of_body(text)))


def _baseline(text: bytes) -> str:
    return _ended(lambda: Baseline.from_json(text.decode("utf-8", "replace")))


MESSAGES = {
    "mqtt.entry": (rule(), (FLAT, NESTED, COUNTED | {"machine_id": "M1"})),
    "mqtt.json": (
        rule(format="json", channels=["ia", "ib"], fs_hz=1000, scale={"ia": 0.5}),
        ([[1, -2, 2.5], [3, 4, 5]],),
    ),
    "mqtt.i2": (rule(format="i2", channels=["ia"], fs_hz=1000), (bytes(range(200)),)),
}


def _of_messages(folder: Path) -> Iterator[Target]:
    for name, (of, wholes) in MESSAGES.items():
        yield Target(
            name,
            lambda rng, wholes=wholes: _damaged_message(rng.choice(wholes), rng),
            lambda payload, of=of: _ended(lambda: _follow(of, payload)),
        )

    def sparkplug(message: tuple[str, bytes]) -> str:
        with closing(Births(folder / "births")) as births:
            return _ended(lambda: list(sparkplug_nodes.actions(RULE, births, Message(*message))))

    def make(rng: random.Random) -> tuple[str, bytes]:
        kind, payload = rng.choice((("DBIRTH", BIRTH), ("DDATA", DATA), ("NBIRTH", BIRTH)))
        return f"spBv1.0/Plant/{kind}/node/M1", damaged(payload, rng)

    yield Target("mqtt.sparkplug", make, sparkplug)


def _damaged_message(whole: Any, rng: random.Random) -> bytes:
    return damaged(whole, rng) if isinstance(whole, bytes) else _damaged_json(whole, rng)


def _follow(of: Any, payload: bytes) -> None:
    found = samples_of(of, {"machine_id": "M1"}, Message("m/M1", payload))
    if isinstance(found, Samples):
        fields = {"seq": "0", "t0": "1"} | found.fields
        decode({k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()})
