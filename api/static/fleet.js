// The live page: polls the status, the machines and the alerts, and redraws what has changed.

import { ago, byId, byTime, bytes, count, el, ended, eventWord, faultName, get, glyph, label, listed, marked, num, outage, pill, poll, POLL_MS, put, sentenceCase, sentences, span, stateWord, svg, unlockWord } from "./common.js";
import { locale, rich, t } from "./texts.js";

const RANK = { fault: 0, warning: 1, unknown: 2, normal: 3 };
const DENSE_FROM = 200;
const PART = 500;
const SPARK_POINTS = 150;
const COVERAGE_MS = 10_000;
const REASONS = 3;
const SPARK_LEAST = 30;
const order = new Intl.Collator(locale, { numeric: true }).compare;

const rates = [];
const tiles = new Map();
let machines = [];
let wanted = "";
let search = "";
let systemAlarms = 0;
let coveredAt = -Infinity;

function drawStatus(s) {
  const p = s.performance_metrics;
  const running = s.state === "running";
  put("state", pill(running && !s.alarms.length ? "normal" : "warning", t(running ? (s.alarms.length ? "fleet.running_with_alarms" : "fleet.running") : "fleet.degraded")));
  put("asof", t("fleet.as_of", { time: new Date(s.as_of).toLocaleTimeString(locale) }));
  drawSystem(s);
  put("rate", num(p.throughput, 1));
  put("source", p.throughput_source ? t("fleet.source_age", { source: t(`fleet.source_${p.throughput_source}`), age: ago(p.throughput_age_s) }) : t("fleet.rate_unknown", { reason: p.throughput_reason }));
  byId("source").title = p.throughput_reason;
  put("ingest", num(p.ingest_rate, 1));
  put("arrived", t("fleet.arrived", { n: p.windows_in }));
  put("p50", num(p.latency_p50_ms, 0));
  put("p95", p.latency_p95_ms === null ? t("fleet.latency_unknown") : t("fleet.latency_p95", { ms: num(p.latency_p95_ms, 0) }));
  put("backlog", count(p.backlog));
  const raw = s.streams.motor_raw_data;
  put("lag", raw.lag === null ? t(raw.group ? "fleet.lag_unknown" : "fleet.nothing_read") : t("fleet.lag", { n: raw.lag }));
  put("memory", s.server ? bytes(s.server.used_memory_bytes) : "–");
  put("limit", s.server?.maxmemory_bytes ? t("fleet.memory_limit", { limit: bytes(s.server.maxmemory_bytes) }) : t(s.server ? "fleet.no_limit" : "fleet.limit_unknown"));
  rates.push(p.throughput);
  if (rates.length > SPARK_POINTS) rates.shift();
  drawSpark();
  drawQueues(s.queues);
  drawWorkers(s.workers);
  const letters = s.streams.dead_letters.length;
  put("foot", t("fleet.foot", { done: p.windows_done, duplicates: p.windows_duplicate, refused: p.windows_refused, letters }), s.server ? ` · ${s.server.product} ${s.server.version}` : "");
}

const checkName = (name) => (name.startsWith("workers:") ? t("fleet.queue", { name: name.slice(8) }) : name);

// What is wrong with the system itself: its alarms, and checks that no alarm tells already.
function drawSystem(s) {
  const now = new Date(s.as_of).getTime() / 1000;
  const names = new Set(s.alarms.map((a) => (a.fault === "memory" ? "server" : a.fault)));
  const alarms = s.alarms.map((a) => [a.level, sentenceCase(a.reason), t("fleet.for", { span: span(Math.max(now - a.t, 0)) }), a.what_to_do, a.code]);
  const checks = s.checks.filter((c) => c.status !== "pass" && !names.has(c.name))
    .map((c) => [c.status === "fail" ? "fault" : "warning", label(sentenceCase(checkName(c.name)), c.observed), t("common.now"), sentenceCase(c.remedy), c.name]);
  const rows = [...alarms, ...checks].sort((a, b) => RANK[a[0]] - RANK[b[0]]);
  systemAlarms = rows.length;
  const monitor = s.checks.find((c) => c.name === "monitor");
  byId("system").className = `panel system ${rows.length ? rows[0][0] : "calm"}`;
  put("calm", rows.length ? el("span", { class: "soft" }, rows.length > 1 ? t("fleet.things_wrong", { n: rows.length }) : t("fleet.one_thing_wrong")) : [el("span", { class: "state word normal" }, glyph("normal"), t("fleet.nothing_wrong")), el("span", { class: "soft" }, t("fleet.monitor", { observed: monitor ? monitor.observed : stateWord("unknown") }))]);
  put("alarms", rows.map(([state, text, since, todo, code]) => el("li", { title: code },
    el("div", { class: "line" }, el("span", { class: `state word ${state}` }, glyph(state), stateWord(state)), el("b", {}, text), el("span", { class: "since" }, since)),
    todo ? el("p", {}, ...marked(todo)) : null)));
}

