import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit.reporting.reports.report_file import NAME, contents, text, written
from vtox.cli.shared.report_files import write_report
from vtox.reporting.reports import document
from vtox.reporting.reports.document import BEGIN, hash_of_data, read_report
from vtox.reporting.reports.errors import ReportError
from vtox.reporting.reports.page import page


def test_a_report_reads_back_as_it_was(tmp_path: Path) -> None:
    report = read_report(written(tmp_path))
    assert report.contents == contents()
    assert report.hashes.keys() >= {"nameplate", "baseline", "record 1, samples of ia", "page"}


def test_the_page_is_one_file_without_scripts_or_requests() -> None:
    page = text()
    assert re.findall(r"<script[^>]*>", page) == [BEGIN]
    visible = page.partition(BEGIN)[0]
    assert not re.search(r"\b(?:src|href|url|@import|onload)\b\s*[=(]", visible)
    assert NAME not in visible
    assert "pump &lt;7&gt; &amp; fan.npz" in visible
    assert hash_of_data(contents()) in visible
    assert "complies" not in visible


def test_rated_power_is_in_kilowatts_as_on_the_plate() -> None:
    plate = {"rated_power_w": 3700.0, "rated_current_a": 8.0}
    machine = replace(contents().machine, nameplate=plate)
    visible = page(replace(contents(), machine=machine))
    assert "<dd>3.7 kW</dd>" in visible
    assert "<dd>8 A</dd>" in visible


class Balance(HTMLParser):
    """The open elements; those without an end are not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_element_ends_where_it_should() -> None:
    parser = Balance()
    parser.feed(text())
    assert parser.open == []


def test_what_a_reader_needs_stands_on_the_page() -> None:
    visible = text().partition(BEGIN)[0]
    for word in ("Event", "Symptoms", "Diagnosis", "Action", "lower sideband 2sf", "Rotor bars"):
        assert word in visible, word
    assert visible.count("<svg") > 3


def test_one_byte_of_the_samples_changed_is_named(tmp_path: Path) -> None:
    data = contents().records[0].channels[1].data
    middle = len(data) // 2
    other = "A" if data[middle] != "A" else "B"
    damaged = text().replace(data, data[:middle] + other + data[middle + 1 :])
    with pytest.raises(ReportError) as caught:
        read_report(written(tmp_path, damaged))
    assert caught.value.code == "damaged"
    assert caught.value.part == "record 1, samples of ib"


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('"rotor_bars":28', '"rotor_bars":29', "nameplate"),
        ('"state":"fault"', '"state":"normal"', "record 1, verdicts"),
        ('"fs_hz":2500.0', '"fs_hz":2501.0', "record 1, head"),
        ("Rotor asymmetry", "Rotor symmetry", "page"),
        ('"language":"en"', '"language":"zh"', "about"),
    ],
)
def test_a_changed_part_is_named(tmp_path: Path, old: str, new: str, part: str) -> None:
    assert old in text()
    with pytest.raises(ReportError) as caught:
        read_report(written(tmp_path, text().replace(old, new)))
    assert (caught.value.code, caught.value.part) == ("damaged", part)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<html>hello", "not_a_report"),
        (BEGIN + "{", "damaged"),
        (BEGIN + "{}</script>", "damaged"),
        (BEGIN + '{"contents":{"form":9},"sha256":{}}</script>', "later_form"),
        (BEGIN + '{"contents":' + "[" * 100_000 + ',"sha256":{}}</script>', "damaged"),
        (BEGIN + '{"contents":{"form":1e999},"sha256":{}}</script>', "damaged"),
        (BEGIN + '{"contents":{},"sha256":[]}</script>', "damaged"),
    ],
)
def test_a_hostile_file_gives_a_clear_error(tmp_path: Path, body: str, code: str) -> None:
    with pytest.raises(ReportError) as caught:
        read_report(written(tmp_path, body))
    assert caught.value.code == code
    assert len(str(caught.value)) < 400


def test_a_field_that_no_part_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError) as caught:
        read_report(written(tmp_path, text().replace('"nameplate":{', '"plate":1,"nameplate":{')))
    assert (caught.value.code, caught.value.part) == ("damaged", "machine.plate")


def test_a_field_of_another_type_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError) as caught:
        read_report(written(tmp_path, text().replace('"fs_hz":2500.0', '"fs_hz":"2500"')))
    assert (caught.value.code, caught.value.part) == ("damaged", "records[0].fs_hz")


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MAX_FILE_MB", 0)
    with pytest.raises(ReportError, match="larger than"):
        read_report(written(tmp_path))
    with pytest.raises(ReportError, match="No such file"):
        read_report(tmp_path / "nothing.html")


def test_a_report_that_would_be_too_large_says_how_to_shorten_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(document, "MAX_REPORT_MB", 0.1)
    with pytest.raises(ReportError, match=r"at most 0.1: give a shorter recording .* s fit\)"):
        document.document(contents(), f"<p>{document.PLACE}</p>")


def test_a_link_that_waits_for_a_draft_is_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    for name in ("report.html.part", "report.html"):
        (tmp_path / name).symlink_to(other)
    write_report(tmp_path / "report.html", text())
    assert other.read_text() == "mine"
    assert (tmp_path / "report.html").read_text("utf-8") == text()
    assert len(list(tmp_path.iterdir())) == 3, "no draft stays"
