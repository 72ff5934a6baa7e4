// The spectrum bench of a machine: which record, kind and range are shown stands in the address, so that a view
// can be sent to a colleague. Levels are those that the diagnoses read.

import { byId, el, ended, exact, faultName, get, label, listed, put, Refused, sentenceCase, span } from "./common.js";
import { baseOf, choices, difference, familyOf, keyLine, keys, nearest } from "./compare.js";
import { hertz, levelsOf, lineName, linesTable, rank, recordFacts, REFERENCES, tone } from "./lines.js";
import { phasorDiagram, phasorFacts, phasorLabel } from "./phasors.js";
import { savePicture } from "./picture.js";
import { plot } from "./plot.js";
import { t } from "./texts.js";
import { second } from "./trendspan.js";
import { readRecords, ROW_POINTS, waterfall } from "./waterfall.js";

const KINDS = ["demodulated", "current", "envelope", "vibration", "waveform", "phasors"];
const OF_CURRENTS = ["ia", "ib", "ic"],
  OF_VIBRATION = ["vibration", "vibration_y", "vibration_z"];
const CHANNELS = { demodulated: [], current: OF_CURRENTS, envelope: OF_VIBRATION, vibration: OF_VIBRATION };
const KEPT = [
  "kind",
  "record",
  "family",
  "channel",
  "low",
  "high",
  "scale",
  "axis",
  "cursor",
  "at",
  "step",
  "over",
  "rows",
  "of",
];
const HARMONICS = 10,
  SIDEBANDS = 5;
// What is not kept is asked for less often: the server looks through all it has stored.
const FRESH_MS = 10_000,
  MISSING_MS = 60_000;
const WAVEFORM_S = 0.1;
const POINTS_PER_PX = 2;
const BELOW_DB = 25;

let drawnTools = "",
  touched = false,
  machine = "",
  view = {},
  shown = null,
  drawnAt = 0,
  over = false,
  asked = 0,
  stored = [],
  compared = null,
  compareError = "",
  secondStored = [],
  records = null,
  rated = null;

const number = (name) =>
  view[name] === undefined || view[name] === "" || Number.isNaN(Number(view[name])) ? null : Number(view[name]);
const kind = () => (KINDS.includes(view.kind) ? view.kind : "demodulated");
const levels = () => levelsOf(shown.reference, linear());
const linear = () => view.scale === "linear" || kind() === "waveform";
const orders = () => view.axis === "orders" && shown?.shaft_hz;
const BY = ["time", "load"];
const rows = () => (BY.includes(view.rows) && !["waveform", "phasors"].includes(kind()) ? view.rows : "");
const toX = (hz) => (hz === null ? null : orders() ? hz / shown.shaft_hz : hz);
const toHz = (x) => (x === null ? null : orders() ? x * shown.shaft_hz : x);

function readAddress() {
  const query = new URLSearchParams(location.search);
  view = Object.fromEntries(KEPT.filter((k) => query.has(k)).map((k) => [k, query.get(k)]));
}

// A change of the view: into the address, then drawn; only a change of data is asked for.
function change(changes, { ask = true } = {}) {
  touched = true;
  view = { ...view, ...changes };
  for (const k of KEPT) if (view[k] === null || view[k] === undefined || view[k] === "") delete view[k];
  // What is not of the bench stays: the range of the trends.
  const others = [...new URLSearchParams(location.search)].filter(([k]) => !KEPT.includes(k));
  const query = new URLSearchParams([...Object.entries(view), ...others]).toString();
  history.replaceState(null, "", `${location.pathname}${query && `?${query}`}${location.hash}`);
  drawTools();
  return ask ? load() : draw();
}

const chart = plot(byId("plot"), {
  zoom: (low, high) =>
    change({ low: low === null ? null : toHz(low).toFixed(4), high: high === null ? null : toHz(high).toFixed(4) }),
  read,
  pick,
});
const fall = waterfall({
  zoom: (low, high) =>
    change({ low: low === null ? null : low.toFixed(4), high: high === null ? null : high.toFixed(4) }),
});

