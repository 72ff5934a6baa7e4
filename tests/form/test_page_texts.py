"""The texts of the pages: complete in every language, all used, and none outside the catalogues."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.http.page_texts import page_in_language, page_texts
from tests.paths import ROOT
from vtox.motor.faults import FAULTS
from vtox.motor.values.nameplate_fields import FIELDS
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, LANGUAGES, Language, accepted_language, language

STATIC = ROOT / "api" / "static"
PAGES = sorted(STATIC.glob("*.html"))
WHOLE = [page for page in PAGES if page.name not in ("languages.html", "signedin.html")]
VALUES: tuple[str, ...] = ("path", "in_session", "why", "tone", "wanted")
VALUES += ("by_provider", "leave_provider", "sign_out_url")
SCRIPTS = sorted(f for f in STATIC.glob("*.js") if not f.name.endswith(".min.js"))
CLASSES = set(re.findall(r"\.([a-zA-Z][\w-]*)", (STATIC / "vtox.css").read_text("utf-8")))
LITERAL = re.compile(r"""//[^\n]*|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`""")
# Texts that a page may show in any language: names, units, keys and codes.
NEUTRAL = {"VTOX", "Flower", "openapi.json", "CSV", "ms", "·", "–"}
# Words of answers that scripts compare.
IDENTIFIERS = {"supply line", "mean envelope"}
KEYS_AND_HEADERS = {"Accept", "Escape", "Home", "End", "Enter", "Node"}
# Names, units and abbreviations that Chinese texts keep unchanged.
LATIN = {"m/s", "VTOX", "API", "HTTP", "Redis", "Valkey", "CPU", "UTC", "ID", "Home", "End", "Esc"}
LATIN |= {"Hz", "kHz", "dB", "dBc", "ms", "mm", "rpm", "sf", "fr", "application/problem+json"}
LATIN |= {"ISO", "mm/s", "rms", "OPC", "UA"}
LATIN |= {"kW", "Wh", "kWh", "kvar", "kvarh", "cos", "IE"}
LATIN |= {"admin", "YYYY", "ohm", "BPFO", "BPFI", "BSF", "FTF"}


def literals(script: Path) -> Iterator[str]:
    """The string literals of a script, without the computed parts."""
    for match in LITERAL.finditer(script.read_text("utf-8")):
        if not match[0].startswith("//"):
            yield re.sub(r"\$\{[^}]*\}?", " ", match[0][1:-1])


def sources() -> str:
    files = [*PAGES, *SCRIPTS, *(ROOT / "api").rglob("*.py")]
    return "\n".join(f.read_text("utf-8") for f in files)


