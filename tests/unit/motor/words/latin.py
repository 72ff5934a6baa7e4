"""Words of Latin letters that a Chinese sentence may hold."""

import re

UNITS = {
    "A",
    "V",
    "W",
    "Hz",
    "kHz",
    "kW",
    "MW",
    "m",
    "dB",
    "dBc",
    "s",
    "kB",
    "MB",
    "GB",
    "rpm",
    "mm",
    "nF",
    "M",  # of MΩ
    "uS",
    "deg",
    "C",
}
# As ISO 20958 and everybody write them.
SYMBOLS = {"I0", "I1", "I2", "V1", "V2", "BPFO", "BPFI", "BSF", "FTF", "a", "b", "c"}
NAMES = {
    "VTOX",
    "ISO",
    "NTP",
    "UTC",
    "OPC",
    "UA",
    "ID",
    "Flower",
    "XADD",
    "INFO",
    "MAXLEN",
    "XTRIM",
    "XDEL",
    "cluster.log",
}
# Names of fields that a user writes.
FIELDS = {
    "support",
    "ia",
    "ib",
    "ic",
    "va",
    "vb",
    "vc",
    "vab",
    "vbc",
    "vca",
    "leakage",
    "vibration",
    "seq",
    "run",
    "t0",
}
FIELDS |= {
    "bearing.designation",
    "throughput",
    "vibration_y",
    "vibration_z",
    "maxmemory",
    "bearing.orders",
}


def latin_words(text: str) -> set[str]:
    """The words of a text that are neither units, symbols nor names: English left over."""
    text = re.sub(r"\d[\d.]*e[+-]\d+", "", text)
    words = set(re.findall(r"[A-Za-z][\w.]*[A-Za-z0-9]|[A-Za-z]", text, re.ASCII))
    named = {w for w in words if w.startswith("VTOX_") or re.fullmatch(r"[a-z]+(_[a-z]+)+", w)}
    return words - named - UNITS - SYMBOLS - NAMES - FIELDS
