// What the spectrum bench says in words: names of lines, numbers with units, the table of expected lines.

import { el, exact, faultName, listed, sourceWord, span } from "./common.js";
import { hasText, t } from "./texts.js";

// What 0 dB is: the word of its texts, factor and unit of the linear scale.
export const REFERENCES = {
  "supply line": ["supply_line", 100, "%"],
  "mean envelope": ["mean_envelope", 100, "%"],
  "1 m/s^2 rms": ["acceleration", 1, "m/s²"],
};
export const hertz = (hz, resolution = 0) =>
  hz === null ? "–" : `${hz.toFixed(resolution && resolution < 0.02 ? 4 : resolution && resolution < 0.5 ? 3 : 2)} Hz`;
export const decibel = (v, digits = 1) =>
  v === null || v === undefined ? "–" : `${v.toFixed(digits).replace("-", "−")} dB`;

// How levels are read, in dB or on the linear scale of what they refer to: a level, and one against the noise.
export function levelsOf(reference, linear) {
  if (!linear) return { of: decibel, above: (db, floor) => decibel(db - floor) };
  const [, factor, unit] = REFERENCES[reference];
  return {
    of: (db) => (db === null || db === undefined ? "–" : `${exact(factor * 10 ** (db / 20))} ${unit}`),
    above: (db, floor) => `${exact(10 ** ((db - floor) / 20))} ×`,
  };
}

// The tone of a line: above noise by the limit of its diagnosis, expected, or examined by no diagnosis of this record.
export const tone = (line) => (line.fault === null ? "other" : line.found ? "found" : "expected");
// "2 x shaft" is a multiple of the line named behind it.
export function lineName(line) {
  const [, k, base] = /^(?:(\d+) x )?(.*)$/.exec(line.name);
  const key = `bench.line_${base.replaceAll(" ", "_")}`;
  const name = hasText(key) ? t(key) : base;
  return k ? t("bench.line_multiple", { k, name }) : name;
}
export const rank = (line) => ({ found: 0, expected: 1, other: 2 })[tone(line)];

export function linesTable(lines, resolution, levels, zoom, compared) {
  const columns = [
    [t("bench.column_line")],
    [t("bench.column_formula")],
    [t("bench.column_expected"), 1],
    [t("bench.column_band"), 1],
    [t("bench.column_measured"), 1],
    [t("bench.column_level"), 1],
    [t("bench.column_above"), 1],
    [t("bench.column_baseline"), 1],
    ...(compared ? [[t("bench.column_compared"), 1]] : []),
    [t("bench.column_diagnosis")],
  ];
  const head = el(
    "thead",
    {},
    el(
      "tr",
      {},
      columns.map(([name, numeric]) => el("th", { scope: "col", class: numeric && "n" }, name)),
    ),
  );
  const rows = [...lines]
    .sort((a, b) => rank(a) - rank(b) || a.hz - b.hz)
    .map((x) => {
      const cells = [
        el("button", { type: "button", class: "link", onclick: () => zoom(x) }, lineName(x)),
        el("code", {}, x.formula),
        hertz(x.hz),
        x.high_hz > x.low_hz ? `±${((x.high_hz - x.low_hz) / 2).toFixed(2)}` : "–",
        hertz(x.found_hz, resolution),
        levels.of(x.level_db, 2),
        x.level_db === null || x.floor_db === null ? "–" : levels.above(x.level_db, x.floor_db),
        levels.of(x.baseline_db),
        ...(compared ? [levels.of(compared.lines?.find((m) => m.name === x.name)?.level_db, 2)] : []),
        x.fault ? faultName(x.fault) : "–",
      ];
      return el(
        "tr",
        { class: tone(x) },
        cells.map((c, i) =>
          el(i ? "td" : "th", { class: columns[i][1] && "n", "data-name": columns[i][0], scope: i ? null : "row" }, c),
        ),
      );
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
    [
      t("bench.record"),
      listed(
        [
          t("bench.record_facts", {
            source: t(r.source === "stream" ? "bench.latest" : "bench.stored"),
            seconds: exact(r.duration_s),
            start: r.start ? r.start.replace("T", " ").slice(0, 19) : "",
          }),
          r.behind_s && t("bench.behind", { span: span(r.behind_s) }),
        ].filter(Boolean),
      ),
    ],
    s.channels && [t("bench.channel"), s.channels.join(" + ")],
    s.band_low_hz !== undefined &&
      s.band_low_hz !== null && [
        t("bench.band"),
        t("bench.band_from_to", { low: exact(s.band_low_hz), high: exact(s.band_high_hz) }),
      ],
    s.supply_hz && [t("bench.supply_f"), hertz(s.supply_hz, 0.1)],
    s.slip !== undefined &&
      s.slip !== null && [
        t("bench.slip_s"),
        t("bench.slip_by", { percent: (100 * s.slip).toFixed(3), source: sourceWord(s.slip_source) }),
      ],
    s.shaft_hz && [t("bench.speed_fr"), `${hertz(s.shaft_hz, 0.1)}, ${(60 * s.shaft_hz).toFixed(1)} rpm`],
    s.load_a !== undefined && s.load_a !== null && [t("bench.load"), `${exact(s.load_a)} A`],
    s.resolution_hz && [t("bench.resolution"), `${exact(s.resolution_hz)} Hz`],
  ]);
}
