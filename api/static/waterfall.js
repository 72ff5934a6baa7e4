// The stored records of a machine as a waterfall over time or over load: what is read, on which scale, and the table
// that says the same. Only what is stored is drawn.

import { byId, count, el, ended, exact, faultName, get, listed, num, put, Refused, sentenceCase } from "./common.js";
import { decibel, facts, hertz, lineName, rank, tone } from "./lines.js";
import { t } from "./texts.js";
import { waterfallPlot } from "./waterfallplot.js";

// Of one family at most so many, the newest; points of each, and the columns in which they are drawn.
const MOST = 60,
  LISTED = 200,
  POINTS = 1500,
  COLUMNS = 640;
const LINES_IN_TABLE = 4;
// The ground is a little below the noise.
const BELOW_FLOOR_DB = 6;

const stamp = (r) => (r.start ? r.start.replace("T", " ").slice(0, 19) : "–");
const middle = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
};
// Spectra of stored records do not change while the machine's nameplate does not.
const known = new Map(),
  KNOWN_MOST = 400;

let shown = null,
  turn = 0;

// Which records there are of each family, and those of one of them with their spectra, the oldest first.
export async function readRecords({ machine, channels, family, query, told }) {
  const mine = (turn += 1);
  const address = `/api/v1/machines/${encodeURIComponent(machine)}`;
  const stored = (await get(`${address}/evidence?limit=${LISTED}`)).data.filter((w) =>
    w.channels.some((c) => channels.includes(c)),
  );
  const counts = {};
  for (const w of stored) counts[w.family] = (counts[w.family] ?? 0) + 1;
  const of = family || Object.keys(counts).sort((a, b) => counts[b] - counts[a])[0];
  const chosen = stored.filter((w) => !of || w.family === of).slice(0, MOST);
  const found = [],
    failed = [];
  const read = async (path, keep) => {
    if (keep && known.has(path)) return known.get(path);
    const answer = (await get(path)).data;
    if (known.size >= KNOWN_MOST) known.clear();
    if (keep) known.set(path, answer);
    return answer;
  };
  for (const [i, w] of chosen.entries()) {
    if (mine !== turn) return null;
    try {
      found.push(await read(`/api/v1/evidence/${encodeURIComponent(w.record)}/spectrum?${query}`, true));
    } catch (error) {
      failed.push(error);
    }
    told(i + 1, chosen.length);
  }
  try {
    const latest = await read(
      `${address}/spectrum?${new URLSearchParams([...query, ...(of ? [["family", of]] : [])])}`,
      false,
    );
    if (!found.some((s) => s.record.record === latest.record.record) && (!of || latest.record.family === of))
      found.unshift(latest);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return mine === turn
    ? { spectra: found, failed, counts, family: of ?? "", stored: stored.filter((w) => w.family === of).length }
    : null;
}
export const ROW_POINTS = POINTS;

// The highest level in each column; between two bins that are wider than a column, along the line between them.
function levelsIn(s, toX, low, high) {
  const levels = Array(COLUMNS).fill(null),
    holes = new Set();
  const column = (hz) => Math.floor(((toX(s, hz) - low) / (high - low)) * COLUMNS);
  s.hz.forEach((hz, i) => {
    const c = column(hz),
      v = s.levels_db[i];
    if (c < 0 || c >= COLUMNS) return;
    if (v === null) holes.add(c);
    else if (levels[c] === null || v > levels[c]) levels[c] = v;
  });
  let last = -1;
  for (let c = 0; c < COLUMNS; c += 1) {
    if (levels[c] === null) {
      if (holes.has(c)) last = -1;
      continue;
    }
    for (let k = last + 1; last >= 0 && k < c; k += 1)
      levels[k] = levels[last] + ((levels[c] - levels[last]) * (k - last)) / (c - last);
    last = c;
  }
  return levels;
}

const loadText = (s, rated) =>
  s.load_a === null
    ? "–"
    : rated
      ? t("bench.load_of_rated", { load: num(s.load_a, 2), percent: num((100 * s.load_a) / rated, 0) })
      : `${num(s.load_a, 2)} A`;

export function waterfall(events) {
  const box = byId("rowsplot");
  const chart = waterfallPlot(box, {
    zoom: (low, high) => {
      if (low === null || !shown.orders) return events.zoom(low, high);
      const shafts = shown.rows.map((r) => r.s.shaft_hz);
      return events.zoom(low * Math.min(...shafts), high * Math.max(...shafts));
    },
    read: (r, idx) => {
      const { s, levels } = shown.rows[r],
        x = shown.x[idx],
        level = levels[idx];
      const place = shown.orders
        ? [t("bench.read_orders", { orders: x.toFixed(3) }), hertz(x * s.shaft_hz, s.resolution_hz)]
        : [hertz(x, s.resolution_hz), s.shaft_hz && t("bench.read_orders", { orders: (x / s.shaft_hz).toFixed(3) })];
      put(
        "read",
        [
          `${stamp(s.record)} UTC`,
          loadText(s, shown.rated),
          ...place,
          level === null ? t("bench.no_level") : t("bench.level", { level: decibel(level) }),
        ]
          .filter(Boolean)
          .join(" · "),
      );
    },
  });

  function clear(text) {
    put("exports");
    chart.clear();
    shown = null;
    box.replaceChildren(el("p", { class: "blank" }, text));
    for (const id of ["lines", "about"]) put(id);
    byId("linesbox").hidden = true;
  }

  // `by`: "time" or "load". What has no load, or no speed where orders are asked for, has no place.
  function draw({ spectra, failed, counts, family, stored }, { by, orders, kind, unit, rated, open }) {
    const without = [];
    const fits = (s) =>
      by === "load" && s.load_a === null
        ? without.push("load") && false
        : orders && !s.shaft_hz
          ? without.push("speed") && false
          : true;
    const used = spectra
      .filter(fits)
      .sort(by === "load" ? (a, b) => a.load_a - b.load_a : (a, b) => a.record.t_start - b.record.t_start);
    const why = failed.length ? t("bench.records_failed", { n: failed.length, why: ended(failed[0].message) }) : "";
    const left = without.length
      ? t("bench.records_without", { n: without.length, what: t(`bench.what_${without[0]}`) })
      : "";
    if (!used.length) return clear([t("bench.no_records"), sentenceCase(left), why].filter(Boolean).join(" "));
    const toX = (s, hz) => (orders ? hz / s.shaft_hz : hz);
    const low = Math.min(...used.map((s) => toX(s, s.low_hz))),
      high = Math.max(...used.map((s) => toX(s, s.high_hz)));
    const rows = used.map((s) => {
      const levels = levelsIn(s, toX, low, high);
      const marks = s.lines
        .filter((m) => m.fault && m.found_hz !== null && m.level_db !== null)
        .map((m) => ({ x: toX(s, m.found_hz), level: m.level_db, tone: tone(m) }))
        .filter((m) => m.x >= low && m.x <= high);
      return {
        s,
        levels,
        marks,
        highest: Math.max(...levels.filter((v) => v !== null), ...marks.map((m) => m.level)),
        label: by === "load" ? num(s.load_a, 2) : stamp(s.record),
        short: by === "load" ? num(s.load_a, 2) : stamp(s.record).slice(5, 16),
      };
    });
    const base = middle(rows.map((r) => middle(r.s.floor_db.filter((v) => v !== null)))) - BELOW_FLOOR_DB;
    const top = rows.at(-1).s;
    shown = {
      rows,
      x: Array.from({ length: COLUMNS }, (_, c) => low + ((c + 0.5) * (high - low)) / COLUMNS),
      orders,
      rated,
    };
    chart.show({
      x: shown.x,
      rows,
      base,
      low,
      high,
      labelPx: by === "load" ? 52 : 142,
      narrowPx: by === "load" ? 46 : 88,
      names: top.lines
        .filter((m) => m.fault || rank(m) === 2)
        .map((m) => ({ name: lineName(m), x: toX(top, m.found_hz ?? m.hz), tone: tone(m), rank: rank(m) })),
      xName: t(orders ? "bench.axis_orders" : "bench.axis_frequency"),
      yName: t(`bench.axis_rows_${by}`),
    });
    box.setAttribute(
      "aria-label",
      t("bench.label_waterfall", { kind, n: rows.length, low: hertz(top.low_hz), high: hertz(top.high_hz) }),
    );
    drawTable([...rows].reverse(), open);
    const times = [...used].sort((a, b) => a.record.t_start - b.record.t_start),
      loads = used.map((s) => s.load_a).filter((v) => v !== null);
    put(
      "about",
      facts([
        [
          t("bench.rows"),
          listed(
            [
              t(rows.length === 1 ? "bench.record_at" : "bench.records_between", {
                n: rows.length,
                from: stamp(times[0].record),
                to: stamp(times.at(-1).record),
              }),
              stored > MOST && t("bench.records_newest", { n: MOST, of: stored }),
              left,
              why,
            ].filter(Boolean),
          ),
        ],
        family && [t("bench.of_family"), faultName(family)],
        loads.length && [
          t("bench.load"),
          loads.length === 1
            ? `${num(loads[0], 2)} A`
            : t("bench.records_loads", { low: num(Math.min(...loads), 2), high: num(Math.max(...loads), 2) }),
        ],
        [t("bench.level_scale"), unit],
        [t("bench.resolution"), `${exact(top.resolution_hz)} Hz`],
      ]),
    );
    put("read", rows.length === 1 ? t("bench.few_records") : "");
    return null;
  }

  // The records with their operating points, and the level of each line that a diagnosis examines.
  function drawTable(rows, open) {
    const seen = new Map();
    for (const { s } of rows)
      for (const m of s.lines) if (m.fault && m.level_db !== null) seen.set(m.name, (seen.get(m.name) ?? 0) + 1);
    const names = [...seen]
      .sort((a, b) => b[1] - a[1])
      .slice(0, LINES_IN_TABLE)
      .map(([name]) => name);
    const columns = [
      [t("bench.column_record")],
      [t("bench.column_load"), 1],
      [t("bench.column_slip"), 1],
      [t("bench.column_speed"), 1],
      ...names.map((n) => [sentenceCase(lineName({ name: n })), 1]),
    ];
    const cells = ({ s }) => [
      el("button", { type: "button", class: "link", onclick: () => open(s.record) }, stamp(s.record)),
      loadText(s, shown.rated),
      s.slip === null ? "–" : `${(100 * s.slip).toFixed(2)} %`,
      s.shaft_hz ? `${(60 * s.shaft_hz).toFixed(0)} rpm` : "–",
      ...names.map((n) => {
        const m = s.lines.find((x) => x.name === n);
        return m?.level_db === null || !m
          ? "–"
          : el("span", { class: m.found ? "word fault" : "" }, decibel(m.level_db));
      }),
    ];
    byId("linesbox").hidden = false;
    put(
      "lines",
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          columns.map(([name, numeric]) => el("th", { scope: "col", class: numeric && "n" }, name)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((r) =>
          el(
            "tr",
            {},
            cells(r).map((c, i) =>
              el(
                i ? "td" : "th",
                { class: columns[i][1] && "n", "data-name": columns[i][0], scope: i ? null : "row" },
                c,
              ),
            ),
          ),
        ),
      ),
    );
  }

  return {
    draw,
    clear,
    move: chart.move,
    canvas: chart.canvas,
    notes: () => (shown ? shown.rows.length : 0),
    told: (n, of) => {
      if (!shown) put("read", t("bench.reading", { n: count(n), of: count(of) }));
    },
  };
}
