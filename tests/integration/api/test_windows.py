"""Windows by HTTP: the entries in the stream, and the words of each refusal."""

import base64
import gzip
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.conftest import wipe
from tests.integration.conftest import serving
from vtox.motor.values.domain import Window
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.windows import wire
from vtox.pipeline.windows.wire import Limits

PATH = "/api/v1/machines/V001/windows"
JSON = {"Content-Type": "application/json"}
GOOD: dict[str, Any] = {
    "seq": 17,
    "t0": 1764000000.25,
    "fs_hz": 1000,
    "channels": {"ia": [0.5, -1, 2.25], "ib": [1, 2, 3]},
}


def stored(client: Client) -> Window:
    ((_, fields),) = client.xrange(keys.RAW)
    return wire.decode(fields)


def test_lists_of_numbers_arrive_as_they_are(http: httpx.Client, client: Client) -> None:
    answer = http.post(PATH, json=GOOD | {"speed_rpm": 1478, "run": "r1", "vehicle_id": "bus:7"})
    assert answer.status_code == 202
    assert answer.headers["location"] == "/api/v1/machines/V001/diagnoses"
    data = answer.json()["data"]
    assert (data["machine_id"], data["seq"], data["samples"]) == ("V001", 17, 3)
    assert client.xrange(keys.RAW)[0][0].decode() == data["stream_id"]
    w = stored(client)
    assert (w.machine_id, w.seq, w.t0, w.fs_hz) == ("V001", 17, 1764000000.25, 1000)
    assert (w.run, w.vehicle_id, w.speed_rpm) == ("r1", "bus:7", 1478)
    np.testing.assert_array_equal(w.channels["ia"], np.float32([0.5, -1, 2.25]))


@pytest.mark.parametrize(("dtype", "numpy"), [("i2", "<i2"), ("f4", "<f4")])
def test_base64_arrives_as_it_is(
    http: httpx.Client, client: Client, dtype: str, numpy: str
) -> None:
    x = np.array([1, -2, 30000], numpy)
    channels = {"ia": base64.b64encode(x.tobytes()).decode()}
    body = GOOD | {"dtype": dtype, "channels": channels, "scale": {"ia": 0.5}}
    assert http.post(PATH, json=body).status_code == 202
    np.testing.assert_array_equal(stored(client).channels["ia"], x.astype("f4") * 0.5)


WRONG: list[tuple[dict[str, Any], int, str, str, str]] = [
    ({"seq": None}, 422, "missing_field", "seq", "missing"),
    ({"seq": -1}, 422, "bad_number", "seq", "expected a whole number"),
    ({"seq": 1.5}, 422, "bad_number", "seq", "expected a whole number"),
    ({"seq": "17"}, 422, "bad_number", "seq", "expected a number"),
    ({"seq": True}, 422, "bad_number", "seq", "expected a number"),
    ({"t0": -5}, 422, "bad_number", "t0", "since 1970"),
    ({"fs_hz": 0}, 422, "bad_rate", "fs_hz", "100..1000000"),
    ({"fs_hz": 1e12}, 422, "bad_rate", "fs_hz", "100..1000000"),
    ({"speed_rpm": -1}, 422, "bad_number", "speed_rpm", "0 or more"),
    ({"v": 9}, 422, "bad_version", "v", "expected 1"),
    ({"run": "a b"}, 422, "bad_machine_id", "run", "character 2 is ' '"),
    ({"vehicle_id": 0}, 422, "bad_machine_id", "vehicle_id", "expected a name"),
    ({"vehicle_id": ""}, 422, "bad_machine_id", "vehicle_id", "empty"),
    ({"vehicle_id": "a b"}, 422, "bad_machine_id", "vehicle_id", "character 2 is ' '"),
    ({"run": 7}, 422, "bad_machine_id", "run", "expected a name"),
    ({"machine_id": "V002"}, 422, "bad_machine_id", "machine_id", "expected 'V001'"),
    ({"dtype": "f8"}, 422, "bad_dtype", "dtype", "i2 or f4"),
    ({"channels": None}, 422, "missing_field", "channels", "object"),
    ({"channels": [1, 2]}, 422, "bad_type", "channels", "object"),
    ({"channels": {}}, 422, "no_channels", "", "no channel"),
    ({"channels": {"current": [1]}}, 422, "unknown_channel", "channels.current", "expected ia"),
    ({"channels": {"ia": []}}, 422, "bad_length", "channels.ia", "expected 1"),
    ({"channels": {"ia": [1], "ib": [1, 2]}}, 422, "bad_length", "channels.ia", "differ"),
    ({"channels": {"ia": [1, None]}}, 422, "bad_json", "channels.ia", "ia[1]: None"),
    ({"channels": {"ia": [1, "2"]}}, 422, "bad_json", "channels.ia", "expected a number"),
    ({"channels": {"ia": [[1]]}}, 422, "bad_json", "channels.ia", "expected a number"),
    ({"channels": {"ia": "AAAA"}}, 422, "bad_json", "channels.ia", "list of numbers"),
    ({"channels": {"ia": [1e39]}}, 422, "not_finite", "channels.ia", "sample 0"),
    ({"channels": {"ia": [10**400]}}, 422, "not_finite", "channels.ia", "float32"),
    ({"dtype": "i2", "channels": {"ia": [1]}}, 422, "bad_dtype", "channels.ia", "base64"),
    ({"dtype": "i2", "channels": {"ia": "%"}}, 422, "bad_base64", "channels.ia", "base64"),
    ({"dtype": "f4", "channels": {"ia": "AAA="}}, 422, "bad_length", "channels.ia", "whole f4"),
    ({"scale": {"ia": 0}}, 422, "bad_number", "scale.ia", "expected"),
    ({"scale": 2}, 422, "bad_type", "scale", "object"),
    ({"scale": {"i_a": 0.001}}, 422, "unknown_channel", "scale.i_a", "expected ia"),
    ({"scale_ia": 0.001}, 422, "bad_type", "scale.ia", "expected in scale"),
]