function drawSpark() {
  const known = rates.filter((r) => r !== null);
  if (known.length < 2) return put("spark");
  const top = Math.max(...known) * 1.15 || 1;
  const width = Math.max(rates.length, SPARK_LEAST);
  const x = (i) => ((i + width - rates.length) / (width - 1)) * 100;
  const points = rates.map((r, i) => (r === null ? null : `${x(i).toFixed(2)} ${(100 - (r / top) * 100).toFixed(2)}`));
  const line = points.map((p, i) => (p ? (i && points[i - 1] ? `L${p}` : `M${p}`) : "")).join("");
  const first = points.findIndex(Boolean), last = points.length - 1;
  const area = points.every((p, i) => p || i < first) ? svg("path", { class: "area", d: `${line}L${x(last)} 100L${x(first)} 100Z` }) : null;
  put("spark", ...[area, svg("path", { d: line })].filter(Boolean));
}

function table(id, columns, rows) {
  const head = el("tr", {}, columns.map(([name, numeric]) => el("th", { class: numeric && "n", scope: "col" }, name)));
  // The name stands by the value where a narrow screen has no room for a row of heads.
  const body = rows.map((cells) => el("tr", {}, cells.map((c, i) => el("td", { class: columns[i][1] && "n", "data-name": columns[i][0] }, c ?? "–"))));
  put(id, el("thead", {}, head), el("tbody", {}, body));
}

function drawQueues(queues) {
  const columns = [[t("fleet.column_queue")], [t("fleet.column_waiting"), 1], [t("fleet.column_in_flight"), 1], [t("fleet.column_done"), 1], [t("fleet.column_dead"), 1], [t("fleet.column_workers"), 1]];
  table("queues", columns, Object.entries(queues).map(([name, q]) => [el("code", {}, name), count(q.waiting), count(q.in_flight), count(q.done), count(q.dead), q.workers ? String(q.workers) : el("b", { class: "word fault" }, t("fleet.no_workers"))]));
}

function drawWorkers(workers) {
  put("workercount", workers.length ? t("fleet.alive", { n: workers.length }) : "");
  if (!workers.length) return put("workers", el("tbody", {}, el("tr", {}, el("td", { class: "soft" }, rich("fleet.no_worker_alive", { command: el("code", {}, "vtox up") })))));
  const columns = [[t("fleet.column_queue")], [t("fleet.column_host")], [t("fleet.column_pid"), 1], [t("fleet.column_cpu"), 1], [t("fleet.column_memory"), 1], [t("fleet.column_rate"), 1], [t("fleet.column_tasks"), 1], [t("fleet.column_heartbeat"), 1]];
  const rows = [...workers].sort((a, b) => order(a.queues.join() + a.name, b.queues.join() + b.name));
  table("workers", columns, rows.map((w) => [el("code", { title: w.name }, w.queues.join(", ")), w.host, String(w.pid), meter(w.cpu_percent), bytes(w.memory_bytes), num(w.windows_per_s, 1), count(w.tasks_done), ago(w.last_seen_age_s)]));
}
function meter(percent) {
  if (percent === null) return "–";
  const fill = el("i");
  fill.style.width = `${Math.min(percent, 100)}%`;
  return [`${num(percent, 0)} %`, el("span", { class: "meter", "aria-hidden": "true" }, fill)];
}

