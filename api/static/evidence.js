// Where a diagnosis is seen: the spectrum, the record and the range that show the lines it rests on.

import { VIEWS } from "./texts.js";

const ROOM = 1.6,
  COMB_LINES = 3.4;

const range = (low, high) => ({ low: Math.max(0, low).toFixed(3), high: high.toFixed(3) });

function rangeOf(evidence) {
  const row = (kind) => evidence.find((e) => e.kind === kind);
  const searched = row("searched"),
    line = row("line"),
    comb = evidence.find((e) => e.defect && e.expected_hz);
  if (searched) {
    const reach = ROOM * Math.max(searched.high_hz, line ? searched.from_supply_hz - line.lower_hz : 0, 1);
    return range(searched.from_supply_hz - reach, searched.from_supply_hz + reach);
  }
  if (line) {
    const room = ((ROOM - 1) * (line.upper_hz - line.lower_hz)) / 2;
    return range(line.lower_hz - room, line.upper_hz + room);
  }
  return comb ? range(0, COMB_LINES * comb.expected_hz) : {};
}

export const whereSeen = (d) => (VIEWS[d.fault] ? { ...VIEWS[d.fault], ...rangeOf(d.evidence) } : null);
