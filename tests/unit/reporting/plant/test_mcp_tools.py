"""The tools of the MCP server: their descriptions, and that their reader only reads."""

import inspect
import re

import pytest

from tests.paths import ROOT
from vtox.motor.words.catalogue import catalogue
from vtox.reporting.plant import status_api
from vtox.reporting.plant.errors import StatusApiError
from vtox.reporting.plant.mcp.tools import TOOLS, Tools
from vtox.reporting.plant.status_api import StatusApi

API = StatusApi("http://127.0.0.1:1")
TABLE = re.compile(r"^\| `(\w+)` \| ", re.MULTILINE)


def test_the_page_lists_the_tools_with_their_parameters() -> None:
    page = (ROOT / "docs/reference/mcp.md").read_text()
    listed = [n for n in TABLE.findall(page) if n in TOOLS]
    assert listed == list(TOOLS)
    for name in TOOLS:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        named = re.findall(r"`(\w+)`", row.split("|")[2])
        assert named == [
            p for p in inspect.signature(getattr(Tools, name)).parameters if p != "self"
        ]


def test_the_reader_knows_no_other_method_than_get() -> None:
    used = set(re.findall(r"_http\.(\w+)\(", inspect.getsource(status_api)))
    assert used == {"get", "close"}


@pytest.mark.parametrize("code", ["no_baseline", "machine_silent"])
def test_a_code_is_explained_without_asking_anybody(code: str) -> None:
    told = Tools(lambda: API).explain_code(code).data
    assert told["what_to_do"] == catalogue("en").sentences[code].advice


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    with pytest.raises(StatusApiError, match="no_baseline"):
        Tools(lambda: API).explain_code("no_baselin")


def test_an_api_that_is_away_is_named() -> None:
    with pytest.raises(StatusApiError, match=r"127\.0\.0\.1:1 does not answer") as raised:
        Tools(lambda: API).fleet()
    assert raised.value.code == "unreachable"
