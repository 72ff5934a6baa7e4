// What the pages share: elements, numbers as people read them, states as shapes, and polling.

import { hasText, language, locale, t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
export const POLL_MS = 2000;

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
// The link to the list in sight as a table for spreadsheets.
export const linkTable = (path, query, link = "csv") => {
  byId(link).href = `${path}?${new URLSearchParams([...new URLSearchParams(query), ["format", "csv"]])}`;
};
export const byId = (id) => document.getElementById(id);
export function put(target, ...children) {
  (typeof target === "string" ? byId(target) : target).replaceChildren(...children.flat());
}

// The same for what is drawn again and again: nothing is touched that is as it was, and the focus goes to the link
// or button that is what the one was that had it.
export function redraw(target, ...children) {
  const box = typeof target === "string" ? byId(target) : target;
  const next = box.cloneNode(false);
  put(next, ...children);
  if (next.innerHTML === box.innerHTML) return;
  const focused = box.contains(document.activeElement) ? document.activeElement : null;
  const same = (node) =>
    node.tagName === focused.tagName &&
    node.getAttribute("href") === focused.getAttribute("href") &&
    node.textContent === focused.textContent;
  box.replaceChildren(...next.childNodes);
  if (focused && focused !== box) [...box.querySelectorAll(focused.tagName)].find(same)?.focus({ preventScroll: true });
}

const SHAPES = {
  normal: () => svg("circle", { cx: 6, cy: 6, r: 4.6, fill: "currentColor" }),
  warning: () => svg("path", { d: "M6 .8 11.6 11H.4Z", fill: "currentColor" }),
  seen: () => svg("path", { d: "M6 2.4 10.4 10.2H1.6Z", fill: "none", stroke: "currentColor", "stroke-width": 1.5 }),
  fault: () => svg("rect", { x: 1.2, y: 1.2, width: 9.6, height: 9.6, fill: "currentColor" }),
  unknown: () =>
    svg("circle", {
      cx: 6,
      cy: 6,
      r: 4.4,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.8,
      "stroke-dasharray": "2.4 1.8",
    }),
};
export function glyph(state) {
  return svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, (SHAPES[state] ?? SHAPES.unknown)());
}
// The word of an identifier; one of another version is its own.
const word = (kind, name, other = name) => (hasText(`words.${kind}_${name}`) ? t(`words.${kind}_${name}`) : other);
export const stateWord = (state) => word("state", state);
// That a machine sends nothing, and for how long.
export const silence = (since) =>
  el(
    "span",
    { class: "state word warning small" },
    t("common.silent_for", { span: span(Math.max((Date.now() - new Date(since)) / 1000, 1)) }),
  );
export function pill(state, text = stateWord(state)) {
  return el("span", { class: `state pill ${state}` }, glyph(state), text);
}

