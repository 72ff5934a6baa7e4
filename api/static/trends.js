// The trends of a machine from the history: one chart for each fault and for the health, over the time that the
// reader chooses. The choice stands in the address.

import { byId, count, el, ended, exact, faultName, get, linkTable, listed, marked, pill, put, Refused, sentenceCase, sentences, span, stateWord } from "./common.js";
import { FAULTS, keysFrom, language, locale, rich, t } from "./texts.js";
import { trendPlot } from "./trendplot.js";

const MINUTE = 60, HOUR = 3600, DAY = 86_400;
// Up to `points` steps, or records where each is shown.
const RANGES = {
  minutes: { s: 10 * MINUTE, points: 2000 },
  hour: { s: HOUR, points: 500 },
  day: { s: DAY, points: 500 },
  week: { s: 7 * DAY, points: 500 },
  month: { s: 30 * DAY, points: 500 },
  year: { s: 365 * DAY, points: 500 },
};
const last = () => t(`trends.last_${range()}`);
const DEFAULT = "minutes";
const OF_FAULTS = ["health", ...FAULTS];
// Level of each line that a diagnosis reads, by its quantity in the history.
const OF_LINES = FAULTS.flatMap((fault) => keysFrom(`trends.line_${fault}_`)).map((key) => key.replace(/^trends\.line_/, ""));
const ASSESSMENTS = "vehicle_health_assessments";
// Records come in pages of all faults.
const PAGES = 5;
const FRESH_MS = 10_000, LONG_FRESH_MS = 60_000;
const NAMED_MISSES = 5;
const AWAY_S = 30;

let address = "", lead = "", asked = 0, askedAt = -Infinity, shown = null, recorder = null, pointed = null;
// Each quantity's figure, made once: a poll changes what it shows, not the node that has the focus.
const figures = {};

const range = () => { const name = new URLSearchParams(location.search).get("range"); return RANGES[name] ? name : DEFAULT; };
const KINDS = ["faults", "lines", "scalars"];
const kind = () => { const name = new URLSearchParams(location.search).get("trend"); return KINDS.includes(name) ? name : "faults"; };
const isScalar = (name) => name.startsWith("scalar:");
const order = () => ({ faults: OF_FAULTS, lines: OF_LINES, scalars: Object.keys(shown?.series ?? {}).filter(isScalar) })[kind()];
const scalarTitle = (name) => { const [, of, unit] = name.match(/^scalar:([^:]+):(.*)$/); return `${of.replaceAll("_", " ")} (${unit})`; };
const title = (name) => (isScalar(name) ? scalarTitle(name) : name === "health" ? t("trends.health") : OF_LINES.includes(name) ? t(`trends.line_${name}`) : faultName(name));

const exactly = (t) => new Date(1000 * t).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });

function clock(t, withDay = RANGES[range()].s > HOUR) {
  const day = { day: "numeric", month: "short", ...(RANGES[range()].s > 30 * DAY ? { year: "numeric" } : {}) };
  const time = { hour: "2-digit", minute: "2-digit", ...(shown?.step_s ? {} : { second: "2-digit" }) };
  return new Date(1000 * t).toLocaleString(locale, { ...(withDay ? day : {}), ...(shown?.step_s >= DAY ? {} : time) });
}

async function history() {
  const { s, points } = RANGES[range()];
  const to = Date.now() / 1000;
  const query = new URLSearchParams({ from_t: (to - s).toFixed(3), to_t: to.toFixed(3), points, ...(kind() === "faults" ? {} : { of: kind() }) });
  linkTable(`${address}/history`, query);
  let all = null;
  for (let path = `${address}/history?${query}`, n = 0; path && n < PAGES; n += 1) {
    const page = await get(path);
    path = page.next;
    if (!all) { all = { ...page.data, from: to - s, to }; continue; }
    for (const [name, columns] of Object.entries(page.data.series)) {
      all.series[name] ??= Object.fromEntries(Object.keys(columns).map((c) => [c, []]));
      for (const [c, values] of Object.entries(columns)) all.series[name][c] = all.series[name][c].concat(values);
    }
    all.missed.push(...page.data.missed);
  }
  return all;
}

// The time that each step or record stands for; null where there is none.
function cellsOf(s, stepS) {
  const pauses = s.t.slice(1).map((t, i) => t - s.t[i]).sort((a, b) => a - b);
  const usual = pauses[pauses.length >> 1] ?? 1;
  return s.t.map((t, i) => {
    if (s.state[i] === null) return null;
    const from = stepS ? t : i && s.state[i - 1] !== null ? s.t[i - 1] : t - usual;
    return { from, to: stepS ? t + stepS : t, state: s.state[i], threshold: s.threshold[i] };
  });
}

// Where nothing was recorded between the first record and the last.
function gapsOf(cells) {
  const known = cells.filter(Boolean);
  return known.slice(1).flatMap((c, i) => (c.from - known[i].to > 1e-3 ? [[known[i].to, c.from]] : []));
}

