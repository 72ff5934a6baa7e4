// The trends of a machine from the history: one chart for each fault and for the health, over the time that the
// reader chooses, with the marks of what happened and, if asked for, a second machine.

import {
  byId,
  el,
  ended,
  exact,
  faultName,
  get,
  label,
  linkTable,
  listed,
  marked,
  pill,
  put,
  Refused,
  sentenceCase,
  sentences,
  span,
  stateWord,
} from "./common.js";
import { savePicture } from "./picture.js";
import { FAULTS, keysFrom, locale, rich, t } from "./texts.js";
import { drawMarks, icon, marksOf, markText, ofFault } from "./trendmarks.js";
import { trendPlot } from "./trendplot.js";
import { choose, drawSpan, second, setUpSpan, timeSpan, timeWords } from "./trendspan.js";

const HOUR = 3600,
  DAY = 86_400;
const OF_FAULTS = ["health", ...FAULTS];
// Level of each line that a diagnosis reads, by its quantity in the history, and the fault that it is a sign of.
const FAULT_OF = Object.fromEntries(
  FAULTS.flatMap((fault) => keysFrom(`trends.line_${fault}_`).map((key) => [key.replace(/^trends\.line_/, ""), fault])),
);
const OF_LINES = Object.keys(FAULT_OF);
const ASSESSMENTS = "vehicle_health_assessments";
// Records come in pages of all faults.
const PAGES = 5;
const FRESH_MS = 10_000,
  LONG_FRESH_MS = 60_000;
const NAMED_MISSES = 5;
const AWAY_S = 30;
// Marks as near to the cursor as this share of the time are read with it.
const NEAR = 0.012,
  NAMED_MARKS = 2;
const NOTHING = { t: [], state: [], code: [], n: [], min: [], mean: [], max: [], threshold: [], severity: [] };

let address = "",
  lead = "",
  asked = 0,
  askedAt = -Infinity,
  shown = null,
  recorder = null,
  pointed = null,
  own = "",
  zoom = null;
// Each quantity's figure, made once: a poll changes what it shows, not the node that has the focus.
const figures = {};

const KINDS = ["faults", "lines", "scalars"];
const kind = () => {
  const name = new URLSearchParams(location.search).get("trend");
  return KINDS.includes(name) ? name : "faults";
};
const isScalar = (name) => name.startsWith("scalar:");
const present = (name) => Boolean(shown?.series[name] ?? shown?.other?.series[name]);
const order = () =>
  ({
    faults: OF_FAULTS,
    lines: OF_LINES,
    scalars: [...new Set([...Object.keys(shown?.series ?? {}), ...Object.keys(shown?.other?.series ?? {})])].filter(
      isScalar,
    ),
  })[kind()];
const scalarParts = (name) => name.match(/^scalar:([^:]+):(.*)$/).slice(1);
const scalarTitle = (of, unit) => `${of.replaceAll("_", " ")} (${unit})`;
const title = (name) =>
  isScalar(name)
    ? scalarTitle(...scalarParts(name))
    : name === "health"
      ? t("trends.health")
      : FAULT_OF[name]
        ? t(`trends.line_${name}`)
        : label(faultName(name), t(`words.statistic_${name}`));
// What the numbers of a trend are.
const axisName = (name) =>
  isScalar(name)
    ? scalarParts(name)[1]
    : name === "health"
      ? t("trends.axis_health")
      : FAULT_OF[name]
        ? t(`trends.line_${name}`).split(/[,，]\s*/)[1]
        : sentenceCase(t(`words.statistic_${name}`));
const zone = () =>
  new Intl.DateTimeFormat(locale, { timeZoneName: "short" })
    .formatToParts(1000 * shown.to)
    .find((p) => p.type === "timeZoneName").value;

const exactly = (t) => new Date(1000 * t).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });

function clock(t, withDay = timeSpan().length > HOUR) {
  const day = { day: "numeric", month: "short", ...(timeSpan().length > 30 * DAY ? { year: "numeric" } : {}) };
  const time = { hour: "2-digit", minute: "2-digit", ...(shown?.step_s ? {} : { second: "2-digit" }) };
  return new Date(1000 * t).toLocaleString(locale, { ...(withDay ? day : {}), ...(shown?.step_s >= DAY ? {} : time) });
}

