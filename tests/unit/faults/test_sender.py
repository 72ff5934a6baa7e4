"""VTOX takes the messages of the harness, by both ways."""

from faults.sender import http_body, simulated_window, small_window
from vtox.pipeline.windows.json_windows import entry_fields
from vtox.pipeline.windows.wire import Limits, decode_header

LIMITS = Limits(8 << 20, 1_000_000)


def test_windows_are_the_same_by_both_ways() -> None:
    for make in (small_window, simulated_window):
        fields = make(3, 7, 1.7e9)
        by_http = entry_fields(http_body(fields), "M3")
        raw = {
            k.encode(): v if isinstance(v, bytes) else str(v).encode() for k, v in fields.items()
        }
        assert decode_header(by_http, LIMITS) == decode_header(raw, LIMITS)
        assert {k: v for k, v in by_http.items() if k in (b"ia", b"ib", b"ic")} == {
            k: raw[k] for k in (b"ia", b"ib", b"ic")
        }