export function num(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  const places = size >= 100 ? 0 : size >= 10 ? Math.min(1, digits) : size >= 1 ? Math.min(2, digits) : digits;
  return value.toLocaleString(locale, { maximumFractionDigits: places });
}
// A number for people who read no exponents: small ones as below a thousandth.
export function readable(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size < 5e-4) return size === 0 || value < 0 ? "0" : `< ${(0.001).toLocaleString(locale)}`;
  return value.toLocaleString(locale, {
    maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3,
  });
}
export function exact(value) {
  if (typeof value !== "number") return num(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  return (value + 0).toLocaleString(locale, { maximumSignificantDigits: 4 });
}
// A latency as number and unit: seconds from ten on. Those of an axis have the unit of the longest one.
export function latency(ms, longest = ms, digits = 0) {
  return Math.round(longest) < 10_000 ? [num(ms, digits), "ms"] : [num(ms / 1000, digits), "s"];
}
export const count = (n) => (n === null || n === undefined ? "–" : n.toLocaleString(locale));
export function bytes(n) {
  if (n === null || n === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i += 1;
  }
  return `${num(n, 1)} ${units[i]}`;
}
export function span(s) {
  if (s === null || s === undefined) return "–";
  if (s < 1) return t("common.now");
  if (s < 90) return t("common.seconds", { n: Math.round(s) });
  if (s < 5400) return t("common.minutes", { n: Math.round(s / 60) });
  return s < 129600 ? t("common.hours", { n: Math.round(s / 3600) }) : t("common.days", { n: Math.round(s / 86400) });
}
// The name of a field keeps its small letter.
export const sentenceCase = (text) => unbroken(capital(text));
// A number and its unit stay on one line.
const UNIT_AFTER = /(\d) (?=(?:dBc|dB|Hz|kHz|A|V|W|s|ms|mm\/s|rpm|nF|Mohm|uS|%)(?![A-Za-z]))/g;
export const unbroken = (text) => text.replace(UNIT_AFTER, "$1\u00a0");
const capital = (text) => (/^[a-z]+\b(?!_)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);
// `code` between backticks.
export const marked = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
export const ago = (s) => (s < 1 ? t("common.now") : t("common.ago", { span: span(s) }));
const joined = (key) => (texts) => (texts.length ? texts.reduce((first, second) => t(key, { first, second })) : "");
// Several words, or several sentences that begin small, as one text.
export const listed = joined("common.list");
export const sentences = joined("common.sentences");
// A sentence that ends, with room behind it for another.
export const ended = (text) => t("common.full_stop", { text: text.replace(/[.。]+$/, "") });
export const label = (name, text) => t("common.named", { name, text });
// Alerts come in the order of their arrival; people see the time of the signal, newest first.
export const byTime = (alerts) => [...alerts].sort((a, b) => (b.t ?? 0) - (a.t ?? 0));
export function faultName(fault) {
  const [name, queue] = fault.split(":");
  const key = `words.fault_${name}`;
  if (!hasText(key)) return fault;
  return queue ? label(t(key), queue) : t(key);
}

// What has happened to an alarm: an alert is raised at a level, escalated, suppressed by design for a time, or cleared.
export const eventWord = (a) =>
  ["cleared", "suppressed", "unsuppressed"].includes(a.event)
    ? t(`words.event_${a.event}`)
    : a.event === "escalated"
      ? t("words.event_escalated", { level: stateWord(a.level) })
      : stateWord(a.level);
export const unlockWord = (unlock) => word("unlock", unlock);

// What a slip or speed rests on.
export const sourceWord = (source) => word("source", source.replace(/\W+/g, "_"), source);

// The words of an indicator and its unit, which is the suffix of its name: defect_hz -> ["defect", "Hz"].
export function named(name) {
  const own = hasText(`indicators.${name}`) ? t(`indicators.${name}`) : null;
  const at = name.lastIndexOf("_"),
    unit = name.slice(at + 1);
  if (at < 0 || !hasText(`units.${unit}`)) return [own ?? name.replaceAll("_", " "), ""];
  const stem = name.slice(0, at).replaceAll("_", " ");
  // In `conductance_s` and `conductance_std_s` the letter is siemens.
  return [own ?? stem, stem.startsWith("conductance") ? "S" : t(`units.${unit}`)];
}

export class Refused extends Error {
  // The detail of a problem is English; its title is in the language of the page.
  constructor(status, problem) {
    super((language === "en" ? problem.detail : problem.title) ?? t("common.status", { status }));
    this.status = status;
    this.problem = problem;
  }
}
export async function get(path) {
  return (await ask(path)).json();
}
// The answer with its tag, null where it is still the one that bears a tag.
export async function getIfChanged(path, tag) {
  const answer = await ask(path, tag ? { "If-None-Match": tag } : {});
  return answer.status === 304 ? null : { body: await answer.json(), tag: answer.headers.get("ETag") };
}
export async function post(path) {
  return (await ask(path, {}, "POST")).json();
}
async function ask(path, headers = {}, method = "GET") {
  const answer = await fetchAnswer(path, {
    method,
    headers: { Accept: "application/json", "Accept-Language": language, ...headers },
  });
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401) location.reload();
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}

// The API is there, but has not answered in time: what it asks does not answer it.
export class Unanswered extends Error {}
// An API that waits for the server gives up before this, and says so itself.
const PATIENCE_MS = 15000;
const LIVE_MS = 3000;
export async function fetchAnswer(path, options) {
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    const live = await fetch("/health/live", { signal: AbortSignal.timeout(LIVE_MS) }).then(
      (a) => a.ok,
      () => false,
    );
    throw live ? new Unanswered() : error;
  }
}
// What to say of an error that is no answer.
export const silenceText = (error) => t(error instanceof Unanswered ? "common.no_answer" : "common.api_away");

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
  const head = known
    ? t(error.problem.code === "server_unavailable" ? "common.server_away" : "common.could_not_answer")
    : silenceText(error);
  const more = known
    ? ended(error.message)
    : t(error instanceof Unanswered ? "common.behind_it" : "common.still_running");
  return el(
    "div",
    { class: "notice down", role: "alert" },
    el("b", {}, head),
    " ",
    // In other languages than English the title of the problem may say the same.
    more.trim() === head.trim() ? null : more,
    el("span", { class: "soft" }, t("common.data_old")),
    known && error.problem.parts
      ? el("ul", { class: "roles parts", "aria-label": t("fleet.roles") }, partItems(error.problem.parts))
      : null,
  );
}
// How far each process is, until all are ready.
const PART_STATE = { ready: "normal", finished: "normal", restarting: "fault", stopped: "fault" };
export const isReady = (status) => PART_STATE[status] === "normal";
export const partItems = (parts) =>
  Object.entries(parts).map(([name, status]) => {
    const state = PART_STATE[status] ?? "unknown";
    return el("li", { class: `state word ${state}` }, glyph(state), label(name, word("part", status)));
  });
