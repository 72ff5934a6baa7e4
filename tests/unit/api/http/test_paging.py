"""Pages of a stream: how long they are, where the next one begins, and which cursors count."""

from collections.abc import Iterator
from itertools import count
from urllib.parse import parse_qsl

import pytest
from fastapi import Request

from api.http.errors import Problem
from api.http.paging import MAX_ENTRIES_READ, Found, is_entry_id, next_link, one_page, stream_cursor
from api.http.query import PageQuery

Entries = Iterator[tuple[str, str | None]]
TOP = (1 << 64) - 1


def entries(*items: str | None) -> Entries:
    return ((f"{9 - k}-0", item) for k, item in enumerate(items))


def request(query: str = "") -> Request:
    scope = {"type": "http", "scheme": "http", "server": ("host", 80), "headers": []}
    return Request({**scope, "path": "/api/v1/alarms", "query_string": query.encode()})


def test_a_page_ends_at_its_limit_with_a_cursor() -> None:
    assert one_page(entries("a", "b", "c"), 2) == Found(["a", "b"], "8-0")


@pytest.mark.parametrize("limit", [3, 4])
def test_the_last_page_has_no_cursor(limit: int) -> None:
    assert one_page(entries("a", "b", "c"), limit) == Found(["a", "b", "c"], "")


def test_a_stream_without_entries_has_one_empty_page() -> None:
    assert one_page(entries(), 10) == Found([], "")
    assert one_page(entries(None, None), 10) == Found([], "")


def test_entries_that_do_not_match_count_to_no_limit() -> None:
    assert one_page(entries(None, "a", None, "b", "c"), 2) == Found(["a", "b"], "6-0")


def test_a_falsy_item_is_an_item() -> None:
    assert one_page(entries("", None, "b"), 10).items == ["", "b"]


def test_a_filter_that_matches_nothing_reads_so_many_entries() -> None:
    read = count(1)
    endless: Entries = ((f"{n}-0", None) for n in read)
    assert one_page(endless, 1) == Found([], f"{MAX_ENTRIES_READ}-0")
    assert next(read) == MAX_ENTRIES_READ + 2, "one more than shown says that there is more"


def test_exactly_as_many_entries_as_are_read_end_the_list() -> None:
    whole: Entries = ((f"{n}-0", None) for n in range(MAX_ENTRIES_READ))
    assert one_page(whole, 1).cursor == ""


def test_pages_one_after_another_show_each_item_once() -> None:
    everything = list(entries("a", None, "b", "c", None, "d", "e"))
    shown, cursor = one_page(iter(everything), 2)
    while cursor:
        at = [name for name, _ in everything].index(cursor)
        more, cursor = one_page(iter(everything[at + 1 :]), 2)
        shown = shown + more
    assert shown == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("text", ["0-0", "1764000000000-3", f"{TOP}-{TOP}", "007-1"])
def test_two_numbers_of_64_bits_are_the_id_of_an_entry(text: str) -> None:
    assert is_entry_id(text)
    assert stream_cursor(PageQuery(cursor=text)) == text


BAD = [
    "1",
    "1-",
    "-1",
    "1-2-3",
    "+",
    "(1-0",
    "1-0\n",
    " 1-0",
    "1.5-0",
    f"{TOP + 1}-0",
    f"0-{TOP + 1}",
]


@pytest.mark.parametrize("text", [*BAD, "9" * 21 + "-0", "x" * 5000])
def test_a_cursor_that_no_page_gave_is_refused(text: str) -> None:
    assert not is_entry_id(text)
    with pytest.raises(Problem) as found:
        stream_cursor(PageQuery(cursor=text))
    assert (found.value.status_code, found.value.code) == (422, "invalid")
    assert found.value.errors[0]["field"] == "cursor"
    assert len(found.value.detail) < 200


def test_an_empty_cursor_is_the_first_page() -> None:
    assert stream_cursor(PageQuery()) == ""


def test_the_last_page_has_no_link() -> None:
    assert next_link(request("cursor=5-0"), "") is None


def parameters(link: str | None) -> list[tuple[str, str]]:
    path, _, query = (link or "").partition("?")
    assert path == "/api/v1/alarms"
    return sorted(parse_qsl(query))


def test_the_link_keeps_the_query_and_replaces_its_cursor() -> None:
    found = parameters(next_link(request("kind=a&cursor=9-0&kind=b&id=V%267"), "8-0"))
    assert found == [("cursor", "8-0"), ("id", "V&7"), ("kind", "a"), ("kind", "b")]
    assert next_link(request(), "8-0") == "/api/v1/alarms?cursor=8-0"


def test_the_link_takes_others_in_place_of_the_request() -> None:
    found = parameters(next_link(request("state=open&limit=2"), "8-0", state="closed"))
    assert found == [("cursor", "8-0"), ("limit", "2"), ("state", "closed")]
