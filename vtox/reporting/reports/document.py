"""A report as one HTML file: a page for people, and the contents as JSON in a block of data.

The block is a script element that no browser runs. It has the contents and the hash of each of
their parts, and that of the page around it.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from vtox.motor.values.codec import encode
from vtox.reporting.reports.contents import (
    Contents,
    contents_from_json,
    data_hash,
    part_hashes,
)
from vtox.reporting.reports.errors import ReportError

# Mail takes attachments of 25 MB, and browsers open that at once.
MAX_REPORT_MB = 24
# Largest file that is read: reports of other versions may be larger.
MAX_FILE_MB = 128
BEGIN = '<script type="application/json" id="vtox-report">'
END = "</script>"
# Place of the block in the page of `vtox.reporting.reports.page`.
PLACE = "<!-- data -->"
PAGE = "page"


@dataclass(frozen=True, slots=True)
class Report:
    """Content of a file: the contents of the report, the hashes it names, and the page."""

    contents: Contents
    hashes: dict[str, str]
    page: str


def document(contents: Contents, page: str) -> str:
    """Return a page with the contents in it.

    Raises `ReportError`: it would be too large.
    """
    before, _, after = page.partition(PLACE)
    hashes = part_hashes(contents) | {PAGE: _page_hash(before, after)}
    data = encode(contents).decode()
    block = f'{{"contents":{data},"sha256":{json.dumps(hashes)}}}'
    # So that no text can end the block.
    text = f"{before}{BEGIN}{block.replace('<', chr(92) + 'u003c')}{END}{after}"
    if len(text) > MAX_REPORT_MB * 1_000_000:
        raise _too_large(contents, len(text))
    return text


def read_report(path: Path) -> Report:
    """Return the report in a file, each of its parts as it was when it was made.

    Raises `ReportError`: it is no report, is damaged, or is of a later form.
    """
    text = _file_text(path)
    before, begin, rest = text.partition(BEGIN)
    block, end, after = rest.partition(END)
    if not begin:
        raise ReportError(
            "not_a_report", f"{path}: no report of VTOX, expected a file that `vtox report` wrote"
        )
    if not end or BEGIN in after:
        raise ReportError("damaged", f"{path}: the block of data has no end", part="data")
    contents_text, hashes = _block_parts(block)
    contents = contents_from_json(contents_text)
    computed = part_hashes(contents) | {PAGE: _page_hash(before, after)}
    damaged = sorted(n for n in computed if hashes.get(n) != computed[n])
    if damaged or set(hashes) != set(computed):
        part = ", ".join(damaged) or "hashes"
        raise ReportError("damaged", f"{part}: not as it was when the report was made", part=part)
    return Report(contents, hashes, f"{before}{PLACE}{after}")


def hash_of_data(contents: Contents) -> str:
    """Return the SHA-256 of all parts but the page, which shows it."""
    return data_hash(part_hashes(contents))


def _too_large(contents: Contents, size: int) -> ReportError:
    """Return why a report is too large, and how to shorten it."""
    mb = size / 1e6
    share = MAX_REPORT_MB / mb
    longest = max(contents.records, key=lambda r: sum(len(c.data) for c in r.channels))
    seconds = longest.channels[0].samples / longest.fs_hz
    remedy = (
        f"give a shorter recording (of {longest.name}, {seconds:.4g} s long, "
        f"about {seconds * share * 0.9:.3g} s fit) or fewer channels (--map)"
        if len(contents.records) == 1
        else "give fewer recordings"
    )
    return ReportError(
        "too_large", f"the report would take {mb:.0f} MB, at most {MAX_REPORT_MB}", remedy=remedy
    )


def _file_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_MB << 20:
            raise ReportError("not_a_report", f"{path}: larger than {MAX_FILE_MB} MiB")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ReportError("not_a_report", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ReportError("damaged", f"{path}: not UTF-8 at byte {error.start}") from error


def _block_parts(block: str) -> tuple[str, dict[str, str]]:
    """Return the text of the contents and the hashes of a block.

    The contents stay text, for they are read once, by their own shapes.
    """
    head, tail = '{"contents":', ',"sha256":'
    contents, found, rest = block.rpartition(tail)
    try:
        hashes = json.loads(rest.removesuffix("}")) if found else None
    except (ValueError, RecursionError):
        hashes = None
    if not contents.startswith(head) or not isinstance(hashes, dict):
        raise ReportError("damaged", "the block of data cannot be read", part="data")
    return contents.removeprefix(head), {str(k): str(v) for k, v in hashes.items()}


def _page_hash(before: str, after: str) -> str:
    return hashlib.sha256(f"{before}{PLACE}{after}".encode()).hexdigest()