// A machine that sends nothing is not shown as normal, whatever was found last.
const shownState = (m) => (m.silent && m.state === "normal" ? "unknown" : m.state);

// The state of a machine in words: the second line of its tile.
function stateText(m) {
  const named = Object.entries(m.faults).filter(([, s]) => s === m.state).map(([f]) => faultName(f));
  if (m.state === "fault" || m.state === "warning") return label(stateWord(m.state), listed(named));
  if (m.silent) return t("fleet.silent_for", { span: span(m.last_window_age_s) });
  return stateWord(m.state);
}

// Why a machine is in its state; more than two lines of it stand in the title.
function whyText(m) {
  if (m.silent && m.state !== "fault" && m.state !== "warning") return "";
  return m.reasons.length ? sentences(m.reasons.map((r) => (m.reasons.length > 1 ? label(faultName(r.fault), r.reason) : r.reason))) : m.reason;
}

// The part of the machine's page that says what is wrong, if anything is.
function worstFault(m) {
  const fault = ["fault", "warning"].includes(m.state) && Object.keys(m.faults).find((f) => m.faults[f] === m.state);
  return fault ? `#${fault}` : "";
}

function drawMachines() {
  const totals = { fault: 0, warning: 0, unknown: 0, normal: 0 };
  for (const m of machines) totals[m.shown] += 1;
  const text = search.toLowerCase();
  const visible = machines
    .filter((m) => (!wanted || m.shown === wanted) && (!text || m.machine_id.toLowerCase().includes(text)))
    .sort((a, b) => RANK[a.shown] - RANK[b.shown] || order(a.machine_id, b.machine_id));
  byId("empty").hidden = machines.length > 0;
  byId("tiles").hidden = machines.length === 0;
  byId("filters").hidden = machines.length === 0;
  byId("tiles").classList.toggle("dense", machines.length > DENSE_FROM);
  put("total", machines.length ? `${count(machines.length)}` : "");
  for (const button of byId("filters").querySelectorAll("button")) {
    const state = button.dataset.state;
    button.setAttribute("aria-pressed", String(wanted === state));
    button.lastChild.textContent = count(state ? totals[state] : machines.length);
  }
  arrange(visible);
  document.title = `${systemAlarms ? "! " : ""}${totals.fault ? `(${totals.fault}) ` : ""}VTOX`;
}

// Tiles are kept and changed in place, so that focus and hover survive a poll.
function arrange(visible) {
  const box = byId("tiles");
  const keep = new Set(visible.map((m) => m.machine_id));
  for (const [id, tile] of tiles) if (!keep.has(id)) { tile.node.remove(); tiles.delete(id); }
  let before = null;
  for (const m of visible) {
    const words = stateText(m), why = whyText(m);
    let tile = tiles.get(m.machine_id);
    if (!tile) tiles.set(m.machine_id, (tile = { node: el("a", {}), shown: "" }));
    const shown = `${m.shown}|${words}|${why}`;
    if (tile.shown !== shown) {
      tile.shown = shown;
      tile.node.className = `tile ${m.shown}`;
      tile.node.href = `/machines/${encodeURIComponent(m.machine_id)}${worstFault(m)}`;
      tile.node.title = label(m.machine_id, why ? `${ended(words)}${sentenceCase(why)}` : words);
      put(tile.node, ...[el("span", { class: "id" }, glyph(m.shown), el("span", {}, m.machine_id)), el("span", { class: "say" }, words), why ? el("span", { class: "why" }, sentenceCase(why)) : null].filter(Boolean));
    }
    const place = before ? before.nextSibling : box.firstChild;
    if (place !== tile.node) box.insertBefore(tile.node, place);
    before = tile.node;
  }
}

