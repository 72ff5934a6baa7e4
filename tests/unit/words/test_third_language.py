"""A folder of words is a language everywhere: no list names it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from vtox.words.languages import FOLDER

# A process of its own, for the languages are found when the package is loaded.
SPEAK = """
import sys
import vtox.words
vtox.words.__path__[:] = [sys.argv[1]]
from api.page_texts import page_in_language
from api.query import EmptyQuery
from vtox.notification.messages import trial_message
from vtox.notification.rules import Target
from vtox.reports.texts import texts
from vtox.words.languages import LANGUAGES, accepted_language
from vtox.words.rendering import render
print(LANGUAGES, accepted_language("de-AT"), EmptyQuery(lang="de").lang)
print(Target(kind="apprise", url_env="U", language="de").language)
print(render("no_baseline", {}, "de"), texts("de")["fault_bearing"])
print(trial_message(0, "de")["data"]["title"])
print(page_in_language('<html lang="en">{{ languages }}{{ fleet.machines }}', "de"))
print(page_in_language("{{ languages }}", "zh"))
"""


def test_a_folder_of_words_is_a_language(tmp_path: Path) -> None:
    words = shutil.copytree(FOLDER, tmp_path / "words")
    german = shutil.copytree(words / "en", words / "de")
    translate(german / "language.toml", '"English"', '"Deutsch"', 'tag = "en"', 'tag = "de"')
    translate(german / "sentences/records.toml", '"no baseline"', '"keine Basis"')
    translate(german / "faults/bearing.toml", '\nbearing = "bearing"', '\nbearing = "Lager"')
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    said = subprocess.check_output(
        [sys.executable, "-c", SPEAK, words], env=env, cwd=tmp_path, text=True
    )
    assert said.splitlines() == [
        "('en', 'de', 'zh') de de",
        "de",
        "keine Basis Lager",
        "Test of the notification",
        '<html lang="de"><a href="?lang=en" lang="en" hreflang="en" data-language="en">English</a>'
        '<a href="?lang=zh" lang="zh-Hans" hreflang="zh-Hans" data-language="zh">中文</a>Machines',
        '<a href="?lang=en" lang="en" hreflang="en" data-language="en">English</a>'
        '<a href="?lang=de" lang="de" hreflang="de" data-language="de">Deutsch</a>',
    ]


def translate(file: Path, *pairs: str) -> None:
    text = file.read_text("utf-8")
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