// The values that are drawn: x and y in the units chosen, and the lines among them.
function series() {
  if (shown.t_s) {
    return {
      x: shown.t_s,
      y: shown.values,
      over: compared && { x: compared.t_s, y: compared.values },
      floor: null,
      marks: [],
      cursors: [],
      low: shown.start_s,
      high: shown.end_s,
      xName: t("bench.axis_time"),
      yName: t("bench.axis_channel", { channel: shown.channel, unit: shown.unit }),
    };
  }
  const [reference, factor] = REFERENCES[shown.reference];
  const level = (db) => (db === null ? null : linear() ? factor * 10 ** (db / 20) : db);
  return {
    x: shown.hz.map(toX),
    y: shown.levels_db.map(level),
    over: comparedSeries(level),
    floor: shown.floor_db.map(level),
    low: toX(shown.low_hz),
    high: toX(shown.high_hz),
    fromZero: linear(),
    below: linear() ? 0 : BELOW_DB,
    marks: shown.lines.map((m) => ({
      name: lineName(m),
      x: toX(m.hz),
      low: toX(m.low_hz),
      high: toX(m.high_hz),
      foundX: toX(m.found_hz),
      y: level(m.level_db),
      baseline: level(m.baseline_db),
      tone: tone(m),
      rank: rank(m),
    })),
    cursors: cursors().map((c) => ({ x: toX(c.hz), strong: c.k === (view.cursor === "sidebands" ? 0 : 1) })),
    xName: t(orders() ? "bench.axis_orders" : "bench.axis_frequency"),
    yName: t(`bench.reference_${reference}${linear() ? "_linear" : ""}`),
  };
}

// By the speed of its own shaft; a record without one is not drawn over orders.
function comparedSeries(level) {
  if (!compared || (orders() && !compared.shaft_hz)) return null;
  return { x: compared.hz.map((hz) => (orders() ? hz / compared.shaft_hz : hz)), y: compared.levels_db.map(level) };
}

function cursors() {
  const at = number("at"),
    step = number("step");
  if (!shown?.hz || at === null || at <= 0) return [];
  if (view.cursor === "harmonics")
    return Array.from({ length: HARMONICS }, (_, i) => ({ k: i + 1, hz: at * (i + 1) })).filter(
      (c) => c.hz <= shown.end_hz,
    );
  if (view.cursor !== "sidebands") return [];
  const sides = step ? Array.from({ length: 2 * SIDEBANDS + 1 }, (_, i) => i - SIDEBANDS) : [0];
  return sides.map((k) => ({ k, hz: at + k * (step ?? 0) })).filter((c) => c.hz > 0);
}

// The highest level within a line's width of a frequency.
function peak(hz) {
  const half = Math.max(shown.resolution_hz, 1e-9);
  let best = -1;
  for (let i = 0; i < shown.hz.length; i += 1) {
    if (
      Math.abs(shown.hz[i] - hz) <= half &&
      shown.levels_db[i] !== null &&
      (best < 0 || shown.levels_db[i] > shown.levels_db[best])
    )
      best = i;
  }
  return best;
}

function read(idx) {
  if (idx === null || idx === undefined || !shown?.record) return;
  if (shown.t_s)
    return put(
      "read",
      t("bench.read_sample", { time: shown.t_s[idx].toFixed(5), value: exact(shown.values[idx]), unit: shown.unit }) +
        (compared ? ` · ${t("bench.compared")} ${exact(nearest(compared, shown.t_s[idx]))} ${shown.unit}` : ""),
    );
  if (!shown.hz) return;
  const hz = shown.hz[idx],
    level = shown.levels_db[idx],
    floor = shown.floor_db[idx];
  const own = shown.lines.filter((m) => m.low_hz <= hz && hz <= m.high_hz).map(lineName);
  const parts = [
    hertz(hz, shown.resolution_hz),
    shown.shaft_hz && t("bench.read_orders", { orders: (hz / shown.shaft_hz).toFixed(3) }),
    shown.supply_hz &&
      shown.reference === "supply line" &&
      t("bench.read_from_supply", { distance: (hz - shown.supply_hz).toFixed(3).replace("-", "−") }),
    level === null ? t("bench.no_level") : t("bench.level", { level: levels().of(level, 2) }),
    level !== null && floor !== null && aboveNoise(level, floor),
    comparedAt(hz, level),
    own.length && listed(own),
  ];
  put("read", parts.filter(Boolean).join(" · "));
}