// Shares of the fleet by fault, and the most frequent reasons for which machines are blind to it.
function drawCoverage(c) {
  byId("coveragebox").hidden = !c.machines;
  const columns = [[t("fleet.column_fault")], [t("fleet.column_watched"), 1], [t("fleet.column_blind"), 1], [t("fleet.column_reasons")]];
  table("coverage", columns, c.faults.map((f) => [
    el("b", {}, faultName(f.fault)), meter(f.watched_share === null ? null : 100 * f.watched_share), count(f.blind),
    f.reasons.length ? el("ul", {}, f.reasons.slice(0, REASONS).map((r) => el("li", {}, t("fleet.reason_one", { n: r.machines, unlock: unlockWord(r.unlock) }), el("span", { class: "soft" }, t(r.machines > 1 ? "fleet.reason_example_of" : "fleet.reason_example", { sentence: r.sentence })), el("a", { href: `/machines/${encodeURIComponent(r.example)}#${f.fault}` }, r.example)))) : "–",
  ]));
}

function drawFilters() {
  const button = (state, text) => el("button", { type: "button", "data-state": state, onclick: () => { wanted = state; drawMachines(); } }, state ? glyph(state) : null, text, " ", el("span", {}, "0"));
  const box = el("input", { type: "search", placeholder: t("fleet.find"), "aria-label": t("fleet.find"), oninput: (e) => { search = e.target.value.trim(); drawMachines(); } });
  put("filters", button("", t("fleet.all")), ...Object.keys(RANK).map((state) => button(state, t(`fleet.state_${state}`))), box);
}

function drawAlerts(alerts, now) {
  if (!alerts.length) return put("alerts", el("li", { class: "blank" }, t("fleet.no_alerts")));
  put("alerts", byTime(alerts).map((a) => {
    const state = a.event === "cleared" ? "normal" : a.level;
    return el("li", {},
      el("div", { class: "line" }, el("span", { class: `state word ${state}` }, glyph(state), eventWord(a)),
        el("b", {}, a.machine_id ? el("a", { href: `/machines/${encodeURIComponent(a.machine_id)}#${a.fault}` }, a.machine_id) : t("fleet.system")), faultName(a.fault),
        el("time", { datetime: a.time, title: a.time }, ago(Math.max(now - a.t, 0)))),
      el("p", {}, sentenceCase(a.reason)));
  }));
}

async function everyMachine() {
  const found = [];
  for (let path = `/api/v1/machines?limit=${PART}`; path; ) {
    const part = await get(path);
    found.push(...part.data);
    path = part.next;
  }
  return found;
}

function drawSnippet() {
  const address = location.origin;
  put("snippet", `import json, math, time, urllib.request

for seq in range(30):                       # ${t("fleet.snippet_comment")}
    t = [i / 10_000 for i in range(10_000)]
    phase = {"ia": 0, "ib": -2 * math.pi / 3, "ic": 2 * math.pi / 3}
    channels = {c: [10 * math.sin(2 * math.pi * 50 * x + p) for x in t] for c, p in phase.items()}
    window = {"seq": seq, "t0": time.time(), "fs_hz": 10_000, "channels": channels}
    urllib.request.urlopen(urllib.request.Request(
        "${address}/api/v1/machines/M1/windows",
        json.dumps(window).encode(), {"Content-Type": "application/json"}))
    time.sleep(1)`);
}

drawFilters();
drawSnippet();
poll(async () => {
  try {
    const [status, found, alerts] = await Promise.all([get("/api/v1/cluster/status"), everyMachine(), get("/api/v1/alerts?limit=50")]);
    machines = found.map((m) => ({ ...m, shown: shownState(m) }));
    drawStatus(status.data);
    drawMachines();
    if (performance.now() - coveredAt > COVERAGE_MS) {
      drawCoverage((await get("/api/v1/coverage")).data);
      coveredAt = performance.now();
    }
    drawAlerts(alerts.data, new Date(status.data.as_of).getTime() / 1000);
    put("outage");
    for (const n of document.querySelectorAll("main > *")) n.classList.remove("stale");
  } catch (error) {
    put("outage", outage(error));
    put("state", pill("fault", t(error.status === 503 ? "fleet.server_down" : "fleet.no_answer")));
    for (const n of document.querySelectorAll("main > *")) n.classList.toggle("stale", n.id !== "outage");
  }
  // Thousands of machines are asked for less often: each part of the list costs the API 60 ms.
  return POLL_MS * Math.max(1, Math.ceil(machines.length / PART));
});
