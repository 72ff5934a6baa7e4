// Where a diagnosis is seen: the spectrum, the record and the range that show the lines it rests on.

const ROOM = 1.6;

const row = (d, kind) => d.evidence.find((e) => e.kind === kind);
const range = (low, high) => ({ low: Math.max(0, low).toFixed(3), high: high.toFixed(3) });

const WHERE = {
  broken_bar(d) {
    const searched = row(d, "searched"), line = row(d, "line");
    const first = { kind: "demodulated", family: "broken_bar" };
    if (!searched) return first;
    const reach = ROOM * Math.max(searched.high_hz, line ? searched.from_supply_hz - line.lower_hz : 0, 1);
    return { ...first, ...range(searched.from_supply_hz - reach, searched.from_supply_hz + reach) };
  },
  eccentricity(d) {
    const line = row(d, "line");
    const first = { kind: "demodulated", family: "bearing" };
    if (!line) return first;
    const room = (ROOM - 1) * (line.upper_hz - line.lower_hz) / 2;
    return { ...first, ...range(line.lower_hz - room, line.upper_hz + room) };
  },
  bearing(d) {
    const first = { kind: "envelope", family: "bearing" };
    const leading = d.evidence.find((e) => e.defect && e.expected_hz);
    return leading ? { ...first, ...range(0, 3.4 * leading.expected_hz) } : first;
  },
  turn_short: () => ({ kind: "phasors", family: "turn_short" }),
  insulation: () => ({ kind: "waveform", family: "turn_short", channel: "leakage" }),
};

export const whereSeen = (d) => WHERE[d.fault]?.(d) ?? null;
