// The figures of the alarms: false ones beside the promise, per day and machine, most frequent, standing, chattering.

import {
  ago,
  byId,
  count,
  el,
  faultName,
  get,
  linkTable,
  marked,
  num,
  outage,
  pill,
  poll,
  put,
  span,
  stateWord,
  svg,
} from "./common.js";
import { hasText, locale, t } from "./texts.js";

const RANGES = [7, 30, 90, 365];
const PAUSE_MS = 30_000;
const STATE_OF = { kept: "normal", broken: "fault", undecided: "unknown", unknown: "unknown" };
const OUTCOMES = ["confirmed", "false_alarm", "other_cause", "not_inspected"];
let days = Number(new URLSearchParams(location.search).get("days"));
if (!RANGES.includes(days)) days = 30;
let shown = null;
let at = -1;
let asked = 0;

const date = (text) =>
  new Date(`${text}T00:00:00Z`).toLocaleDateString(locale, { day: "numeric", month: "short", timeZone: "UTC" });
const machineLink = (id) =>
  id
    ? el("a", { href: `/machines/${encodeURIComponent(id)}` }, id)
    : el("span", { class: "soft" }, t("figures.system"));
// A rate is small: 0.074 is not 0.1.
const rate = (value) => (value === null ? "–" : value.toLocaleString(locale, { maximumSignificantDigits: 2 }));
const yearly = (value) => rate(value === null ? null : value * 365.25);
const daysOf = (n) => num(n, 2);

function drawRanges() {
  put(
    "ranges",
    RANGES.map((n) =>
      el(
        "button",
        { type: "button", "aria-pressed": String(n === days), "data-days": n, onclick: () => choose(n) },
        t("common.days", { n }),
      ),
    ),
  );
}

function choose(n) {
  days = n;
  at = -1;
  history.replaceState(null, "", `?days=${n}`);
  drawRanges();
  byId("ranges").querySelector(`[data-days="${n}"]`).focus();
  read();
}

function drawFalse(f) {
  put("verdict", pill(STATE_OF[f.verdict], t(`figures.verdict_${f.verdict}`)));
  const key = `figures.why_${f.code}`;
  put(
    "why",
    hasText(key)
      ? t(key, {
          promised: yearly(f.promised_per_machine_day),
          undecided: f.undecided,
          alarms: f.alarms,
          at_most: yearly(f.at_most),
        })
      : f.code,
  );
  const facts = [
    [
      t("figures.rate"),
      f.per_machine_day === null
        ? t("figures.not_known")
        : t("figures.rate_with_interval", {
            rate: yearly(f.per_machine_day),
            low: yearly(f.low),
            high: yearly(f.high),
          }),
    ],
    [t("figures.promised"), t("figures.at_most", { rate: yearly(f.promised_per_machine_day) })],
    [t("figures.machine_days"), daysOf(f.machine_days)],
    [t("figures.alarms_of_faults"), count(f.alarms)],
    ...OUTCOMES.map((name) => [t(`words.outcome_${name}`), count(f.outcomes[name] ?? 0)]),
    [t("figures.undecided"), count(f.undecided)],
  ];
  put(
    "falsefacts",
    facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function drawLoad(load) {
  const said = marked(
    t(`figures.load_${load.verdict}`, {
      rate: num(load.per_person_day, 3),
      people: load.people,
      most: num(load.most, 3),
      days: load.days,
      above: load.days_above,
    }),
  );
  const state = { within: "normal", above: "warning" }[load.verdict];
  put("load", state ? [pill(state, t(`figures.load_is_${load.verdict}`)), " ", ...said] : said);
}

function drawDays(f) {
  drawLoad(f.load);
  const most = Math.max(1, ...f.by_day.map((d) => d.alarms));
  const chart = byId("bars");
  chart.setAttribute("viewBox", `0 0 ${f.by_day.length} 100`);
  chart.setAttribute("aria-label", t("figures.bars", { n: f.alarms, days: f.by_day.length, most }));
  chart.replaceChildren(
    ...f.by_day.map((d, i) => {
      const height = d.alarms ? Math.max((100 * d.alarms) / most, 2) : 0.8;
      return svg("rect", {
        x: i + 0.12,
        y: 100 - height,
        width: 0.76,
        height,
        class: i === at ? "at" : d.alarms ? "" : "none",
      });
    }),
  );
  put("first", date(f.by_day[0].day));
  put("last", date(f.by_day.at(-1).day));
  put("total", t("figures.total", { n: f.alarms, rate: rate(f.per_machine_day), system: f.system_alarms }));
  drawRead();
}

function drawRead() {
  const d = shown?.by_day[at];
  byId("barread").classList.toggle("soft", !d);
  put(
    "barread",
    d
      ? t("figures.one_day", {
          day: date(d.day),
          n: d.alarms,
          machine_days: daysOf(d.machine_days),
          system: d.system_alarms,
        })
      : t("figures.point_at_a_day"),
  );
  [...byId("bars").children].forEach((bar, i) => bar.classList.toggle("at", i === at));
}

function move(to) {
  if (!shown) return;
  at = to === null ? -1 : Math.max(0, Math.min(shown.by_day.length - 1, to));
  drawRead();
}

function table(id, heads, rows, nothing) {
  if (!rows.length) return put(id, el("tbody", {}, el("tr", {}, el("td", { class: "soft" }, nothing))));
  put(
    id,
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        heads.map(([name, cls]) => el("th", { scope: "col", class: cls }, name)),
      ),
    ),
    el(
      "tbody",
      {},
      rows.map((cells) =>
        el(
          "tr",
          {},
          cells.map((cell, i) => el("td", { class: heads[i][1], "data-name": heads[i][0] }, cell)),
        ),
      ),
    ),
  );
}

