"""The page of a machine as Chromium shows it: from an alarm to the line that proves it."""

import json
import re
from typing import Any

import pytest

from tests.integration.api.browser import PROBE, console_of, document_of, needs_browser, pages
from tests.integration.api.test_machines import SEEN, change_memory, commit_health
from tests.integration.api.test_spectra import (
    BROKEN,
    MOTOR,
    broken_bars,
    diagnose_in_stream,
    keep_evidence,
    outer_race,
)
from tests.signals import vibration
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser

# Clicks the element of a selector once, as soon as it is there, and shows the page after it.
CLICK = """
const once = setInterval(() => {{
  const node = document.querySelector({selector!r});
  if (!node) return;
  clearInterval(once);
  node.click();
}}, 50);
setInterval(() => {{
  document.documentElement.setAttribute("data-address", location.search + location.hash);
  document.documentElement.setAttribute("data-focus", document.activeElement?.id ?? "");
}}, 100);
"""


@pytest.fixture
def faulty(client: Client) -> Diagnosis:
    """A machine with a broken bar: its record in the stream, its diagnosis, its alert."""
    commit_health(client, "M1", broken_bar="fault")
    machines.register(client, "M1", MOTOR)
    diagnose_in_stream(client, "M1", "broken_bar", broken_bars())
    alert = {"id": "1", "machine_id": "M1", "fault": "broken_bar", "level": "fault"}
    client.xadd(keys.ALERTS, alert | {"event": "raised", "t": "1764000010", "reason": "bars"})
    (d,) = diagnose(broken_bars(), MOTOR, faults={"broken_bar"})
    return d


def level_text(level: Any) -> str:
    """A level as the page shows it."""
    return f"{level:.2f} dB".replace("-", "−")


def table_row(page: str, name: str) -> str:
    return re.sub("<[^>]*>", "|", page.partition(f">{name}</button>")[2].partition("</tr>")[0])


def test_from_the_alarm_to_the_line_in_two_clicks(settings: Settings, faulty: Diagnosis) -> None:
    with pages(settings) as base:
        fleet = document_of(base)
    assert fleet.count('href="/machines/M1#broken_bar"') == 2, "in the list and at the alert"
    second = CLICK.format(selector="#broken_bar a[data-fault]")
    with pages(settings, second) as base:
        page = document_of(f"{base}/machines/M1#broken_bar")
    (address,) = re.findall('data-address="([^"]*)"', page)
    assert "kind=demodulated" in address
    assert re.search(r"low=4\d\.\d+&high=5\d\.\d+", address), "zoomed to the sidebands"
    assert 'data-focus="plot"' in page
    for side in ("lower", "upper"):
        level = faulty.indicators[f"{side}_sideband_dbc"]
        assert level_text(level) in table_row(page, f"{side} sideband 2sf")
    assert f"level {level_text(faulty.indicators['lower_sideband_dbc'])}" in page
    assert "<canvas" in page


def test_the_level_at_the_cursor_is_that_of_the_diagnosis(
    settings: Settings, faulty: Diagnosis
) -> None:
    step = 2 * BROKEN.slip * BROKEN.f0_hz
    view = f"kind=demodulated&cursor=sidebands&at={BROKEN.f0_hz}&step={step:.4f}&low=40&high=60"
    with pages(settings) as base:
        page = document_of(f"{base}/machines/M1?{view}")
    read = dict(re.findall(r"<dt>([^<]*)</dt><dd>[^<]*<span>([^<]*)</span>", page))
    assert read["−1"] == level_text(faulty.indicators["lower_sideband_dbc"])
    assert read["+1"] == level_text(faulty.indicators["upper_sideband_dbc"])
    assert read["centre"] == "–", "the supply line is removed"
    assert re.search('id="exports".*?/spectrum.*?format=csv.*?/waveform.*?format=wav', page)
    assert 'data-sideways="0"' in page