// What the other record has there, of orders at the same order.
function comparedAt(hz, level) {
  if (!comparedSeries((v) => v)) return "";
  const there = nearest(compared, orders() ? (hz / shown.shaft_hz) * compared.shaft_hz : hz);
  return there === null || level === null
    ? ""
    : t("bench.compared_level", { level: levels().of(there, 2), difference: difference(there - level) });
}

const aboveNoise = (level, floor) =>
  t(linear() ? "bench.of_noise" : "bench.above_noise", { level: levels().above(level, floor) });

function pick(idx) {
  if (!shown?.hz || !view.cursor) return;
  const near = peak(shown.hz[idx]);
  const hz = shown.hz[near < 0 ? idx : near];
  if (view.cursor === "harmonics") return change({ at: hz.toFixed(4) }, { ask: false });
  const centre = number("at");
  return change(centre === null ? { at: hz.toFixed(4) } : { step: Math.abs(hz - centre).toFixed(4) }, { ask: false });
}

function drawCursors() {
  const list = view.cursor ? cursors() : [];
  byId("cursors").hidden = !list.length;
  put(
    "cursors",
    list.map((c) => {
      const i = peak(c.hz);
      return el(
        "div",
        {},
        el(
          "dt",
          {},
          view.cursor === "harmonics" ? `${c.k} ×` : c.k ? `${c.k > 0 ? "+" : "−"}${Math.abs(c.k)}` : t("bench.centre"),
        ),
        el(
          "dd",
          {},
          hertz(c.hz, shown.resolution_hz),
          el(
            "span",
            {},
            i >= 0
              ? levels().of(shown.levels_db[i], 2)
              : c.hz < shown.low_hz || c.hz > shown.high_hz
                ? t("bench.outside")
                : "–",
          ),
        ),
      );
    }),
  );
}

// Who asks for the latest record and gets an older one must not take its numbers for those of the cards.
const drawBehind = () =>
  put(
    "behind",
    view.record || !shown?.record
      ? ""
      : shown.record.behind_s
        ? t("bench.not_latest", {
            time: shown.record.start.replace("T", " ").slice(0, 19),
            span: span(shown.record.behind_s),
          })
        : "",
  );

// The points in sight as a table, the picture, and the record as sound.
function drawExports() {
  const picture = el("button", { type: "button", class: "link", onclick: save }, t("bench.picture"));
  if (rows()) return put("exports", picture);
  if (shown.phasors) return put("exports");
  const table = (of) => `${path(of).replace(/points=\d+/, "points=8000")}&format=csv`;
  const sound = new URLSearchParams({
    format: "wav",
    ...(shown.channel || shown.channels?.length === 1 ? { channel: shown.channel ?? shown.channels[0] } : {}),
    ...(!view.record && view.family ? { family: view.family } : {}),
  });
  const links = [
    el("a", { href: table(view.record ?? machine), download: "" }, t("bench.points_csv")),
    compared && el("a", { href: table(view.over), download: "" }, t("bench.points_compared")),
    picture,
    el("a", { href: `${baseOf(view.record ?? machine)}/waveform?${sound}`, download: "" }, t("bench.listen")),
  ];
  return put(
    "exports",
    links.filter(Boolean).flatMap((link, i) => (i ? [" · ", link] : [link])),
  );
}

function save() {
  const what = t(`bench.kind_${kind()}`),
    of = rows() ? [] : keys(shown, compared);
  const notes = [...byId("about").children].map((n) =>
    label(n.querySelector("dt").textContent, n.querySelector("dd").textContent),
  );
  savePicture((rows() ? fall : chart).canvas(), {
    title: label(machine, rows() ? `${what} · ${t(`bench.rows_${rows()}`)}` : what),
    keys: of.map((k) => [k.tone, [], k.text]),
    notes,
    name: `vtox-${machine}-${kind()}`,
  });
}

function choosePlot() {
  byId("plot").hidden = Boolean(rows());
  byId("rowsplot").hidden = !rows();
}

