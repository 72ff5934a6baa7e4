"""Text files in the encodings that loggers and spreadsheets write."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from vtox.motor.errors import FileError
from vtox.motor.files.table import Certainty, Remark

HEAD_BYTES = 1 << 16
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# No line of a table is longer; a file without line ends is not read into memory.
MAX_LINE = 1 << 20
_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def encoding_of(path: Path, head: bytes) -> Remark:
    """Return the encoding of a text file by its beginning, how sure that is and why.

    Without a mark: UTF-16 by its zero bytes, then UTF-8, which other encodings hardly ever satisfy
    by chance. Then GB 18030 (with GBK and GB 2312) if bytes above 127 come in pairs, as Chinese
    characters do, and Windows-1252 if they are single, as `°` and `µ` do.

    Raises `FileError`: it is no text.
    """
    for mark, name in MARKS:
        if head.startswith(mark):
            return _encoding(name, "stated", "byte order mark")
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.3 * len(head) / 2 and min(even, odd) < 0.05 * len(head) / 2:
        return _encoding("utf-16-be" if even > odd else "utf-16-le", "likely", "zero bytes")
    if match := _CONTROL.search(head):
        raise FileError(
            "wrong_content",
            path,
            "of no format that is known, and no text either "
            f"(byte {match[0][0]} at position {match.start()}), expected a recording",
        )
    if _decodes(head, "utf-8"):
        return _encoding("utf-8", "stated" if head.isascii() else "likely", "all bytes fit")
    runs = _HIGH_RUNS.findall(head)
    paired = sum(len(run) % 2 == 0 for run in runs)
    if paired >= 0.5 * len(runs) and _decodes(head, "gb18030"):
        return _encoding("gb18030", "likely", f"{paired} of {len(runs)} runs of bytes are pairs")
    return _encoding("cp1252", "guess", "neither UTF-8 nor GBK")


def _encoding(name: str, certainty: Certainty, why: str) -> Remark:
    return Remark("encoding", name, certainty, why)


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        # A character may be cut at the end of the head.
        codecs.getincrementaldecoder(encoding)("strict").decode(head)
    except UnicodeDecodeError:
        return False
    return True


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file, with their ends.

    Raises `FileError`: a byte does not fit the encoding, a line is too long, or the file cannot be
    opened.
    """
    # Bytes that Windows-1252 leaves free are no reason to refuse a file of numbers.
    errors = "replace" if encoding == "cp1252" else "strict"
    number = 0
    try:
        with path.open(encoding=encoding, errors=errors) as file:
            while line := file.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    raise FileError(
                        "damaged", path, f"line {number}: longer than {MAX_LINE} characters"
                    )
                yield line
    except UnicodeError as error:
        raise FileError(
            "damaged", path, f"after line {number}: expected text in {encoding}: {error}"
        ) from error
    except OSError as error:
        raise FileError("damaged", path, f"{error.strerror}") from error


def last_line(path: Path, encoding: str) -> str:
    """Return the last line of a text file that is not blank, with its end if it has one."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - HEAD_BYTES) // 2 * 2)
        tail = file.read().decode(encoding, "ignore").replace("\r\n", "\n").replace("\r", "\n")
    return next((x for x in reversed(tail.splitlines(keepends=True)) if x.strip()), "")