async function history(of, { from, to, points }) {
  const query = new URLSearchParams({
    from_t: from.toFixed(3),
    to_t: to.toFixed(3),
    points,
    ...(kind() === "faults" ? {} : { of: kind() }),
  });
  let all = null;
  for (let path = `${of}/history?${query}`, n = 0; path && n < PAGES; n += 1) {
    const page = await get(path);
    path = page.next;
    if (!all) {
      all = { ...page.data, from, to, query };
      continue;
    }
    for (const [name, columns] of Object.entries(page.data.series)) {
      all.series[name] ??= Object.fromEntries(Object.keys(columns).map((c) => [c, []]));
      for (const [c, values] of Object.entries(columns)) all.series[name][c] = all.series[name][c].concat(values);
    }
    all.missed.push(...page.data.missed);
  }
  return all;
}

// The same of a second machine: what goes wrong with it does not take the first one's away.
async function secondHistory(name, time) {
  if (!name) return null;
  try {
    return { ...(await history(`/api/v1/machines/${encodeURIComponent(name)}`, time)), name };
  } catch (error) {
    return {
      name,
      series: {},
      error: error instanceof Refused ? ended(sentenceCase(error.message)) : t("trends.not_read"),
    };
  }
}

// The time that each step or record stands for; null where there is none.
function cellsOf(s, stepS) {
  const pauses = s.t
    .slice(1)
    .map((t, i) => t - s.t[i])
    .sort((a, b) => a - b);
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
  return ["fault", "warning", "normal", "unknown"]
    .filter((s) => totals[s])
    .map((s) => t("trends.count", { n: totals[s], state: stateWord(s) }))
    .join(" · ");
}

function gapsText(gaps) {
  if (!gaps.length) return "";
  const longest = span(Math.max(...gaps.map(([from, to]) => to - from)));
  return gaps.length === 1 ? t("trends.one_gap", { longest }) : t("trends.gaps", { n: gaps.length, longest });
}

// What the cursor stands on, or the last step that has a record.
function readRow({ x, columns: s, cells }, time) {
  let i = cells.findLastIndex(Boolean);
  if (time !== null && x.length)
    i = x.reduce((best, v, k) => (Math.abs(v - time) < Math.abs(x[best] - time) ? k : best), 0);
  if (i < 0) return [t("trends.no_record")];
  const when =
    shown.step_s && shown.step_s < DAY
      ? t("trends.from_to", { from: clock(s.t[i]), to: clock(s.t[i] + shown.step_s, false) })
      : clock(s.t[i]);
  if (!cells[i]) return [`${when} · ${t("trends.no_record")}`];
  const wide = shown.step_s && s.min[i] !== null && s.max[i] > s.min[i];
  const parts = [
    s.mean[i] === null
      ? t("trends.no_statistic")
      : shown.step_s
        ? t("trends.mean", { value: exact(s.mean[i]) })
        : exact(s.mean[i]),
    wide && t("trends.between", { low: exact(s.min[i]), high: exact(s.max[i]) }),
    s.threshold[i] !== null && t("trends.threshold", { value: exact(s.threshold[i]) }),
    shown.step_s && t("trends.records", { n: s.n[i] }),
  ];
  return [
    s.state[i] ? pill(s.state[i]) : "",
    ` ${when} · ${parts.filter(Boolean).join(" · ")}`,
    ...(s.code[i] ? [" · ", el("code", {}, s.code[i])] : []),
  ];
}

const key = (cls, name) => el("b", { class: `key ${cls}` }, name);

