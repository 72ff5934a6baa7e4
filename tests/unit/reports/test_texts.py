import re
from pathlib import Path
from string import Formatter

import pytest

from tests.paths import ROOT
from tests.unit.reports.report_file import contents
from vtox.reports.document import BEGIN, document
from vtox.reports.page import page
from vtox.reports.texts import texts
from vtox.words.languages import NAMES

ENGLISH = texts("en")
SOURCES = "\n".join(p.read_text() for p in (ROOT / "vtox/reports").glob("*.py"))


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", NAMES)
def test_every_language_has_every_text_with_its_values(language: str) -> None:
    found = texts(language)
    assert found.keys() == ENGLISH.keys()
    assert [k for k in found if places(found[k]) != places(ENGLISH[k])] == []
    assert found["language"] == language


def test_every_text_is_used() -> None:
    families = set(re.findall(r"""f["'](\w+)\.\{""", SOURCES))
    unused = [
        key
        for key in ENGLISH
        if key.partition(".")[0] not in families and not re.search(rf"""["']{key}["']""", SOURCES)
    ]
    assert unused == []


def test_a_report_in_chinese_leaves_no_english_sentence(tmp_path: Path) -> None:
    chinese = contents().model_copy(update={"language": "zh"})
    visible = document(chinese, page(chinese)).partition(BEGIN)[0]
    # Names of indicators and of files, and commands, are the same in every language.
    neutral = r"<(style|dt|pre)>.*?</\1>|<[^>]*>"
    body = re.sub(neutral, " ", visible, flags=re.DOTALL)
    assert '<html lang="zh-Hans">' in visible
    assert "断条" in body
    assert "2sf 下边带" in body
    assert re.findall(r"\b[A-Za-z]{3,}(?: [a-z]{3,}){2,}", body) == []
