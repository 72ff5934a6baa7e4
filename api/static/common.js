// What the pages share: elements, numbers as people read them, states as shapes, and polling.

const SVG = "http://www.w3.org/2000/svg";
export const POLL_MS = 2000;
export const FAULTS = {
  turn_short: "Turn short", insulation: "Insulation", bearing: "Bearing",
  eccentricity: "Eccentricity", broken_bar: "Broken bar", silent: "Silent", clock: "Clock",
};
// Conditions of the system, in alarms without a machine; some name a queue behind a colon.
const CONDITIONS = {
  backlog: "Backlog", orphans: "Window in no record", workers: "No worker", stalled: "Queue stalled", dead_letters: "Dead letters",
  memory: "Memory", clocks: "Clocks", stream_ids: "Ids of the future", deleted_windows: "Windows deleted",
};
export const WORDS = { normal: "normal", warning: "warning", fault: "fault", unknown: "unknown" };
// What would end a blindness, in words.
export const UNLOCKS = {
  channel: "a channel", nameplate: "the nameplate", baseline: "a baseline", load: "more load", speed: "a speed", record: "longer records", rate: "faster sampling",
  steadiness: "steady records", wiring: "sound sensors or wiring", noise: "less noise", distinction: "a way to tell causes apart", windows: "windows",
};
const UNITS = { _hz: "Hz", _dbc: "dBc", _db: "dB", _ms: "ms", _s: "s", _f: "F", _a: "A", _v: "V", _rpm: "rpm", _c: "°C", _w: "W", _mm: "mm", _deg: "°" };

// el("p", {class: "x"}, "text", child): text is always text, never markup.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  return fill(node, attributes, children);
}
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return node;
}
export const byId = (id) => document.getElementById(id);
export function put(target, ...children) {
  (typeof target === "string" ? byId(target) : target).replaceChildren(...children.flat());
}

const SHAPES = {
  normal: () => svg("circle", { cx: 6, cy: 6, r: 4.6, fill: "currentColor" }),
  warning: () => svg("path", { d: "M6 .8 11.6 11H.4Z", fill: "currentColor" }),
  fault: () => svg("rect", { x: 1.2, y: 1.2, width: 9.6, height: 9.6, fill: "currentColor" }),
  unknown: () => svg("circle", { cx: 6, cy: 6, r: 4.4, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-dasharray": "2.4 1.8" }),
};
export function glyph(state) {
  return svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, (SHAPES[state] ?? SHAPES.unknown)());
}
export function pill(state, text = state) {
  return el("span", { class: `state pill ${state}` }, glyph(state), text);
}

export function num(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  const places = size >= 100 ? 0 : size >= 10 ? Math.min(1, digits) : size >= 1 ? Math.min(2, digits) : digits;
  return value.toLocaleString("en", { maximumFractionDigits: places });
}
export function exact(value) {
  if (typeof value !== "number") return num(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  return (value + 0).toLocaleString("en", { maximumSignificantDigits: 4 });
}
export const count = (n) => (n === null || n === undefined ? "–" : n.toLocaleString("en"));
export function bytes(n) {
  if (n === null || n === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i += 1; }
  return `${num(n, 1)} ${units[i]}`;
}
export function span(s) {
  if (s === null || s === undefined) return "–";
  if (s < 1) return "now";
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return s < 129600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}
// The name of a field keeps its small letter.
export const sentenceCase = (text) => (/^[a-z]+\b(?!_)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);
// `code` between backticks.
export const marked = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
export const ago = (s) => (s < 1 ? "now" : `${span(s)} ago`);
// Alerts come in the order of their arrival; people see the time of the signal, newest first.
export const byTime = (alerts) => [...alerts].sort((a, b) => (b.t ?? 0) - (a.t ?? 0));
export function faultName(fault) {
  const [name, queue] = fault.split(":");
  const known = FAULTS[fault] ?? CONDITIONS[name];
  return known ? known + (queue ? `: ${queue}` : "") : fault;
}

// The unit is the suffix of a name: defect_hz -> ["defect", "Hz"].
export function named(name) {
  for (const [suffix, unit] of Object.entries(UNITS)) {
    if (!name.endsWith(suffix)) continue;
    const stem = name.slice(0, -suffix.length).replaceAll("_", " ");
    // In `conductance_s` and `conductance_std_s` the letter is siemens.
    return [stem, stem.startsWith("conductance") ? "S" : unit];
  }
  return [name.replaceAll("_", " "), ""];
}

export class Refused extends Error {
  constructor(status, problem) { super(problem.detail ?? `status ${status}`); this.status = status; this.problem = problem; }
}
export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  if (answer.status === 401) location.reload();
  throw new Refused(answer.status, body);
}

// Calls `work` again and again, never twice at once, not in a hidden tab; it may return a pause.
export function poll(work) {
  let timer = null;
  const turn = async () => {
    const pause = await work();
    timer = document.hidden ? null : setTimeout(turn, pause ?? POLL_MS);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer === null) turn();
  });
  turn();
}

// What stands above everything while no fresh data come.
export function outage(error) {
  const known = error instanceof Refused;
  return el("div", { class: "notice down", role: "alert" },
    el("b", {}, known && error.status === 503 ? "The Redis or Valkey server does not answer." : known ? "VTOX could not answer." : "The API does not respond."),
    " ",
    known ? `${error.message.replace(/\.+$/, "")}. ` : "Is the process still running? ",
    el("span", { class: "soft" }, "The data below are old. This page keeps trying."));
}