function readAt(name, time) {
  const f = figures[name];
  // Room for both: a chart must not move under the pointer.
  f.read.parentElement.classList.toggle("both", Boolean(shown.other));
  put(f.read, ...(shown.other ? [key("own", own), " "] : []), ...readRow(f, time));
  put(f.readOther, ...(f.other ? [key("second", shown.other.name), " ", ...readRow(f.other, time)] : []));
  const near =
    time === null
      ? []
      : f.marks
          .filter((m) => Math.abs(m.t - time) <= NEAR * (shown.to - shown.from))
          .sort((a, b) => Math.abs(a.t - time) - Math.abs(b.t - time));
  put(
    f.readMarks,
    ...near.slice(0, NAMED_MARKS).flatMap((m) => [icon(m.shape), ` ${clock(m.t)} · ${markText(m)} `]),
    near.length > NAMED_MARKS ? `+${near.length - NAMED_MARKS}` : "",
  );
}

function point(t) {
  pointed = t;
  for (const name of Object.keys(figures)) if (!figures[name].node.hidden) readAt(name, t);
}

function figureOf(name) {
  if (figures[name]) return figures[name];
  const read = el("p"),
    readOther = el("p"),
    readMarks = el("p", { class: "markread small soft" });
  const reads = el("div", { class: "trendread small" }, read, readOther);
  const box = el("div", {
    class: "plot trend",
    tabindex: 0,
    role: "img",
    "aria-describedby": "trendhelp",
    "data-trend": name,
  });
  const caption = el("p", { class: "soft small" });
  const save = el(
    "button",
    {
      type: "button",
      class: "link small",
      onclick: () => saveFigure(name),
      "aria-label": t("trends.picture_of", { title: title(name) }),
    },
    t("bench.picture"),
  );
  const node = el(
    "figure",
    { class: "trendbox" },
    el("div", { class: "trendhead" }, el("h3", {}, title(name)), save),
    reads,
    box,
    readMarks,
    caption,
  );
  const f = (figures[name] = {
    node,
    read,
    readOther,
    readMarks,
    box,
    caption,
    x: [],
    cells: [],
    columns: NOTHING,
    other: null,
    marks: [],
    times: [],
  });
  f.plot = trendPlot(box, exact, {
    cursor: (t) => {
      for (const other of Object.values(figures)) if (other !== f) other.plot.point(t);
      point(t);
    },
    zoom,
  });
  box.addEventListener("keydown", (e) => keyed(e, f));
  // Read aloud is only what has the focus.
  const spoken = [reads, readMarks];
  box.addEventListener("focus", () => {
    for (const n of spoken) n.setAttribute("role", "status");
  });
  box.addEventListener("blur", () => {
    for (const n of spoken) n.removeAttribute("role");
    pointAll(null);
  });
  return f;
}

function saveFigure(name) {
  const f = figures[name],
    keys = shown.other
      ? [
          ["accent", [], own],
          ["second", [2, 3], shown.other.name],
        ]
      : [];
  savePicture(f.plot.canvas(), {
    title: `${own} · ${title(name)}`,
    keys,
    notes: [`${exactly(shown.from)} – ${exactly(shown.to)} (${zone()})`],
    name: `vtox-${own}-${name}`,
  });
}

function pointAll(t) {
  for (const f of Object.values(figures)) f.plot.point(t);
  point(t);
}

function keyed(e, f) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
  const last = f.times.length - 1;
  const at = pointed === null ? last + 1 : f.times.findIndex((x) => x >= pointed - 1e-6);
  const middle = pointed ?? (shown.from + shown.to) / 2,
    quarter = (shown.to - shown.from) / 4;
  if (e.key in steps) pointAll(f.times[Math.min(Math.max((at < 0 ? last : at) + steps[e.key], 0), last)]);
  else if (e.key === "Home") pointAll(f.times[0]);
  else if (e.key === "End") pointAll(f.times[last]);
  else if (e.key === "Escape") pointAll(null);
  else if (e.key === "+" || e.key === "=") zoom(middle - quarter, middle + quarter);
  else if (e.key === "-") zoom(middle - 4 * quarter, middle + 4 * quarter);
  else if (e.key === "0") zoom(null, null);
  else return;
  e.preventDefault();
}