function countsText(counts) {
  const totals = {};
  for (const c of counts) totals[c.state] = (totals[c.state] ?? 0) + c.records;
  return ["fault", "warning", "normal", "unknown"].filter((s) => totals[s]).map((s) => t("trends.count", { n: totals[s], state: stateWord(s) })).join(" · ");
}

function gapsText(gaps) {
  if (!gaps.length) return "";
  const longest = span(Math.max(...gaps.map(([from, to]) => to - from)));
  return gaps.length === 1 ? t("trends.one_gap", { longest }) : t("trends.gaps", { n: gaps.length, longest });
}

// What the cursor stands on, or the last step that has a record.
function readAt(name, time) {
  const f = figures[name], { columns: s, cells } = f;
  let i = cells.findLastIndex(Boolean);
  if (time !== null) i = f.x.reduce((best, x, k) => (Math.abs(x - time) < Math.abs(f.x[best] - time) ? k : best), 0);
  if (i < 0) return put(f.read, t("trends.no_record"));
  const when = shown.step_s && shown.step_s < DAY ? t("trends.from_to", { from: clock(s.t[i]), to: clock(s.t[i] + shown.step_s, false) }) : clock(s.t[i]);
  if (!cells[i]) return put(f.read, `${when} · ${t("trends.no_record")}`);
  const wide = shown.step_s && s.min[i] !== null && s.max[i] > s.min[i];
  const parts = [s.mean[i] === null ? t("trends.no_statistic") : shown.step_s ? t("trends.mean", { value: exact(s.mean[i]) }) : exact(s.mean[i]), wide && t("trends.between", { low: exact(s.min[i]), high: exact(s.max[i]) }), s.threshold[i] !== null && t("trends.threshold", { value: exact(s.threshold[i]) }), shown.step_s && t("trends.records", { n: s.n[i] })];
  return put(f.read, s.state[i] ? pill(s.state[i]) : "", ` ${when} · ${parts.filter(Boolean).join(" · ")}`, s.code[i] ? [" · ", el("code", {}, s.code[i])] : []);
}

function point(t) {
  pointed = t;
  for (const name of Object.keys(figures)) if (!figures[name].node.hidden) readAt(name, t);
}

function figureOf(name) {
  if (figures[name]) return figures[name];
  const read = el("p", { class: "trendread small" });
  const box = el("div", { class: "plot trend", tabindex: 0, role: "img", "aria-describedby": "trendhelp", "data-trend": name });
  const caption = el("p", { class: "soft small" });
  const node = el("figure", { class: "trendbox" }, el("h3", {}, title(name)), read, box, caption);
  const f = (figures[name] = { node, read, box, caption, x: [], cells: [], columns: null });
  f.plot = trendPlot(box, exact, { cursor: (t) => { for (const other of Object.values(figures)) if (other !== f) other.plot.point(t); point(t); } });
  box.addEventListener("keydown", (e) => keyed(e, f));
  // Read aloud is only what has the focus.
  box.addEventListener("focus", () => read.setAttribute("role", "status"));
  box.addEventListener("blur", () => { read.removeAttribute("role"); pointAll(null); });
  return f;
}

function pointAll(t) {
  for (const f of Object.values(figures)) f.plot.point(t);
  point(t);
}

function keyed(e, f) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
  const last = f.x.length - 1;
  const at = pointed === null ? last + 1 : f.x.findIndex((x) => x >= pointed - 1e-6);
  if (e.key in steps) pointAll(f.x[Math.min(Math.max((at < 0 ? last : at) + steps[e.key], 0), last)]);
  else if (e.key === "Home") pointAll(f.x[0]);
  else if (e.key === "End") pointAll(f.x[last]);
  else if (e.key === "Escape") pointAll(null);
  else return;
  e.preventDefault();
}

function drawFigure(name) {
  const f = figureOf(name), s = shown.series[name], stepS = shown.step_s;
  f.columns = s;
  f.cells = cellsOf(s, stepS);
  // The middle of what is shown of a step: the last one has not ended.
  f.x = s.t.map((t) => (Math.max(t, shown.from) + Math.min(t + stepS, shown.to)) / 2);
  const gaps = gapsOf(f.cells);
  const missed = shown.missed.filter((m) => (m.stream === ASSESSMENTS) === (name === "health")).map((m) => [m.from_t, m.to_t]);
  const known = s.mean.filter((v) => v !== null);
  const counts = `${countsText(shown.counts[name] ?? [])}${gapsText(gaps)}`;
  put(f.caption, counts, known.length ? "" : t("trends.no_statistics"));
  const [low, high] = [Math.min(...s.min.filter((v) => v !== null)), Math.max(...s.max.filter((v) => v !== null))];
  f.box.setAttribute("aria-label", t(known.length ? "trends.label_between" : "trends.label", { title: title(name), last: last(), low: exact(low), high: exact(high), counts }));
  f.node.hidden = false;
  // The trend of the fault that the machine has stands by its card.
  const place = byId(name === lead ? "leadtrend" : "trends");
  if (f.node.parentNode !== place) place.append(f.node);
  f.plot.show({ x: f.x, min: s.min, mean: s.mean, max: s.max, threshold: s.threshold, cells: f.cells.filter(Boolean), gaps, missed, from: shown.from, to: shown.to, numbers: known.length > 0, limits: name === "health" ? [0, 105] : null });
  readAt(name, null);
}

