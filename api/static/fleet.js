// The page of the fleet: asks for what is in sight of the list, the status and the alerts, and redraws what has changed.

import {
  ago,
  byId,
  byTime,
  count,
  el,
  eventWord,
  faultName,
  get,
  getIfChanged,
  glyph,
  linkTable,
  poll,
  put,
  redraw,
  sentenceCase,
  unlockWord,
} from "./common.js";
import { drawFilter, isFiltered, query, showFleet, wanted } from "./fleetfilter.js";
import { forgetTrends, idsInSight, part, setUp, showPart, showTrends, toBeginning } from "./machinelist.js";
import { drawStatus, drawOutage, meter, table } from "./system.js";
import { snippet } from "./snippet.js";
import { t } from "./texts.js";

const COVERAGE_MS = 10_000;
const TRENDS_MS = 60_000;
const ALERTS_EVERY = 2;
const SCROLL_MS = 120;
const REASONS = 3;
const FLAGS = ["silent", "clock"];
const RUN = 3;

let asked = "";
let tag = "";
let faulty = 0;
let systemAlarms = 0;
let coveredAt = -Infinity;
let trendsAt = -Infinity;
let trendsOf = new Set();
let turns = 0;
let waiting = null;

// Asks for the part of the list in sight; nothing is drawn where nothing has changed.
async function refreshList() {
  const question = query(),
    chosen = String(question);
  linkTable("/api/v1/fleet", chosen);
  for (const [name, value] of Object.entries(part())) question.set(name, value);
  const path = `/api/v1/fleet?${question}`;
  const answer = await getIfChanged(path, path === asked ? tag : "");
  if (answer) {
    // Something else was chosen while this was on its way: the next answer is drawn.
    if (chosen !== String(query())) return refreshList();
    [asked, tag] = [path, answer.tag];
    drawFleet(answer.body.data);
  }
  refreshTrends();
}

function drawFleet(fleet) {
  faulty = fleet.states.fault;
  byId("empty").hidden = fleet.machines > 0;
  for (const id of ["controls", "list"]) byId(id).hidden = fleet.machines === 0;
  byId("nomatch").hidden = !fleet.machines || fleet.matching > 0;
  const text = isFiltered()
    ? t("fleet.matching", { n: fleet.matching, all: fleet.machines })
    : t("fleet.all_of_them", { n: fleet.machines });
  if (byId("total").textContent !== text) put("total", text);
  showFleet(fleet);
  if (showPart(fleet)) askSoon();
  byId("list").setAttribute("aria-busy", "false");
  if (!performance.getEntriesByName("machines").length) performance.mark("machines");
  title();
}

const title = () => {
  document.title = `${systemAlarms ? "! " : ""}${faulty ? `(${faulty}) ` : ""}VTOX`;
};

// Soon, and once for many movements of the list.
function askSoon() {
  if (waiting !== null) return;
  waiting = setTimeout(() => {
    waiting = null;
    refreshList().catch(() => {});
  }, SCROLL_MS);
}

// Trends of the machines in sight, by one question; again after a minute, for a minute is their finest step.
async function refreshTrends() {
  const now = performance.now();
  if (now - trendsAt > TRENDS_MS) trendsOf = new Set();
  const ids = idsInSight().filter((id) => !trendsOf.has(id));
  if (!ids.length) return;
  if (!trendsOf.size) trendsAt = now;
  for (const id of ids) trendsOf.add(id);
  const question = new URLSearchParams([["span", wanted.span], ...ids.map((id) => ["machine_id", id])]);
  const span = wanted.span;
  try {
    const { data } = await get(`/api/v1/fleet/trends?${question}`);
    if (span === wanted.span) showTrends(data.series);
  } catch {
    for (const id of ids) trendsOf.delete(id);
  }
}