function draw() {
  choosePlot();
  if (rows()) return drawRows();
  if (!shown) return;
  drawBehind();
  drawExports();
  put("keys", keyLine(keys(shown, compared)), compareError ? t("bench.not_compared", { why: compareError }) : "");
  if (shown.phasors) return drawPhasors();
  chart.ready();
  chart.show(series());
  const spoken = shown.hz
    ? t("bench.label_spectrum", {
        kind: t(`bench.kind_${kind()}`),
        low: hertz(shown.low_hz),
        high: hertz(shown.high_hz),
        found: shown.lines.filter((m) => m.found).length,
        lines: shown.lines.length,
      })
    : t("bench.label_waveform", { channel: shown.channel });
  byId("plot").setAttribute("aria-label", spoken);
  put("about", recordFacts(shown));
  const lines = shown.lines ?? [];
  byId("linesbox").hidden = !shown.hz;
  put(
    "lines",
    lines.length
      ? linesTable(lines, shown.resolution_hz, levels(), focus, compared)
      : el("tbody", {}, el("tr", {}, el("td", { class: "soft" }, t("bench.no_line_expected")))),
  );
  drawCursors();
  // Until a cursor reads something else: the line that stands out most.
  const best = lines
    .filter((m) => m.found && m.level_db !== null)
    .sort((a, b) => b.level_db - b.floor_db - a.level_db + a.floor_db)[0];
  if (best)
    put(
      "read",
      [
        label(lineName(best), hertz(best.found_hz, shown.resolution_hz)),
        t("bench.level", { level: levels().of(best.level_db, 2) }),
        aboveNoise(best.level_db, best.floor_db),
      ].join(" · "),
    );
  else put("read", lines.some((m) => m.fault) ? t("bench.no_line_found") : "");
}

function drawRows() {
  for (const id of ["behind", "keys"]) put(id);
  byId("cursors").hidden = true;
  if (!records) return;
  drawExports();
  fall.draw(records, {
    by: rows(),
    orders: view.axis === "orders",
    kind: t(`bench.kind_${kind()}`),
    unit: t(`bench.reference_${REFERENCES[records.spectra[0]?.reference ?? "supply line"][0]}`),
    rated,
    open: (r) =>
      change({
        record: r.source === "stream" ? null : r.record,
        rows: null,
        of: null,
        family: r.source === "stream" ? r.family : null,
      }),
  });
}

function drawPhasors() {
  chart.replace(phasorDiagram(shown));
  byId("plot").setAttribute("aria-label", phasorLabel(shown));
  put("about", recordFacts(shown), phasorFacts(shown));
  put(
    "read",
    shown.negative_sequence_ratio === null
      ? ""
      : t("bench.unbalance_read", { percent: (100 * shown.negative_sequence_ratio).toFixed(2) }),
  );
  byId("linesbox").hidden = byId("cursors").hidden = true;
}

// Zooms to one line, wide enough to see what stands beside it.
function focus(line) {
  const at = line.found_hz ?? line.hz;
  const half = Math.max(30 * shown.resolution_hz, 3 * (line.high_hz - line.low_hz), Math.abs(at - line.hz) * 3);
  change({ low: Math.max(0, at - half).toFixed(4), high: (at + half).toFixed(4) });
  byId("plot").focus({ preventScroll: true });
}

// What is asked of a record, or of the latest one of a machine.
function path(of = view.record ?? machine) {
  const base = baseOf(of),
    family = familyOf(of, view.family);
  if (kind() === "phasors") return `${base}/phasors${family ? `?family=${family}` : ""}`;
  const query = new URLSearchParams({
    points: Math.min(8000, Math.max(600, Math.round(byId("plot").clientWidth * POINTS_PER_PX))),
  });
  if (family) query.set("family", family);
  if (view.channel && kind() !== "demodulated") query.set("channel", view.channel);
  const low = number("low"),
    high = number("high");
  if (kind() === "waveform") {
    query.set("start_s", low ?? 0);
    query.set("end_s", high ?? (low ?? 0) + WAVEFORM_S);
    return `${base}/waveform?${query}`;
  }
  return `${base}/spectrum?${new URLSearchParams([...query, ...inRange()])}`;
}

