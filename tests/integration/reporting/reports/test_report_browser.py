"""A report as Chromium shows it from a file, with no server anywhere."""

import base64
import re
from pathlib import Path

from tests.integration.api.browser import Tab, chromium, console_of, needs_browser
from tests.unit.reporting.reports.report_file import NAME, written

pytestmark = needs_browser

SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


def test_a_report_opens_from_a_file_without_a_word_or_a_request(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert console_of(path.as_uri()) == []
    with chromium(path.as_uri()) as tab:
        tab.shows("Rotor asymmetry: sidebands 2.00 Hz from the supply line")
        assert NAME in tab.text()
        assert tab.run("performance.getEntriesByType('resource').length") == 0
        assert tab.run("document.querySelectorAll('svg.plot .place.found').length") >= 2
        for width in (1400, 390):
            assert _sideways(tab, width) <= 0, width
        assert 2 <= _pages_on_paper(tab) <= 8


def _sideways(tab: Tab, width: int) -> float:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    tab.command("Emulation.setDeviceMetricsOverride", tab._session, **size)
    return float(tab.run(SIDEWAYS))


def _pages_on_paper(tab: Tab) -> int:
    printed = tab.command("Page.printToPDF", tab._session, preferCSSPageSize=True)
    pdf = base64.b64decode(printed["data"])
    return len(re.findall(rb"/Type /Page\b", pdf))
