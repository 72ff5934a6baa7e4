import re
from dataclasses import replace
from pathlib import Path

from tests.paths import ROOT
from tests.unit.reporting.reports.report_file import contents
from vtox.reporting.reports.document import BEGIN, document
from vtox.reporting.reports.page import page
from vtox.reporting.reports.texts import texts

ENGLISH = texts("en")
FOLDER = ROOT / "vtox/reporting/reports"
SOURCES = "\n".join(p.read_text() for f in ("*.py", "*/*.html") for p in FOLDER.glob(f))


def test_every_text_is_used() -> None:
    families = tuple(a or b for a, b in re.findall(r"""f["'](\w+_)\{|"(\w+_)" ~""", SOURCES))
    unused = [
        key
        for key in ENGLISH
        if not key.startswith(families)
        and not re.search(rf"""["']{key}["']|\btext\.{key}\b""", SOURCES)
    ]
    assert unused == []


def test_a_report_in_chinese_leaves_no_english_sentence(tmp_path: Path) -> None:
    chinese = replace(contents(), language="zh")
    visible = document(chinese, page(chinese)).partition(BEGIN)[0]
    # Names of indicators and of files, and commands, are the same in every language.
    neutral = r"<(style|dt|pre)>.*?</\1>|<[^>]*>"
    body = re.sub(neutral, " ", visible, flags=re.DOTALL)
    assert '<html lang="zh-Hans">' in visible
    assert "断条" in body
    assert "2sf 下边带" in body
    assert re.findall(r"\b[A-Za-z]{3,}(?: [a-z]{3,}){2,}", body) == []
