"""A report on a machine by HTTP, from the data of server and history."""

from dataclasses import replace
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.integration.api.test_spectra import (
    MOTOR,
    T0,
    broken_bars,
    diagnose_in_stream,
    windows_of,
)
from tests.integration.reporting.history.entries import add_alert, add_result
from vtox.motor.values.domain import Recording
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.open_alerts import OpenAlert
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream import evidence
from vtox.pipeline.store.stream.scalars import add_readings
from vtox.pipeline.windows.wire import Dtype, encode
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.reports.contents import recording_of
from vtox.reporting.reports.document import BEGIN, Report, read_report
from vtox.reporting.reports.kept_samples import samples_of_machine
from vtox.reporting.reports.verification import verify

BAR = broken_bars()


def keep(client: Client, first_id: str, x: Recording = BAR, dtype: Dtype = "i2") -> str:
    """Store a record of M1 as the script that commits does; return its name."""
    record = f"broken_bar|M1|{first_id}"
    for window in windows_of("M1", x):
        client.xadd(keys.EVIDENCE, {"record": record} | encode(window, dtype))
    return record


@pytest.fixture
def m1(client: Client) -> str:
    """A machine with a stored record."""
    machines.register(client, "M1", MOTOR)
    return keep(client, "1-0")


def report_of(http: httpx.Client, folder: Path, **query: float) -> Report:
    reply = http.get("/api/v1/machines/M1/report", params=query).raise_for_status()
    path = folder / "report.html"
    path.write_bytes(reply.content)
    return read_report(path)


@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_samples_are_those_that_were_sent(
    http: httpx.Client, client: Client, tmp_path: Path, dtype: Dtype
) -> None:
    machines.register(client, "M1", MOTOR)
    record = keep(client, "1-0", dtype=dtype)
    report = report_of(http, tmp_path)
    (made,) = report.contents.records
    assert (made.name, made.family, made.t_start) == (record, "broken_bar", T0)
    assert {c.kind for c in made.channels} == {dtype}
    kept, again = evidence.get(client, record).recording(), recording_of(made)
    for name, x in kept.channels.items():
        assert again.channels[name].tobytes() == x.tobytes(), name
    assert (again.fs_hz, again.speed_rpm) == (kept.fs_hz, kept.speed_rpm)
    (verdict,) = made.verdicts
    assert (verdict["state"], verdict["code"]) == ("fault", "rotor_asymmetry")
    found = verify(report)
    assert (found.agrees, found.exact, found.page_agrees) == (True, True, True)


def test_the_history_gives_events_and_trends(
    fresh_http: httpx.Client, settings: Settings, client: Client, m1: str, tmp_path: Path
) -> None:
    now = server_time(client)
    for k in range(8):
        add_result(
            client, now - 600 + 60 * k, statistic=1.0 + k, state="warning" if k else "normal"
        )
    add_alert(client, now - 400)
    add_readings(client, [ScalarReading("M1", now - 9, "oil_pressure", 2.1, "bar")])
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    report = report_of(fresh_http, tmp_path)
    trend = report.contents.trend
    assert trend is not None
    assert trend.step_s == 60
    assert max(v for v in trend.series["bearing"].maximum if v is not None) == 8.0
    assert [e["event"] for e in report.contents.events] == ["raised"], "the stream has it too"
    page = (tmp_path / "report.html").read_text().partition(BEGIN)[0]
    assert "alarm raised" in page
    assert 'class="step warning"' in page
    assert "warning for 6 minutes" in page
    assert "oil pressure</dt><dd>2.1 bar" in page
    assert verify(report).agrees


def test_a_time_without_samples_says_what_is_kept(http: httpx.Client, m1: str) -> None:
    for query, code in (({"to_t": T0 - 1}, "no_waveform"), ({"from_t": 5, "to_t": 4}, "invalid")):
        reply = http.get("/api/v1/machines/M1/report", params=query)
        assert reply.json()["code"] == code
    assert http.get("/api/v1/machines/M2/report").status_code == 404


def test_the_latest_record_is_that_of_the_stream(
    http: httpx.Client, client: Client, m1: str, tmp_path: Path
) -> None:
    latest = diagnose_in_stream(client, "M1", "broken_bar", BAR)
    assert [r.name for r in report_of(http, tmp_path).contents.records] == [latest]


def test_the_record_behind_an_open_alert_is_there(client: Client) -> None:
    def alert(t: float) -> OpenAlert:
        known = {
            "machine_id": "M1",
            "fault": "broken_bar",
            "level": "fault",
            "code": "rotor_asymmetry",
        }
        return OpenAlert(id=f"M1:broken_bar:{t:.0f}", t=t, reason="", **known)  # type: ignore[arg-type]

    first, second, third = (keep(client, f"{k}-0") for k in (1, 2, 3))
    # All windows of this file begin at one time; the stored ones differ by their name.
    names = [k.record for k in samples_of_machine(client, "M1", {}, [alert(T0)], None, None)]
    assert names == [third]
    assert not list(samples_of_machine(client, "M1", {}, [alert(T0)], T0 + 1, None))
    assert first != second


def test_records_that_do_not_fit_are_counted(
    http: httpx.Client, client: Client, m1: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vtox.reporting.reports.machine_report.MAX_RECORDS", 1)
    x = replace(BAR, speed_rpm=None)
    for window in windows_of("M1", x, seconds=2.0)[:2]:
        client.xadd(keys.EVIDENCE, {"record": "bearing|M1|9-0"} | encode(window, "i2"))
    report = report_of(http, tmp_path)
    assert (len(report.contents.records), report.contents.left_out) == (1, 1)