@pytest.mark.parametrize(("change", "status", "code", "field", "words"), WRONG)
def test_a_wrong_window_is_refused_by_field(
    http: httpx.Client,
    client: Client,
    change: dict[str, Any],
    status: int,
    code: str,
    field: str,
    words: str,
) -> None:
    answer = http.post(PATH, json=GOOD | change)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert [e["field"] for e in problem["errors"]] == ([field] if field else [])
    assert words in problem["detail"]
    assert client.xlen(keys.RAW) == 0


@pytest.mark.parametrize("sample", ["NaN", "Infinity", "-Infinity"])
def test_what_json_cannot_say_is_refused_all_the_same(http: httpx.Client, sample: str) -> None:
    text = json.dumps(GOOD).replace("2.25", sample)
    answer = http.post(PATH, content=text, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["code"] == "not_finite"
    assert "sample 2" in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"7", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post(PATH, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        (None, False),
        ("application/json; charset=latin-1", False),
        ("application/vnd.motor+json", False),
        ("application/x-www-form-urlencoded", False),
        ("text/plain", False),
    ],
)
def test_a_body_is_announced_as_json(
    http: httpx.Client, method: str, kind: str | None, taken: bool
) -> None:
    path, body = (PATH, GOOD) if method == "POST" else (PATH.rpartition("/")[0], {"pole_pairs": 2})
    headers = {"Content-Type": kind} if kind else {}
    answer = http.request(method, path, content=json.dumps(body), headers=headers)
    assert answer.is_success == taken, answer.text
    if not taken:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (415, "not_json")
        assert "expected application/json" in problem["detail"]


@pytest.mark.parametrize("machine_id", ["a b", "-a", "x" * 65, "ä"])
def test_a_machine_id_is_a_plain_name(http: httpx.Client, machine_id: str) -> None:
    answer = http.post(f"/api/v1/machines/{machine_id}/windows", json=GOOD)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "machine_id"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("encoding", ["gzip", "br, gzip", "nonsense"])
def test_an_encoded_body_is_refused_by_name(
    http: httpx.Client, client: Client, method: str, encoding: str
) -> None:
    path = PATH if method == "POST" else PATH.rpartition("/")[0]
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    body = gzip.compress(json.dumps(GOOD).encode())
    answer = http.request(method, path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "encoded")
    assert encoding in answer.json()["detail"]
    assert answer.headers["accept-encoding"] == "identity"
    assert client.xlen(keys.RAW) == 0


@pytest.mark.parametrize("encoding", ["Identity", ""])
def test_a_body_announced_as_it_is_is_taken(http: httpx.Client, encoding: str) -> None:
    assert http.post(PATH, json=GOOD, headers={"Content-Encoding": encoding}).is_success


@pytest.fixture(scope="module")
def narrow(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A service that takes windows of 300,000 bytes."""
    wipe(server.url)
    folder = tmp_path_factory.mktemp("narrow")
    with serving(load(redis_url=server.url, data_dir=folder, max_window_bytes=300_000)) as http:
        yield http


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size >> 10):
        yield b" " * (1 << 10)


def test_a_body_announced_too_large_is_not_read(narrow: httpx.Client) -> None:
    answer = narrow.post(PATH, content=b" " * 500_000, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "465536 bytes" in answer.json()["detail"]


def test_a_body_of_unknown_length_is_counted(narrow: httpx.Client) -> None:
    assert narrow.post(PATH, content=pieces(400_000), headers=JSON).status_code == 400
    answer = narrow.post(PATH, content=pieces(500_000), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("samples", "status"), [(150_000, 202), (150_001, 413)])
def test_the_largest_window_fits_into_a_body(
    narrow: httpx.Client, client: Client, samples: int, status: int
) -> None:
    channels = {"ia": base64.b64encode(bytes(2 * samples)).decode()}
    answer = narrow.post(PATH, json=GOOD | {"dtype": "i2", "channels": channels})
    assert answer.status_code == status
    if status == 413:
        assert answer.json()["code"] == "too_large"


def test_a_window_of_too_many_samples_is_too_large(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.windows.Limits", partial(Limits, max_samples=16))
    with serving(settings) as http:
        answer = http.post(PATH, json=GOOD | {"channels": {"ia": [0.5] * 17}})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_full_server_asks_to_come_again(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, redis_maxmemory_mb=64)
    with EmbeddedServer(settings) as server, connect(server.url, "fill") as client:
        for i in range(60):
            client.set(f"fill:{i}", b"x" * (1 << 20))
        channels = {"ia": base64.b64encode(b"\0" * (3 << 20)).decode()}
        with serving(settings) as http:
            codes = [
                http.post(PATH, json=GOOD | {"dtype": "f4", "seq": i, "channels": channels})
                for i in range(4)
            ]
            assert codes[-1].status_code == 503
            assert codes[-1].json()["code"] == "server_full"
            assert codes[-1].headers["retry-after"]
            assert http.get("/health/ready").json()["checks"]["server"][0]["status"] == "fail"