// What is drawn of a quantity of one machine.
function drawnOf(series, name) {
  const columns = series[name] ?? NOTHING,
    stepS = shown.step_s;
  // The middle of what is shown of a step: the last one has not ended.
  return {
    columns,
    cells: cellsOf(columns, stepS),
    x: columns.t.map((t) => (Math.max(t, shown.from) + Math.min(t + stepS, shown.to)) / 2),
  };
}

const numbersOf = (columns, kinds) => kinds.flatMap((k) => columns[k]).filter((v) => v !== null);

function drawFigure(name) {
  const f = figureOf(name);
  Object.assign(f, drawnOf(shown.series, name), { other: shown.other ? drawnOf(shown.other.series, name) : null });
  f.marks = ofFault(shown.marks, name === "health" ? null : (FAULT_OF[name] ?? name));
  f.times = [...new Set([...f.x, ...(f.other?.x ?? [])])].sort((a, b) => a - b);
  const s = f.columns,
    gaps = gapsOf(f.cells);
  const missed = shown.missed
    .filter((m) => (m.stream === ASSESSMENTS) === (name === "health"))
    .map((m) => [m.from_t, m.to_t]);
  const known = numbersOf(s, ["mean"]),
    numbers = known.length + (f.other ? numbersOf(f.other.columns, ["mean"]).length : 0) > 0;
  const counts = `${countsText(shown.counts[name] ?? [])}${gapsText(gaps)}`;
  const otherCounts =
    f.other && `${shown.other.name}: ${countsText(shown.other.counts?.[name] ?? []) || t("trends.no_record")}`;
  put(
    f.caption,
    counts,
    known.length || !counts ? "" : t("trends.no_statistics"),
    otherCounts ? [counts ? " · " : "", otherCounts].join("") : "",
  );
  const [low, high] = [Math.min(...numbersOf(s, ["min"])), Math.max(...numbersOf(s, ["max"]))];
  const spoken = t(known.length ? "trends.label_between" : "trends.label", {
    title: title(name),
    last: timeWords(),
    low: exact(low),
    high: exact(high),
    counts: counts || t("trends.no_record"),
  });
  f.box.setAttribute(
    "aria-label",
    [spoken, otherCounts, f.marks.length ? t("trends.label_marks", { n: f.marks.length }) : ""]
      .filter(Boolean)
      .join("; "),
  );
  f.node.hidden = false;
  // The trend of the fault that the machine has stands by its card.
  const place = byId(name === lead ? "leadtrend" : "trends");
  if (f.node.parentNode !== place) place.append(f.node);
  const other = f.other?.x.length ? { x: f.other.x, mean: f.other.columns.mean } : null;
  f.plot.show({
    x: f.x,
    min: s.min,
    mean: s.mean,
    max: s.max,
    threshold: s.threshold,
    cells: f.cells.filter(Boolean),
    gaps,
    missed,
    from: shown.from,
    to: shown.to,
    numbers,
    limits: name === "health" ? [0, 105] : null,
    other,
    marks: f.marks,
    xName: t("trends.axis_time", { zone: zone() }),
    yName: axisName(name),
  });
  readAt(name, pointed);
}

// In words: what is absent, and why.
function absence() {
  const until = shown.recorded_until_t;
  const found = order().filter(present);
  // A machine has the lines that its channels show: those that it has not are no news.
  const absent =
    kind() !== "faults"
      ? []
      : order()
          .filter((n) => !present(n))
          .map(title)
          .map((n, i) => (i ? n.toLowerCase() : n));
  const lines = [];
  if (until === null)
    lines.push([
      el("b", {}, t("trends.no_history")),
      ...rich("trends.needs_recorder", { up: el("code", {}, "vtox up"), recorder: el("code", {}, "vtox recorder") }),
    ]);
  else if (!found.length)
    lines.push([el("b", {}, t("trends.no_record_in", { last: timeWords() })), t("trends.try_longer")]);
  else if (absent.length) lines.push(t("trends.no_record_of", { last: timeWords(), names: listed(absent) }));
  // What it missed is said below; of an absence that lasts the check knows.
  if (recorder?.status === "warn" && (until === null || shown.to - until > AWAY_S))
    lines.push([
      el("b", {}, until === null ? t("trends.nothing_recorded") : t("trends.recorded_until", { time: exactly(until) })),
      ...marked(`${ended(recorder.observed)}${sentenceCase(recorder.remedy ?? "")}`),
    ]);
  if (shown.other?.error) lines.push([el("b", {}, `${shown.other.name}: `), shown.other.error]);
  const missed = shown.missed.slice(-NAMED_MISSES).map((m) =>
    t(m.stream === ASSESSMENTS ? "trends.missed_assessments" : "trends.missed_diagnoses", {
      n: m.entries ?? t("trends.unknown_number"),
      from: exactly(m.from_t),
      to: exactly(m.to_t),
    }),
  );
  if (missed.length)
    lines.push([el("b", {}, t("trends.not_recorded")), t("trends.why_missed", { missed: sentences(missed) })]);
  return lines.map((l) => el("p", {}, l));
}

