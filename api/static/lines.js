// What the spectrum bench says in words: names of lines, numbers with units, the table of expected lines.

import { el, exact, faultName } from "./common.js";

export const REFERENCES = {
  "supply line": ["dBc", "% of the supply line", 100],
  "mean envelope": ["dB of the mean envelope", "% of the mean envelope", 100],
  "1 m/s^2 rms": ["dB of 1 m/s² rms", "m/s² rms", 1],
};
export const hertz = (hz, resolution = 0) => (hz === null ? "–" : `${hz.toFixed(resolution && resolution < 0.02 ? 4 : resolution && resolution < 0.5 ? 3 : 2)} Hz`);
export const decibel = (v, digits = 1) => (v === null || v === undefined ? "–" : `${v.toFixed(digits).replace("-", "−")} dB`);

// The tone of a line: above noise by the limit of its diagnosis, expected, or examined by no diagnosis of this record.
export const tone = (line) => (line.fault === null ? "other" : line.found ? "found" : "expected");
export const rank = (line) => ({ found: 0, expected: 1, other: 2 })[tone(line)];

export function linesTable(lines, resolution, zoom) {
  const columns = [["Line"], ["Formula"], ["Expected", 1], ["Band", 1], ["Measured at", 1], ["Level", 1], ["Above noise", 1], ["Baseline", 1], ["Diagnosis"]];
  const head = el("thead", {}, el("tr", {}, columns.map(([name, numeric]) => el("th", { scope: "col", class: numeric && "n" }, name))));
  const rows = [...lines].sort((a, b) => rank(a) - rank(b) || a.hz - b.hz).map((x) => {
    const cells = [
      el("button", { type: "button", class: "link", onclick: () => zoom(x) }, x.name), el("code", {}, x.formula), hertz(x.hz), x.high_hz > x.low_hz ? `±${((x.high_hz - x.low_hz) / 2).toFixed(2)}` : "–", hertz(x.found_hz, resolution), decibel(x.level_db, 2),
      x.level_db === null || x.floor_db === null ? "–" : decibel(x.level_db - x.floor_db), decibel(x.baseline_db), x.fault ? faultName(x.fault) : "–",
    ];
    return el("tr", { class: tone(x) }, cells.map((c, i) => el(i ? "td" : "th", { class: columns[i][1] && "n", "data-name": columns[i][0], scope: i ? null : "row" }, c)));
  });
  return [head, el("tbody", {}, rows)];
}

export function facts(pairs) {
  return pairs.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
}

// What the record and its operating point are.
export function recordFacts(s) {
  const r = s.record;
  return facts([
    ["Record", `${r.source === "stream" ? "latest" : "stored"}, ${exact(r.duration_s)} s, ${r.start ? r.start.replace("T", " ").slice(0, 19) : ""} UTC`],
    s.channels && ["Channel", s.channels.join(" + ")],
    s.band_low_hz !== undefined && s.band_low_hz !== null && ["Band", `${exact(s.band_low_hz)} to ${exact(s.band_high_hz)} Hz`],
    s.supply_hz && ["Supply f", hertz(s.supply_hz, 0.1)],
    s.slip !== undefined && s.slip !== null && ["Slip s", `${(100 * s.slip).toFixed(3)} % by ${s.slip_source}`],
    s.shaft_hz && ["Speed fr", `${hertz(s.shaft_hz, 0.1)}, ${(60 * s.shaft_hz).toFixed(1)} rpm`],
    s.resolution_hz && ["Resolution", `${exact(s.resolution_hz)} Hz`],
  ]);
}