function inRange() {
  const low = number("low"),
    high = number("high");
  return [
    ["kind", kind()],
    ...(low !== null && low > 0 ? [["low_hz", low]] : []),
    ...(high !== null ? [["high_hz", high]] : []),
  ];
}

// The other record, if one is asked for: why it cannot be shown does not take the first one away.
async function readCompared() {
  if (!view.over || kind() === "phasors") return [null, ""];
  try {
    return [(await get(path(view.over))).data, ""];
  } catch (error) {
    return [null, error instanceof Refused ? ended(error.message) : t("bench.not_read")];
  }
}

async function loadRows(turn) {
  const query = new URLSearchParams([
    ["points", ROW_POINTS],
    ...inRange(),
    ...(view.channel && kind() !== "demodulated" ? [["channel", view.channel]] : []),
  ]);
  const wanted = kind() === "envelope" || kind() === "vibration" ? OF_VIBRATION : OF_CURRENTS;
  const found = await readRecords({
    machine,
    channels: view.channel ? [view.channel] : wanted,
    family: view.of ?? view.family ?? storedFamily(),
    query,
    told: fall.told,
  });
  if (!found || turn !== asked) return;
  records = found;
  drawnAt = performance.now();
  drawTools();
  draw();
}
// Of the record that was in sight before.
const storedFamily = () => (view.record ? view.record.split("|")[0] : "");

async function load() {
  const turn = (asked += 1);
  byId("bench").setAttribute("aria-busy", "true");
  choosePlot();
  try {
    if (!recorded && !view.record) return clear(t("bench.no_record_yet"));
    if (rows()) return await loadRows(turn);
    const [answer, [other, why]] = await Promise.all([get(path()), readCompared()]);
    if (turn !== asked) return;
    shown = answer.data;
    [compared, compareError] = [other, why];
    drawnAt = performance.now();
    if (toolsFor() !== drawnTools) drawTools();
    draw();
  } catch (error) {
    if (turn !== asked) return;
    clear(error instanceof Refused ? ended(sentenceCase(error.message)) : t("bench.not_read"));
  } finally {
    if (turn === asked) byId("bench").removeAttribute("aria-busy");
  }
}

// Shows why there is nothing, in place of what was there.
function clear(why) {
  shown = records = null;
  drawnAt = performance.now();
  if (rows()) {
    fall.clear(why);
    return;
  }
  draw();
  chart.clear(why);
  for (const id of ["about", "behind", "read", "cursors", "keys", "exports"]) put(id);
  byId("linesbox").hidden = true;
}

const toggle = (text, pressed, onclick, title) =>
  el("button", { type: "button", "aria-pressed": String(Boolean(pressed)), onclick, title }, text);

// What the tools depend on besides the view: redrawn without need, they would lose what is being typed.
const toolsFor = () => JSON.stringify([shown?.record?.channels, Boolean(shown?.shaft_hz), rows()]);

