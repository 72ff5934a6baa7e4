// The state of the system, as the head of the fleet's page and of the cluster's page shows it; and tables.

import {
  byId,
  el,
  glyph,
  isReady,
  label,
  marked,
  num,
  outage,
  partItems,
  pill,
  put,
  redraw,
  sentenceCase,
  span,
  stateWord,
} from "./common.js";
import { hasText, locale, t } from "./texts.js";

const RANK = { fault: 0, warning: 1, unknown: 2, normal: 3 };

// Draws the head of the page; returns how many things are wrong with the system.
export function drawStatus(s) {
  const running = s.state === "running";
  const other = isStarting(s) ? "fleet.starting" : "fleet.degraded";
  put(
    "state",
    pill(
      running && !s.alarms.length ? "normal" : "warning",
      t(running ? (s.alarms.length ? "fleet.running_with_alarms" : "fleet.running") : other),
    ),
  );
  put("asof", t("fleet.as_of", { time: new Date(s.as_of).toLocaleTimeString(locale) }));
  return drawSystem(s);
}

const checkName = (name) =>
  name.startsWith("workers:")
    ? t("fleet.queue", { name: name.slice(8) })
    : name.startsWith("process:")
      ? name.slice(8)
      : hasText(`words.check_${name}`)
        ? t(`words.check_${name}`)
        : name;

// Whether a process of this host has not been ready yet: what it is for is not wrong, but still to come.
const isStarting = (s) =>
  s.state !== "running" && Object.values(s.parts).some((status) => status === "waiting" || status === "starting");

// What is wrong with the system itself: its alarms, and checks that no alarm tells already.
function drawSystem(s) {
  const starting = isStarting(s);
  const now = new Date(s.as_of).getTime() / 1000;
  const names = new Set(s.alarms.map((a) => (a.fault === "memory" ? "server" : a.fault)));
  const alarms = s.alarms.map((a) => [
    a.level,
    sentenceCase(a.reason),
    t("fleet.for", { span: span(Math.max(now - a.t, 0)) }),
    a.what_to_do,
    a.code,
  ]);
  const checks = s.checks
    .filter((c) => c.status !== "pass" && !names.has(c.name) && !starting)
    .map((c) => [
      c.status === "fail" ? "fault" : "warning",
      sentenceCase(label(checkName(c.name), c.observed)),
      t("common.now"),
      sentenceCase(c.remedy),
      c.name,
    ]);
  const rows = [...alarms, ...checks].sort((a, b) => RANK[a[0]] - RANK[b[0]]);
  const monitor = s.checks.find((c) => c.name === "monitor");
  byId("system").className = `panel system ${rows.length ? rows[0][0] : "calm"}`;
  const parts = Object.values(s.parts);
  redraw(
    "calm",
    starting
      ? el("span", { class: "soft" }, t("fleet.parts_ready", { n: parts.filter(isReady).length, all: parts.length }))
      : rows.length
        ? el(
            "span",
            { class: "soft" },
            rows.length > 1 ? t("fleet.things_wrong", { n: rows.length }) : t("fleet.one_thing_wrong"),
          )
        : [
            el("span", { class: "state word normal" }, glyph("normal"), t("fleet.nothing_wrong")),
            el(
              "span",
              { class: "soft" },
              t("fleet.monitor", { observed: monitor ? monitor.observed : stateWord("unknown") }),
            ),
          ],
  );
  redraw(
    "alarms",
    rows.map(([state, text, since, todo, code]) =>
      el(
        "li",
        { title: code },
        el(
          "div",
          { class: "line" },
          el("span", { class: `state word ${state}` }, glyph(state), stateWord(state)),
          el("b", {}, text),
          el("span", { class: "since" }, since),
        ),
        todo ? el("p", {}, ...marked(todo)) : null,
      ),
    ),
  );
  drawRoles(s);
  return rows.length;
}

const STATE_OF = { pass: "normal", warn: "warning", fail: "fault" };

// Until the system is ready, the state of each of its parts: what is up, and what it waits for.
function drawRoles(s) {
  redraw(
    "roles",
    s.state === "running"
      ? []
      : isStarting(s)
        ? partItems(s.parts)
        : s.checks.map((c) =>
            el(
              "li",
              { class: `state word ${STATE_OF[c.status]}`, title: c.observed },
              glyph(STATE_OF[c.status]),
              checkName(c.name),
              el("span", { class: "sr" }, ` ${stateWord(STATE_OF[c.status])}`),
            ),
          ),
  );
}

// What stands above everything while no fresh data come; without an error it goes.
export function drawOutage(error) {
  put("outage", error ? outage(error) : []);
  if (error) put("state", pill("fault", t(error.status === 503 ? "fleet.server_down" : "fleet.no_answer")));
  for (const n of document.querySelectorAll("main > *"))
    n.classList.toggle("stale", Boolean(error) && n.id !== "outage");
}

export function table(id, columns, rows) {
  const head = el(
    "tr",
    {},
    columns.map(([name, numeric]) => el("th", { class: numeric && "n", scope: "col" }, name)),
  );
  // The name stands by the value where a narrow screen has no room for a row of heads.
  const body = rows.map((cells) =>
    el(
      "tr",
      {},
      cells.map((c, i) => el("td", { class: columns[i][1] && "n", "data-name": columns[i][0] }, c ?? "–")),
    ),
  );
  redraw(id, el("thead", {}, head), el("tbody", {}, body));
}

export function meter(percent) {
  if (percent === null) return "–";
  const fill = el("i");
  fill.style.width = `${Math.min(percent, 100)}%`;
  return [`${num(percent, 0)} %`, el("span", { class: "meter", "aria-hidden": "true" }, fill)];
}