function draw(f) {
  shown = f;
  put(
    "span",
    f.recorded_until
      ? t("figures.recorded", { ago: ago(Math.max((Date.parse(f.to) - Date.parse(f.recorded_until)) / 1000, 0)) })
      : t("figures.nothing_recorded"),
  );
  drawFalse(f.false_alarms);
  drawDays(f);
  const [machine, alarm, n] = [[t("figures.machine")], [t("figures.alarm")], [t("figures.times"), "n"]];
  table(
    "frequent",
    [machine, alarm, n, [t("figures.share"), "n"]],
    f.most_frequent.map((a) => [
      machineLink(a.machine_id),
      faultName(a.fault),
      count(a.alarms),
      `${num(100 * a.share, 0)} %`,
    ]),
    t("figures.none"),
  );
  table(
    "standing",
    [machine, alarm, [t("figures.state")], [t("figures.stands"), "n"]],
    f.standing.map((a) => [
      machineLink(a.machine_id),
      el("span", {}, faultName(a.fault), " · ", stateWord(a.level)),
      t(`alarms.state_${a.state}`),
      span(a.stands_s),
    ]),
    t("figures.none_stands"),
  );
  put("stale", t("figures.standing_for_a_day", { n: f.standing_for_a_day }));
  table(
    "chatter",
    [machine, alarm, n, [t("figures.window"), "n"], [t("figures.last_time"), "n"]],
    f.chattering.map((a) => [
      machineLink(a.machine_id),
      faultName(a.fault),
      count(a.times),
      span(a.window_s),
      ago(Math.max((Date.parse(f.to) - Date.parse(a.last)) / 1000, 0)),
    ]),
    t("figures.none_chatters"),
  );
  table(
    "machines",
    [machine, [t("figures.alarms"), "n"], [t("figures.machine_days"), "n"], [t("figures.per_machine_day"), "n"]],
    f.by_machine.map((m) => [
      machineLink(m.machine_id),
      count(m.alarms),
      daysOf(m.machine_days),
      rate(m.per_machine_day),
    ]),
    t("figures.none"),
  );
}

async function read() {
  const turn = ++asked;
  try {
    const found = (await get(`/api/v1/alarms/figures?days=${days}`)).data;
    if (turn !== asked) return PAUSE_MS;
    draw(found);
    linkTable("/api/v1/alarms/figures", { days });
    put("outage");
    for (const n of document.querySelectorAll("main > *")) n.classList.remove("stale");
  } catch (error) {
    put("outage", outage(error));
    for (const n of document.querySelectorAll("main > *"))
      n.classList.toggle("stale", n.id !== "outage" && shown !== null);
  }
  return PAUSE_MS;
}

const KEYS = {
  ArrowLeft: () => at - 1,
  ArrowRight: () => at + 1,
  Home: () => 0,
  End: () => shown.by_day.length - 1,
  Escape: () => null,
};
byId("bars").addEventListener("keydown", (e) => {
  if (!(e.key in KEYS) || !shown) return;
  e.preventDefault();
  move(at < 0 && e.key === "ArrowLeft" ? shown.by_day.length - 1 : KEYS[e.key]());
});
byId("bars").addEventListener("pointermove", (e) => {
  const box = byId("bars").getBoundingClientRect();
  if (shown) move(Math.floor(((e.clientX - box.left) / box.width) * shown.by_day.length));
});
byId("bars").addEventListener("pointerleave", () => move(null));
document.title = `${document.querySelector("h1").textContent} · VTOX`;
drawRanges();
poll(read);