// Shares of the fleet by fault, and the most frequent reasons for which machines are blind to it.
function drawCoverage(c) {
  byId("coveragebox").hidden = !c.machines;
  const columns = [
    [t("fleet.column_fault")],
    [t("fleet.column_watched"), 1],
    [t("fleet.column_blind"), 1],
    [t("fleet.column_reasons")],
  ];
  table(
    "coverage",
    columns,
    c.faults.map((f) => [
      el("b", {}, faultName(f.fault)),
      meter(f.watched_share === null ? null : 100 * f.watched_share),
      count(f.blind),
      f.reasons.length
        ? el(
            "ul",
            {},
            f.reasons
              .slice(0, REASONS)
              .map((r) =>
                el(
                  "li",
                  {},
                  t("fleet.reason_one", { n: r.machines, unlock: unlockWord(r.unlock) }),
                  el(
                    "span",
                    { class: "soft" },
                    t(r.machines > 1 ? "fleet.reason_example_of" : "fleet.reason_example", { sentence: r.sentence }),
                  ),
                  el("a", { href: `/machines/${encodeURIComponent(r.example)}#${f.fault}` }, r.example),
                ),
              ),
          )
        : "–",
    ]),
  );
}

// Alerts in runs: machines that fall silent, or send again, one after the other are one row.
function inRuns(alerts) {
  const runs = [];
  for (const a of alerts) {
    const same = (b) => FLAGS.includes(a.fault) && b.fault === a.fault && b.event === a.event;
    if (runs.length && same(runs.at(-1)[0])) runs.at(-1).push(a);
    else runs.push([a]);
  }
  return runs.flatMap((run) => (run.length < RUN ? run.map((a) => [a]) : [run]));
}

const machineLink = (a) => el("a", { href: `/machines/${encodeURIComponent(a.machine_id)}#${a.fault}` }, a.machine_id);

function drawAlerts(alerts, now) {
  if (!alerts.length) return redraw("alerts", el("li", { class: "blank" }, t("fleet.no_alerts")));
  redraw(
    "alerts",
    inRuns(byTime(alerts)).map((run) => {
      const [a] = run,
        state = a.event === "cleared" ? "normal" : a.level;
      return el(
        "li",
        {},
        el(
          "div",
          { class: "line" },
          el("span", { class: `state word ${state}` }, glyph(state), eventWord(a)),
          el(
            "b",
            {},
            run.length > 1
              ? t("fleet.machines_of_run", { n: run.length })
              : a.machine_id
                ? machineLink(a)
                : t("fleet.system"),
          ),
          faultName(a.fault),
          el("time", { datetime: a.time, title: a.time }, ago(Math.max(now - a.t, 0))),
        ),
        el("p", {}, run.length > 1 ? run.flatMap((b, i) => [i ? " " : "", machineLink(b)]) : sentenceCase(a.reason)),
      );
    }),
  );
}

const change = drawFilter((names) => {
  if (names.includes("span")) {
    forgetTrends();
    trendsOf = new Set();
    showTrends({});
  }
  if (names.some((name) => name !== "span")) toBeginning();
  byId("list").setAttribute("aria-busy", "true");
  refreshList().catch(() => {});
});
setUp({ ask: askSoon, choosePath: (path) => change({ asset_path: path }) });
byId("unfilter").addEventListener("click", () => byId("clear").click());
put("snippet", snippet("M1"));
poll(async () => {
  try {
    const list = refreshList();
    const [status, alerts] = await Promise.all([
      get("/api/v1/cluster/status"),
      turns % ALERTS_EVERY ? null : get("/api/v1/alerts?limit=50"),
    ]);
    await list;
    systemAlarms = drawStatus(status.data);
    title();
    if (alerts) drawAlerts(alerts.data, new Date(status.data.as_of).getTime() / 1000);
    if (performance.now() - coveredAt > COVERAGE_MS) {
      drawCoverage((await get("/api/v1/coverage")).data);
      coveredAt = performance.now();
    }
    turns += 1;
    drawOutage(null);
  } catch (error) {
    turns = 0;
    drawOutage(error);
  }
});