def test_the_comb_of_a_stored_record_stands_in_its_envelope(
    settings: Settings, client: Client
) -> None:
    commit_health(client, "M1", bearing="normal")
    machines.register(client, "M1", MOTOR)
    record = keep_evidence(client, "M1", "bearing", outer_race())
    (d,) = diagnose(outer_race(), MOTOR, faults={"bearing"})
    with pages(settings) as base:
        view = f"record={record.replace('|', '%7C')}&kind=envelope&axis=orders&scale=linear"
        page = document_of(f"{base}/machines/M1?{view}", width=500)
    assert f"<code>{vibration.BEARING.defect_orders['BPFO']}fr</code>" in page
    assert "stored, 2 s" in page
    assert 'data-sideways="0"' in page
    row = table_row(page, "BPFO")
    assert "Bearing" in row
    harmonics = [e for e in d.evidence if e.get("line") == 1]
    (times,) = re.findall(r"([\d.]+) ×", row)
    assert float(times) == pytest.approx(10 ** (harmonics[0]["over_floor_db"] / 20), rel=0.01)
    assert "dB" not in bench_of(page).partition("<table")[2], "a linear spectrum reads linearly"
    assert re.search(r"level [\d.,]+\s%", bench_of(page))


def bench_of(page: str) -> str:
    return page.partition('id="bench"')[2].partition("</section>")[0]


def test_an_old_record_in_place_of_the_latest_is_named(settings: Settings, client: Client) -> None:
    machines.register(client, "M1", MOTOR)
    keep_evidence(client, "M1", "bearing", outer_race())
    diagnose_in_stream(client, "M1", "bearing", outer_race())
    client.delete(keys.RAW)
    latest = json.loads(client.hget(keys.machine("M1"), "latest:bearing"))
    later = {name: latest[name] + 600 for name in ("t_start", "t_end")}
    client.hset(keys.machine("M1"), "latest:bearing", json.dumps(latest | later))
    with pages(settings) as base:
        page = document_of(f"{base}/machines/M1?kind=envelope")
    assert "are no longer in the stream: this is the stored record of 2025-11-24 16:00:00" in page
    assert "10 min before the latest diagnosis" in bench_of(page)


def test_phasors_show_the_unbalance(settings: Settings, faulty: Diagnosis) -> None:
    with pages(settings) as base:
        page = document_of(f"{base}/machines/M1?kind=phasors")
    bench = page.partition('id="bench"')[2].partition("</section>")[0]
    assert bench.count('<g class="current">') == 3
    assert "Current unbalance I2/I1" in bench
    assert "ib 8" in re.findall('id="plot"[^>]*aria-label="([^"]*)"', page)[0]


def test_a_machine_says_what_it_is_watched_for(settings: Settings, faulty: Diagnosis) -> None:
    with pages(settings) as base:
        page = document_of(f"{base}/machines/M1")
        fleet = document_of(base)
    assert "Watched for 2 of 5 faults" in page
    assert re.search(r"Insulation needs windows; \w[\w -]* needs windows", page)
    assert "Sidebands over their limit / threshold" in page
    assert '<span class="sub">needs windows</span>' in fleet
    shown = page.partition('class="lead"')[2].partition('id="trendpanel"')[0]
    ill, others = shown.partition('id="ill"')[2].split('id="others"')
    assert '<section id="broken_bar" class="panel card fault' in ill
    assert 'id="bench"' in shown, "the spectrum is beside the card"
    (line,) = re.findall(r'<summary data-key="insulation">(.*?)</summary>', others)
    assert "blind, needs windows" in line
    assert others.count("<details") == 3, "the others have a line each"
    assert '<details class="numbers">' in ill, "raw figures are folded"
    table = fleet.partition('id="coverage"')[2].partition("</table>")[0]
    assert "1 × windows" in table
    assert 'href="/machines/M1#insulation"' in table


def test_keys_move_the_cursor_and_zoom(settings: Settings, faulty: Diagnosis) -> None:
    press = """
const keys = ["ArrowRight", "PageDown", "+"];
const press = setInterval(() => {
  if (!document.querySelector("#plot canvas")) return;
  const key = keys.shift();
  if (!key) return clearInterval(press);
  const event = new KeyboardEvent("keydown", { key, bubbles: true });
  document.querySelector("#plot").dispatchEvent(event);
  const read = document.querySelector("#read").textContent;
  document.documentElement.setAttribute(`data-${key === "+" ? "zoom" : key.toLowerCase()}`, read);
}, 300);
setInterval(() => document.documentElement.setAttribute("data-address", location.search), 100);
"""
    with pages(settings, press) as base:
        page = document_of(f"{base}/machines/M1?kind=current&channel=ib")
    (first,) = re.findall('data-arrowright="([^"]*)"', page)
    (second,) = re.findall('data-pagedown="([^"]*)"', page)
    assert "level" in first
    assert first != second
    (address,) = re.findall('data-address="([^"]*)"', page)
    assert {"kind=current", "channel=ib"} < set(address.lstrip("?").split("&"))
    assert "low=" in address