class Visible(HTMLParser):
    """Collects the texts that a reader of a page sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        spoken = {"aria-label", "placeholder", "title", "alt"}
        self.texts += [value for name, value in attrs if name in spoken and value]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_text_is_empty(name: Language) -> None:
    assert [key for key, text in page_texts(name).items() if not text] == []


def test_every_text_is_used() -> None:
    text = sources()
    begun = {m for m in re.findall(r"[\"'`](\w+\.(?:\w+_)?)\$?\{", text)}
    begun |= {f"words.{kind}_" for kind in re.findall(r'\bword\("(\w+)"', text)}
    used = set(re.findall(r"\b\w+\.\w+\b", text))
    unused = [k for k in page_texts(DEFAULT) if k not in used and not k.startswith(tuple(begun))]
    assert unused == []


def test_every_key_in_the_sources_has_a_text() -> None:
    keys = re.findall(rf'"((?:{"|".join(parts())})\.\w+)"', scripts_text())
    assert set(keys) - page_texts(DEFAULT).keys() == set()


def test_every_field_of_a_nameplate_has_a_name_on_the_pages() -> None:
    known = {k.removeprefix("machine.plate_") for k in page_texts(DEFAULT)}
    names = {re.sub(r"bearing\.orders\.\w+", "bearing_order", f.name) for f in FIELDS}
    assert {n.replace(".", "_") for n in names} - known == set()


def parts() -> set[str]:
    return {key.partition(".")[0] for key in page_texts(DEFAULT)}


def scripts_text() -> str:
    return "\n".join(f.read_text("utf-8") for f in SCRIPTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_has_no_text_of_its_own(page: Path) -> None:
    visible = Visible()
    visible.feed(re.sub(r"\{[{%].*?[%}]\}", "", page.read_text("utf-8"), flags=re.DOTALL))
    words = {word for text in visible.texts for word in text.split()}
    assert words - NEUTRAL == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_a_script_has_no_text_of_its_own(script: Path) -> None:
    suspects = []
    for text in literals(script):
        words = re.findall(r"[A-Za-z][\w-]*", text)
        is_code = text.startswith(("import ", "vtox ")) or all(w in CLASSES for w in words)
        is_code |= text in IDENTIFIERS
        sentence = re.search(r"\b[A-Za-z]{3,} [a-z]{2,}\b", text)
        word = re.fullmatch(r"[A-Z][a-z]{2,}", text.strip())
        if (sentence or (word and word[0] not in KEYS_AND_HEADERS)) and not is_code:
            suspects.append(text)
    assert suspects == []
    assert not re.search(r"[\u4e00-\u9fff]", script.read_text("utf-8"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_a_script_names_no_fault(script: Path) -> None:
    named = rf"""["'`]({"|".join(FAULTS)})["'`]|\b({"|".join(FAULTS)})(?:\(|: )"""
    assert re.findall(named, script.read_text("utf-8")) == []


def test_chinese_has_no_english_words() -> None:
    left = {}
    texts = {key: text for key, text in page_texts("zh").items() if key != "language.locale"}
    for key, text in texts.items():
        plain = re.sub(r"`[^`]*`|\{[^}]*\}", " ", text)
        words = set(re.findall(r"[A-Za-z][A-Za-z/+]+", plain)) - LATIN
        if words:
            left[key] = words
    assert left == {}


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("page", WHOLE, ids=lambda p: p.name)
def test_a_page_is_filled_in_and_offers_the_other_languages(page: Path, name: Language) -> None:
    html = page_in_language(page.name, name, **dict.fromkeys(VALUES, ""))
    assert "&lt;" not in html
    assert f'<html lang="{catalogue(name).tag}">' in html
    assert [n for n in LANGUAGES if f'data-language="{n}"' in html] == [
        n for n in LANGUAGES if n != name
    ]


def test_texts_within_the_page_cannot_end_their_element(monkeypatch: pytest.MonkeyPatch) -> None:
    from api.http import page_texts as module

    values = {"path": "/docs", "in_session": False}
    before = page_in_language("docs.html", "en", **values)
    monkeypatch.setitem(page_texts("en"), "common.no", "</script><b>")
    module._context.cache_clear()
    after = page_in_language("docs.html", "en", **values)
    module._context.cache_clear()
    assert after.count("</script>") == before.count("</script>") == 2


@pytest.mark.parametrize("page", ["signin.html", "signedin.html"])
def test_an_address_or_a_host_with_markup_is_text(page: str) -> None:
    html = page_in_language(page, "en", **dict.fromkeys(VALUES, "\"'<b>&{{ 7 * 7 }}"))
    assert "&#34;&#39;&lt;b&gt;&amp;{{ 7 * 7 }}" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("de-DE,de;q=0.9,zh-TW;q=0.5,en;q=0.4", "zh"),
        ("zh;q=0,en;q=0.1", "en"),
        ("de, *;q=0.5", None),
        ("zh;q=x", None),
        ("", None),
    ],
)
def test_the_language_that_a_browser_prefers(header: str, expected: str | None) -> None:
    assert accepted_language(header) == expected


def test_a_tag_of_another_language_is_none_of_ours() -> None:
    assert [language(tag) for tag in ("zh-Hans-CN", "EN", "zhx", "", "de")] == [
        "zh",
        "en",
        None,
        None,
        None,
    ]