function drawTools() {
  drawnTools = toolsFor();
  const focused = document.activeElement?.closest("#tools") ? document.activeElement.dataset.key : null;
  const isWave = kind() === "waveform",
    isPhasors = kind() === "phasors",
    noSpectrum = isWave || isPhasors,
    many = rows();
  const channels = isWave
    ? (shown?.record?.channels ?? [])
    : (CHANNELS[kind()] ?? []).filter((c) => !shown?.record || shown.record.channels.includes(c));
  const keyed = (node, key) => {
    node.dataset.key = key;
    return node;
  };
  const group = (label, ...nodes) => el("div", { role: "group", "aria-label": label, class: "group" }, nodes.flat(2));
  const select = (key, label, value, options) =>
    keyed(
      el(
        "select",
        {
          "aria-label": label,
          onchange: (e) => change({ [key]: e.target.value, ...(key === "record" ? { family: null } : {}) }),
        },
        options.map(([v, text]) => {
          const o = el("option", { value: v }, text);
          o.selected = v === value;
          return o;
        }),
      ),
      key,
    );
  const field = (key, label, unit) =>
    el(
      "label",
      {},
      label,
      keyed(
        el("input", {
          type: "number",
          step: "any",
          min: 0,
          value: view[key] ?? "",
          onchange: (e) => change({ [key]: e.target.value }, { ask: key === "low" || key === "high" }),
        }),
        key,
      ),
      unit,
    );
  put(
    "tools",
    group(
      t("bench.what_is_shown"),
      KINDS.map((k) =>
        keyed(
          toggle(t(`bench.kind_${k}`), k === kind(), () =>
            change({ kind: k, low: null, high: null, channel: null, family: null, at: null, step: null }),
          ),
          `kind-${k}`,
        ),
      ),
    ),
    noSpectrum
      ? []
      : group(
          t("bench.rows"),
          el("span", { class: "small soft" }, t("bench.rows")),
          ["", ...BY].map((by) =>
            keyed(
              toggle(t(`bench.rows_${by || "one"}`), by === many, () =>
                change({ rows: by || null, of: null, cursor: null, over: null }),
              ),
              `rows-${by}`,
            ),
          ),
        ),
    many
      ? records && Object.keys(records.counts).length > 1
        ? group(
            t("bench.of_family"),
            select(
              "of",
              t("bench.of_family"),
              records.family,
              Object.entries(records.counts).map(([family, n]) => [
                family,
                t("bench.families_records", { fault: faultName(family), n }),
              ]),
            ),
          )
        : []
      : group(t("bench.record"), select("record", t("bench.record"), view.record ?? "", recordOptions())),
    many || isPhasors
      ? []
      : group(
          t("bench.compare"),
          el(
            "label",
            {},
            t("bench.compare"),
            select(
              "over",
              t("bench.compare"),
              view.over ?? "",
              choices({ machine, record: view.record, over: view.over, stored, second: second(machine), secondStored }),
            ),
          ),
        ),
    channels.length
      ? group(
          t("bench.channel"),
          select("channel", t("bench.channel"), view.channel ?? "", [
            ...(isWave ? [] : [["", t(kind() === "envelope" ? "bench.clearest" : "bench.first")]]),
            ...channels.map((c) => [c, c]),
          ]),
        )
      : [],
    noSpectrum || many
      ? []
      : group(
          t("bench.level_scale"),
          keyed(
            toggle("dB", !linear(), () => change({ scale: null }, { ask: false })),
            "db",
          ),
          keyed(
            toggle(t("bench.linear"), linear(), () => change({ scale: "linear" }, { ask: false })),
            "linear",
          ),
        ),
    noSpectrum
      ? []
      : group(
          t("bench.frequency"),
          keyed(
            toggle("Hz", !(many ? view.axis === "orders" : orders()), () => change({ axis: null }, { ask: false })),
            "hz",
          ),
          keyed(
            toggle(
              t("bench.orders"),
              many ? view.axis === "orders" : orders(),
              () => change({ axis: "orders" }, { ask: false }),
              t("bench.orders_are"),
            ),
            "orders",
          ),
        ),
    noSpectrum || many
      ? []
      : group(
          t("bench.cursor"),
          ["", "harmonics", "sidebands"].map((c) =>
            keyed(
              toggle(t(`bench.cursor_${c || "single"}`), (view.cursor ?? "") === c, () =>
                change({ cursor: c, at: c === "sidebands" ? centre() : null, step: null }, { ask: false }),
              ),
              `cursor-${c}`,
            ),
          ),
        ),
    view.cursor && !noSpectrum && !many
      ? group(
          t("bench.cursor_numbers"),
          field("at", t(view.cursor === "harmonics" ? "bench.cursor_of" : "bench.centre"), "Hz"),
          view.cursor === "sidebands" ? field("step", t("bench.spacing"), "Hz") : [],
        )
      : [],
    isPhasors
      ? []
      : group(
          t("bench.range"),
          field("low", t("bench.from"), isWave ? "s" : "Hz"),
          field("high", t("bench.to"), isWave ? "s" : "Hz"),
          keyed(
            toggle("+", false, () => zoom(0.5), t("bench.zoom_in")),
            "in",
          ),
          keyed(
            toggle("−", false, () => zoom(2), t("bench.zoom_out")),
            "out",
          ),
          keyed(
            toggle(t("bench.all"), view.low === undefined && view.high === undefined, () =>
              change({ low: null, high: null }),
            ),
            "all",
          ),
        ),
  );
  for (const node of byId("tools").querySelectorAll(".group:empty")) node.remove();
  put("help", t(`bench.help_${many ? "waterfall" : isPhasors ? "phasors" : (!isWave && view.cursor) || "plot"}`));
  if (focused) byId("tools").querySelector(`[data-key="${focused}"]`)?.focus();
}