def test_the_mouse_sets_a_cursor_and_drags_a_range(settings: Settings, faulty: Diagnosis) -> None:
    mouse = """
const at = (over, type, share) => {
  const box = over.getBoundingClientRect();
  const place = { clientX: box.left + share * box.width, clientY: box.top + box.height / 2 };
  const event = new MouseEvent(type, { bubbles: true, button: 0, movementX: 1, ...place });
  (type === "mouseup" ? document : over).dispatchEvent(event);
};
const shows = (name) => document.documentElement.setAttribute(name, location.search);
const steps = [
  (over) => { at(over, "mouseenter", 0.4); at(over, "mousemove", 0.4); },
  (over) => { at(over, "mousedown", 0.4); at(over, "mouseup", 0.4); },
  (over) => { at(over, "click", 0.4); shows("data-clicked"); },
  (over) => { at(over, "mousemove", 0.25); at(over, "mousedown", 0.25); },
  (over) => at(over, "mousemove", 0.75),
  (over) => at(over, "mouseup", 0.75),
  () => shows("data-dragged"),
];
const play = setInterval(() => {
  const over = document.querySelector("#plot .u-over");
  if (!over) return;
  const step = steps.shift();
  if (!step) return clearInterval(play);
  step(over);
}, 200);
"""
    view = "kind=demodulated&low=40&high=60&cursor=harmonics"
    with pages(settings, mouse) as base:
        page = document_of(f"{base}/machines/M1?{view}")
    (clicked,) = re.findall('data-clicked="([^"]*)"', page)
    (dragged,) = re.findall('data-dragged="([^"]*)"', page)
    at_hz = float(re.findall(r"at=([\d.]+)", clicked)[0])
    assert at_hz == pytest.approx(48.0, abs=0.2), "the click sets the cursor"
    low, high = (float(re.findall(rf"{name}=([\d.]+)", dragged)[0]) for name in ("low", "high"))
    assert (low, high) == (pytest.approx(45.0, abs=0.1), pytest.approx(55.0, abs=0.1))
    assert f'value="{low:.4f}"' in page, "the range stands in the fields too"


def test_a_fault_that_is_seen_says_what_its_alarm_needs(settings: Settings, client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    change_memory(client, "M1", "bearing", days=SEEN)
    with pages(settings) as base:
        page = document_of(f"{base}/machines/M1")
    assert "no alarm yet: seen on 1 of 1 days; an alarm needs 3 of 4" in page


def test_a_machine_of_which_no_samples_are_kept(settings: Settings, client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    with pages(settings) as base:
        page = document_of(f"{base}/machines/M1")
    bench = page.partition('id="bench"')[2].partition("</section>")[0]
    assert "No samples of M1 with any of" in bench
    assert "<canvas" not in bench
    assert re.search('id="linesbox"[^>]*hidden', bench)


def test_a_poll_leaves_focus_where_it_is(settings: Settings, faulty: Diagnosis) -> None:
    focus = """
const once = setInterval(() => {
  const link = document.querySelector("#broken_bar a[data-fault]");
  if (!link) return;
  clearInterval(once);
  link.focus();
  document.documentElement.setAttribute("data-set", "1");
}, 50);
setInterval(() => {
  const fault = document.activeElement?.dataset?.fault ?? "";
  document.documentElement.setAttribute("data-focus", fault);
}, 100);
"""
    with pages(settings, focus) as base:
        page = document_of(f"{base}/machines/M1")
    assert 'data-set="1"' in page
    assert 'data-focus="broken_bar"' in page


def test_the_console_stays_silent(settings: Settings, faulty: Diagnosis) -> None:
    with pages(settings, PROBE) as base:
        assert console_of(f"{base}/machines/M1?kind=demodulated") == []