// In words: what is absent, and why.
function absence() {
  const until = shown.recorded_until_t;
  const present = order().filter((n) => shown.series[n]);
  // A machine has the lines that its channels show: those that it has not are no news.
  const absent = kind() !== "faults" ? [] : order().filter((n) => !shown.series[n]).map(title).map((n, i) => (i ? n.toLowerCase() : n));
  const lines = [];
  if (until === null) lines.push([el("b", {}, t("trends.no_history")), ...rich("trends.needs_recorder", { up: el("code", {}, "vtox up"), recorder: el("code", {}, "vtox recorder") })]);
  else if (!present.length) lines.push([el("b", {}, t("trends.no_record_in", { last: last() })), t("trends.try_longer")]);
  else if (absent.length) lines.push(t("trends.no_record_of", { last: last(), names: listed(absent) }));
  // What it missed is said below; of an absence that lasts the check knows.
  if (recorder?.status === "warn" && (until === null || shown.to - until > AWAY_S)) lines.push([el("b", {}, until === null ? t("trends.nothing_recorded") : t("trends.recorded_until", { time: exactly(until) })), ...marked(`${ended(recorder.observed)}${sentenceCase(recorder.remedy ?? "")}`)]);
  const missed = shown.missed.slice(-NAMED_MISSES).map((m) => t(m.stream === ASSESSMENTS ? "trends.missed_assessments" : "trends.missed_diagnoses", { n: m.entries ?? t("trends.unknown_number"), from: exactly(m.from_t), to: exactly(m.to_t) }));
  if (missed.length) lines.push([el("b", {}, t("trends.not_recorded")), t("trends.why_missed", { missed: sentences(missed) })]);
  return lines.map((l) => el("p", {}, l));
}

function draw() {
  put("trendnote", absence());
  byId("leadpanel").hidden = !shown.series[lead];
  for (const name of Object.keys(figures)) if (!shown.series[name]) figures[name].node.hidden = true;
  const present = order().filter((n) => shown.series[n]);
  byId("trendhelp").hidden = !present.length;
  present.forEach(drawFigure);
}

async function load() {
  const turn = (asked += 1);
  askedAt = performance.now();
  try {
    const [found, status] = await Promise.all([history(), get("/api/v1/cluster/status")]);
    if (turn !== asked) return;
    shown = found;
    const checks = status.data.checks.filter((c) => c.name === "recorder");
    recorder = checks.find((c) => c.status !== "pass") ?? checks[0];
    draw();
  } catch (error) {
    if (turn !== asked) return;
    put("trendnote", el("p", {}, el("b", {}, t("trends.not_read")), error instanceof Refused ? ended(sentenceCase(error.message)) : "", t("trends.keeps_trying")));
  }
}

// One of the choices that stand in the address; the usual one does not.
function choose(key, name, usual) {
  const query = new URLSearchParams(location.search);
  if (name === usual) query.delete(key); else query.set(key, name);
  window.history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  drawRanges();
  load();
}

function drawRanges() {
  if (!byId("ranges").childElementCount) put("ranges", Object.keys(RANGES).map((name) => el("button", { type: "button", onclick: () => choose("range", name, DEFAULT), "data-range": name }, t(`trends.range_${name}`))));
  if (!byId("trendof").childElementCount) put("trendof", KINDS.map((name) => el("button", { type: "button", onclick: () => choose("trend", name, "faults"), "data-of": name }, t(`trends.of_${name}`))));
  for (const b of byId("trendof").children) b.setAttribute("aria-pressed", String(b.dataset.of === kind()));
  for (const b of byId("ranges").children) b.setAttribute("aria-pressed", String(b.dataset.range === range()));
}

// Reads the history at first, and again from time to time while it is seen and nobody points at it.
export function followTrends(machineAddress, fault) {
  address = machineAddress;
  if (fault !== lead && shown) { lead = fault; draw(); }
  lead = fault;
  drawRanges();
  const box = byId("trendpanel").getBoundingClientRect();
  const visible = box.bottom > 0 && box.top < innerHeight;
  const pause = RANGES[range()].s > HOUR ? LONG_FRESH_MS : FRESH_MS;
  if (!shown ? performance.now() - askedAt < FRESH_MS : !visible || pointed !== null || performance.now() - askedAt < pause) return;
  load();
}
addEventListener("popstate", () => { if (address) { drawRanges(); load(); } });