const centre = () => (shown?.supply_hz && shown.reference === "supply line" ? shown.supply_hz.toFixed(4) : null);

function recordOptions() {
  const kept = stored.map((w) => [w.record, `${w.start?.replace("T", " ").slice(0, 19)} · ${faultName(w.family)}`]);
  if (view.record && !stored.some((w) => w.record === view.record)) kept.push([view.record, view.record]);
  return [
    ["", view.family ? t("bench.latest_of", { fault: faultName(view.family).toLowerCase() }) : t("bench.latest")],
    ...kept,
  ];
}

function zoom(factor) {
  const first = rows() ? records?.spectra[0] : shown;
  if (!first || first.phasors) return;
  const [from, to] = first.hz ? [first.low_hz, first.high_hz] : [first.start_s, first.end_s];
  const middle = (from + to) / 2,
    half = ((to - from) / 2) * factor;
  change({ low: Math.max(0, middle - half).toFixed(4), high: (middle + half).toFixed(4) });
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50 };
function keyed(e) {
  const size = e.shiftKey ? 10 : 1;
  if (rows() && e.key in STEPS) fall.move(STEPS[e.key] * size, 0);
  else if (rows() && (e.key === "ArrowUp" || e.key === "ArrowDown")) fall.move(0, e.key === "ArrowUp" ? 1 : -1);
  else if (e.key in STEPS) chart.move(STEPS[e.key] * size);
  else if (e.key === "+" || e.key === "=") zoom(0.5);
  else if (e.key === "-") zoom(2);
  else if (e.key === "0") change({ low: null, high: null });
  else return;
  e.preventDefault();
}
for (const id of ["plot", "rowsplot"]) byId(id).addEventListener("keydown", keyed);
byId("bench").addEventListener("pointerenter", () => {
  over = true;
});
byId("bench").addEventListener("pointerleave", () => {
  over = false;
});
addEventListener("popstate", () => {
  readAddress();
  drawTools();
  load();
});
addEventListener("secondmachine", readSecond);
// The stored records of the second machine of the trends can be compared too.
async function readSecond() {
  const name = second(machine);
  secondStored = name
    ? await get(`/api/v1/machines/${encodeURIComponent(name)}/evidence?limit=10`).then(
        (page) => page.data,
        () => [],
      )
    : [];
  if (byId("tools").childElementCount) drawTools();
}

// Shows what a link of the page asks for, without leaving it.
export function show(changes) {
  const cleared = Object.fromEntries(KEPT.filter((k) => !["scale", "axis"].includes(k)).map((k) => [k, null]));
  byId("bench").scrollIntoView({ block: "start" });
  byId("plot").focus({ preventScroll: true });
  return change({ ...cleared, ...changes });
}

// Begins with the address, or with what the machine's worst fault is seen in.
export function start(id, first) {
  machine = id;
  readAddress();
  if (!view.kind) view = { ...first, ...view };
  else touched = view.low !== undefined || view.high !== undefined;
  drawTools();
  readSecond();
  return load();
}

// What loads are shares of.
export const setRated = (current_a) => {
  rated = current_a ?? null;
};

// Whether the machine has a record: without one there is nothing to ask for. The first one is asked for at once.
let recorded = true;
export function setRecorded(has) {
  if (has && !recorded) drawnAt = -Infinity;
  recorded = has;
}

export function setStored(waveforms) {
  stored = waveforms;
  if (byId("tools").childElementCount) drawTools();
}

// The latest record moves on; who looks closely is not disturbed.
export function follow() {
  const box = byId("bench").getBoundingClientRect();
  const visible = box.bottom > 0 && box.top < innerHeight;
  const still = view.record || over || touched || rows();
  const there = rows() ? records : shown;
  if (visible && (!there || !still) && performance.now() - drawnAt > (there ? FRESH_MS : MISSING_MS)) {
    drawnAt = performance.now();
    return load();
  }
  return null;
}
