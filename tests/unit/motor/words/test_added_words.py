"""A folder of words is a language everywhere, a file of words names a fault: no list has them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from vtox.motor.words.languages import FOLDER

# A separate process, for the languages are found when the package is loaded.
BEGIN = """
import sys
import vtox.motor.words
vtox.motor.words.__path__[:] = [sys.argv[1]]
"""
SPEAK = """
from api.http.page_texts import page_in_language, page_texts
from api.http.query import EmptyQuery
from vtox.reporting.notification.messages import trial_message
from vtox.reporting.notification.rules import Target
from vtox.reporting.reports.texts import texts
from vtox.motor.words.languages import LANGUAGES, accepted_language
from vtox.motor.words.rendering import render
print(LANGUAGES, accepted_language("de-AT"), EmptyQuery(lang="de").lang)
print(Target(kind="apprise", url_env="U", language="de").language)
print(render("no_baseline", {}, "de"), texts("de")["fault_bearing"])
print(trial_message(0, "de")["data"]["title"])
print(page_in_language("docs.html", "de", path="/", in_session=False)[:32].splitlines()[1])
print(page_in_language("languages.html", "de"), page_texts("de")["fleet.machines"])
print(page_in_language("languages.html", "zh"))
"""
NAME = """
from dataclasses import replace
from api.http.page_texts import page_texts
from tests.unit.reporting.notification.test_plan import EVENT
from vtox.reporting.notification.messages import alarm_message
from vtox.reporting.reports.texts import texts
from vtox.motor.words.rendering import advice, name_of, render
print(name_of("fault", "supply_frequency"), page_texts("en")["words.fault_supply_frequency"])
print(texts("en")["fault_supply_frequency"], page_texts("en")["machine.needs_supply_frequency"])
print(render("supply_off", {"f0_hz": 47.8}), advice("supply_off"))
print(alarm_message(replace(EVENT, fault="supply_frequency"), "en")["data"]["title"])
"""
TOY = """
[names.fault]
supply_frequency = "supply frequency"

[sentences.supply_frequency.supply_off]
text = "the supply is at {f0_hz:.1f} Hz"
advice = "Ask who runs the generator."

[pages.machine]
needs_supply_frequency = "It needs a current."
"""


def test_a_folder_of_words_is_a_language(tmp_path: Path) -> None:
    words = shutil.copytree(FOLDER, tmp_path / "words")
    german = shutil.copytree(words / "en", words / "de")
    translate(german / "language.toml", '"English"', '"Deutsch"', 'tag = "en"', 'tag = "de"')
    translate(german / "sentences/records.toml", '"no baseline"', '"keine Basis"')
    translate(german / "faults/bearing.toml", '\nbearing = "bearing"', '\nbearing = "Lager"')
    assert printed(SPEAK, words) == [
        "('en', 'de', 'zh') de de",
        "de",
        "keine Basis Lager",
        "Test of the notification",
        '<html lang="de">',
        '<a href="?lang=en" lang="en" hreflang="en" data-language="en">English</a>'
        '<a href="?lang=zh" lang="zh-Hans" hreflang="zh-Hans" data-language="zh">中文</a> Machines',
        '<a href="?lang=en" lang="en" hreflang="en" data-language="en">English</a>'
        '<a href="?lang=de" lang="de" hreflang="de" data-language="de">Deutsch</a>',
    ]


def test_a_file_of_words_names_a_fault_everywhere(tmp_path: Path) -> None:
    words = shutil.copytree(FOLDER, tmp_path / "words")
    (words / "en/faults/supply_frequency.toml").write_text(TOY)
    assert printed(NAME, words) == [
        "supply frequency Supply frequency",
        "Supply frequency It needs a current.",
        "the supply is at 47.8 Hz Ask who runs the generator.",
        "M1: supply frequency, raised, warning",
    ]


def printed(script: str, words: Path) -> list[str]:
    """The output of a script that reads other words."""
    command = [sys.executable, "-c", BEGIN + script, words]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.check_output(command, env=env, cwd=words, text=True).splitlines()


def translate(file: Path, *pairs: str) -> None:
    text = file.read_text("utf-8")
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