function draw() {
  put("trendnote", absence());
  drawMarks(shown.marks, shown.complete, exactly, pointAll);
  byId("leadpanel").hidden = !present(lead);
  for (const name of Object.keys(figures)) if (!present(name)) figures[name].node.hidden = true;
  const found = order().filter(present);
  byId("trendhelp").hidden = !found.length;
  for (const name of Object.keys(figures)) if (!found.includes(name)) figures[name].node.hidden = true;
  found.forEach(drawFigure);
}

async function load() {
  const turn = (asked += 1);
  askedAt = performance.now();
  const time = timeSpan();
  try {
    const between = new URLSearchParams({ from_t: time.from.toFixed(3), to_t: time.to.toFixed(3), limit: 500 });
    const [found, other, events, status] = await Promise.all([
      history(address, time),
      secondHistory(second(own), time),
      get(`${address}/events?${between}`),
      get("/api/v1/cluster/status"),
    ]);
    if (turn !== asked) return;
    linkTable(`${address}/history`, found.query);
    shown = { ...found, other, marks: marksOf(events.data.events), complete: events.data.complete };
    const checks = status.data.checks.filter((c) => c.name === "recorder");
    recorder = checks.find((c) => c.status !== "pass") ?? checks[0];
    drawSpan(own);
    draw();
  } catch (error) {
    if (turn !== asked) return;
    put(
      "trendnote",
      el(
        "p",
        {},
        el("b", {}, t("trends.not_read")),
        error instanceof Refused ? ended(sentenceCase(error.message)) : "",
        t("trends.keeps_trying"),
      ),
    );
  }
}

const changed = () => {
  drawControls();
  load();
  dispatchEvent(new Event("secondmachine"));
};

function drawControls() {
  drawSpan(own);
  if (!byId("trendof").childElementCount)
    put(
      "trendof",
      KINDS.map((name) =>
        el(
          "button",
          {
            type: "button",
            onclick: () => {
              choose({ trend: name === "faults" ? null : name });
              changed();
            },
            "data-of": name,
          },
          t(`trends.of_${name}`),
        ),
      ),
    );
  for (const b of byId("trendof").children) b.setAttribute("aria-pressed", String(b.dataset.of === kind()));
}

// Reads the history at first, and again from time to time while it is seen and nobody points at it.
export function followTrends(machineAddress, fault) {
  if (!address) {
    address = machineAddress;
    own = decodeURIComponent(address.split("/").pop());
    zoom = setUpSpan(own, changed).zoom;
    drawControls();
  }
  if (fault !== lead && shown) {
    lead = fault;
    draw();
  }
  lead = fault;
  const box = byId("trendpanel").getBoundingClientRect();
  const visible = box.bottom > 0 && box.top < innerHeight;
  const { length, live } = timeSpan();
  const pause = length > HOUR ? LONG_FRESH_MS : FRESH_MS;
  if (
    !shown
      ? performance.now() - askedAt < FRESH_MS
      : !live || !visible || pointed !== null || performance.now() - askedAt < pause
  )
    return;
  load();
}
addEventListener("popstate", () => {
  if (address) {
    drawControls();
    load();
  }
});
