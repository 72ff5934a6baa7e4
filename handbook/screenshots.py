"""Pictures of every page, in both themes and languages, from a running demo.

    python -m handbook.screenshots [FOLDER]

It starts `vtox demo`, waits until its faults are named, and writes `PAGE-THEME-LANGUAGE.webp`. It
needs Chromium, and a font with Chinese characters.
"""

import base64
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from tests.cluster import cluster
from tests.integration.api.browser import Tab, chromium
from tests.waiting import eventually
from vtox.motor.words.languages import LANGUAGES

WIDTH, HEIGHT = 1280, 860
SETTLE_S = 3.0
# The broken bar of the demo: its page has most to show once its trend has some minutes.
MACHINE = "V024"
WARM_UP_S = 240.0
PAGES = {
    "fleet": "/",
    "machine": f"/machines/{MACHINE}",
    "alarms": "/alarms",
    "figures": "/figures",
    "cluster": "/cluster",
    "api": "/docs",
}
THEMES = ("light", "dark")


def main() -> None:
    """Take the pictures."""
    to = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/img/pages").absolute()
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vtox-pictures-") as name:
        folder = Path(name)
        with cluster(folder, command="demo") as demo:
            base = f"http://127.0.0.1:{demo.settings.api_port}"
            eventually(lambda: _alarms(base) >= 8, 300)
            time.sleep(WARM_UP_S)
            with chromium(base) as tab:
                for page, path in PAGES.items():
                    for theme in THEMES:
                        for language in LANGUAGES:
                            file = to / f"{page}-{theme}-{language}.webp"
                            file.write_bytes(_picture(tab, f"{base}{path}", theme, language))
                            print(file, flush=True)


def _alarms(base: str) -> int:
    try:
        with urlopen(f"{base}/api/v1/alerts/open", timeout=5) as answer:
            return len(json.load(answer)["data"])
    except OSError:
        return 0


def _picture(tab: Tab, address: str, theme: str, language: str) -> bytes:
    session = tab._session
    tab.command(
        "Emulation.setDeviceMetricsOverride",
        session,
        width=WIDTH,
        height=HEIGHT,
        deviceScaleFactor=1,
        mobile=False,
    )
    features = [{"name": "prefers-color-scheme", "value": theme}]
    tab.command("Emulation.setEmulatedMedia", session, features=features)
    tab.command("Page.navigate", session, url=f"{address}?lang={language}")
    time.sleep(SETTLE_S)
    shot = tab.command("Page.captureScreenshot", session, format="webp", quality=88)
    return base64.b64decode(shot["data"])


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    main()
