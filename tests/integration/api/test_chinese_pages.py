"""The pages in Chinese as Chromium shows them: no English left over, nothing pushed aside."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from api.factory import create_app
from tests.integration.api.browser import Tab, chromium, needs_browser
from tests.integration.api.test_machines import change_memory, commit_health
from tests.integration.api.test_spectra import (
    MOTOR,
    broken_bars,
    diagnose_in_stream,
    keep_evidence,
    outer_race,
)
from tests.integration.api.test_status import bring_up
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.conftest import serving_app
from tests.unit.motor.words.latin import latin_words
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.system_alarms import Condition, keep
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser

# All text that a person reads or hears, without code, names of machines and other languages.
READ = """
(() => {
  const skipped = "code, pre, script, style, [lang=en], .brand, #name, .id, option, time";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const box = n.parentElement;
    if (!box.closest(skipped) && box.checkVisibility()) texts.push(n.textContent);
  }
  for (const n of document.querySelectorAll("main [aria-label], [placeholder]")) {
    texts.push(n.getAttribute("aria-label") ?? "", n.getAttribute("placeholder") ?? "");
  }
  return texts.join(" | ");
})()
"""
# Two characters that look alike only where the font has neither.
DRAWN = """
(() => {
  const drawn = (text) => {
    const box = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
    const pen = box.getContext("2d");
    pen.font = `30px ${getComputedStyle(document.body).fontFamily}`;
    pen.fillText(text, 2, 32);
    return box.toDataURL();
  };
  return new Set(["断", "条", "相"].map(drawn)).size;
})()
"""
# Allowed Latin words outside sentences: units, names, and letters of the formulas.
PAGE_WORDS = {
    "ms",
    "kHz",
    "kW",
    "kWh",
    "CSV",
    "KB",
    "MB",
    "GB",
    "API",
    "CPU",
    "HTTP",
    "UTC",
    "Redis",
    "Valkey",
}
PAGE_WORDS |= {"M1", "M2", "valkey", "h", "f", "s", "fr", "sf", "Home", "End", "Esc", *FAMILIES}
PAGES = {
    "/": "转子断条",
    "/machines/M1": "分辨率",
    "/cluster": "工作进程",
    "/alarms": "没有工作进程",
    "/figures": "每人每天",
    "/machines/M1?kind=demodulated&rows=load&with=M2": "队列",
}
FOUND = {
    "distance_hz": 2.0,
    "lower_sideband_dbc": -38.0,
    "upper_sideband_dbc": -41.0,
    "baseline_dbc": -40.0,
}
HAS_FONT = bool(shutil.which("fc-list")) and bool(
    subprocess.run(("fc-list", ":lang=zh"), capture_output=True, text=True).stdout
)


@pytest.fixture
def fleet(client: Client) -> None:
    """A machine with broken bars and a damaged bearing, one that is new, and an alarm."""
    bring_up(client)
    why = reason("queue_without_worker", queue="bearing", windows=7)
    keep(client, Condition(name="workers:bearing", holds=True, why=why, level="fault"), 30)
    commit_health(client, "M1", broken_bar="fault")
    found = reason("rotor_asymmetry_as_baseline", **FOUND)
    because = {"code": found.code, "values": FOUND, "reason": found.sentence}
    last = {f"last_{name}": value for name, value in because.items()}
    change_memory(client, "M1", "broken_bar", **last)
    for name in ("M1", "M2"):
        machines.register(client, name, MOTOR)
    for family, x in (("broken_bar", broken_bars()), ("turn_short", broken_bars())):
        diagnose_in_stream(client, "M1", family, x)
    diagnose_in_stream(client, "M1", "bearing", outer_race())
    keep_evidence(client, "M1", "broken_bar", broken_bars())
    alert = {"id": "M1:broken_bar:1", "machine_id": "M1", "fault": "broken_bar", "level": "fault"}
    fields = {"event": "raised", "t": "1764000010"} | because | {"values": json.dumps(FOUND)}
    client.xadd(keys.ALERTS, alert | fields)


@pytest.fixture
def base(settings: Settings, fleet: None) -> Iterator[str]:
    with serving_app(create_app(settings)) as http:
        yield str(http.base_url).rstrip("/")


def read(tab: Tab, base: str, path: str) -> set[str]:
    """The English words and backticks that a page in Chinese still shows, once it is loaded."""
    language = f"{'&' if '?' in path else '?'}lang=zh"
    tab.command("Page.navigate", tab._session, url=f"{base}{path}{language}")
    tab.shows(PAGES[path])
    zone = latin_words(tab.run("Intl.DateTimeFormat().resolvedOptions().timeZone"))
    text = tab.run(READ)
    unmarked = {"`"} & set(text)
    return latin_words(re.sub(r"\S*\d\S*", " ", text)) - PAGE_WORDS - zone | unmarked


@pytest.mark.long
def test_pages_in_chinese_leave_no_english_and_fit_a_telephone(base: str) -> None:
    with chromium(f"{base}/") as tab:
        assert {path: words for path in PAGES if (words := read(tab, base, path))} == {}
        for path in PAGES:
            narrow(tab, 390)
            assert read(tab, base, path) == set()
            eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)


def test_what_is_wrong_with_the_system_is_named_in_chinese(
    settings: Settings, client: Client
) -> None:
    with (
        serving_app(create_app(settings)) as http,
        chromium(f"{http.base_url}?lang=zh") as tab,
    ):
        tab.shows("桥接进程：没有桥接进程在运行")
        names = "[...document.querySelectorAll('#roles li')].map((n) => n.textContent).join('|')"
        roles = tab.run(names).split("|")
        assert {"服务器 正常", "桥接进程 故障", "队列 turn_short 故障"} <= set(roles)


def test_the_switch_keeps_the_language_and_what_is_shown(base: str) -> None:
    with chromium(f"{base}/machines/M1?kind=demodulated#bench") as tab:
        tab.shows("What to do")
        for name, expected in (("zh", "处理建议"), ("en", "What to do")):
            tab.act(f"document.querySelector('[data-language={name}]').click()")
            tab.shows(expected)
            assert tab.run("location.search + location.hash") == "?kind=demodulated#bench"
        assert tab.run("document.cookie") == "vtox_language=en"


@pytest.mark.skipif(not HAS_FONT, reason="no Chinese font: apt-get install fonts-noto-cjk")
def test_characters_are_drawn(base: str) -> None:
    with chromium(f"{base}/?lang=zh") as tab:
        tab.shows("电机")
        assert tab.run(DRAWN) == 3
