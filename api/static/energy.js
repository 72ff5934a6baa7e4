// Energy of the fleet by its use: machine, site, day, week, month; gaps are shown, never filled.

import { drawAxes, roundTop } from "./barchart.js";
import { byId, count, el, get, linkTable, marked, num, outage, poll, put, readable, span, svg } from "./common.js";
import { locale, t } from "./texts.js";

const RANGES = [1, 7, 30, 365];
const DAY_S = 86_400;
const PAUSE_MS = 30_000;
const STEPS = ["day", "week", "month"];
const LOW = 2; // classes of load below 40 %
const A_PAGE = 25; // machines in the table at a time
const ORDERS = {
  energy: (m) => m.counts.energy_kwh,
  loss: (m) => m.counts.lost_kwh,
  low: (m) => lowHours(m.counts),
  saving: (m) => m.saving.high_kwh ?? -Infinity,
};
let days = Number(new URLSearchParams(location.search).get("days"));
if (!RANGES.includes(days)) days = 7;
let order = "energy";
let step = "day";
let shown = null;
let bars = [];
let firstRow = 0;
let at = -1;
let asked = 0;

const lowHours = (c) => c.load_class_h.slice(0, LOW).reduce((a, b) => a + b, 0);
const date = (s) =>
  new Date(1000 * s).toLocaleDateString(locale, {
    day: "numeric",
    month: "short",
    year: days > 300 ? "numeric" : undefined,
    timeZone: "UTC",
  });
const machineLink = (id) => el("a", { href: `/machines/${encodeURIComponent(id)}` }, id);
const share = (x) => (x === null ? "–" : `${num(100 * x, 3)} %`);
const money = (cost, value) =>
  cost && value !== null ? value.toLocaleString(locale, { maximumFractionDigits: 2 }) : "–";
const saved = (s) =>
  s.code
    ? el("span", { class: "soft", title: s.sentence }, "–")
    : s.low_kwh > 0
      ? t("energy.from_to", { low: readable(s.low_kwh), high: readable(s.high_kwh) })
      : t("energy.not_told_apart");
const estimated = (c, value) => (c.estimated_h > 0 ? readable(value) : "–");
const measuredFor = (hours) => span(3600 * hours);

function drawRanges() {
  put(
    "ranges",
    RANGES.map((n) =>
      el(
        "button",
        { type: "button", "aria-pressed": String(n === days), "data-days": n, onclick: () => choose(n) },
        n === 1 ? t("energy.day") : t("common.days", { n }),
      ),
    ),
  );
  put(
    "steps",
    STEPS.map((name) =>
      el(
        "button",
        { type: "button", "aria-pressed": String(name === step), "data-step": name, onclick: () => stepBy(name) },
        t(`energy.step_${name}`),
      ),
    ),
  );
  put(
    "orders",
    Object.keys(ORDERS).map((name) =>
      el(
        "button",
        { type: "button", "aria-pressed": String(name === order), "data-order": name, onclick: () => sortBy(name) },
        t(`energy.order_${name}`),
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

function sortBy(name) {
  order = name;
  firstRow = 0;
  drawRanges();
  byId("orders").querySelector(`[data-order="${name}"]`).focus();
  if (shown) drawMachines(shown);
}

function stepBy(name) {
  step = name;
  at = -1;
  drawRanges();
  byId("steps").querySelector(`[data-step="${name}"]`).focus();
  if (shown) drawBars(shown);
}

// Days of UTC put together: weeks begin on Monday. The first and the last are as long as what is shown of them.
function begin(t) {
  const d = new Date(1000 * t);
  if (step === "month") return Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), 1) / 1000;
  return step === "week" ? t - ((d.getUTCDay() + 6) % 7) * DAY_S : t;
}

function grouped(d, first) {
  const found = new Map();
  for (const x of d.days) {
    const key = begin(x.t);
    const bar = found.get(key) ?? { t: Math.max(key, first), kwh: 0, hours: 0, end: 0 };
    found.set(key, {
      ...bar,
      kwh: bar.kwh + (x.counts.energy_kwh ?? 0),
      hours: bar.hours + x.counts.measured_h,
      end: x.t + DAY_S,
    });
  }
  return [...found.values()];
}

function table(id, heads, rows) {
  if (!rows.length) return put(id, el("tbody", {}, el("tr", {}, el("td", { class: "soft" }, t("energy.none")))));
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

const columns = () => [
  [t("energy.kwh"), "n"],
  [t("energy.mean_kw"), "n"],
  [t("energy.measured_h"), "n"],
  [t("energy.running_h"), "n"],
  [t("energy.lost_kwh"), "n"],
  [t("energy.low_h"), "n"],
  [t("energy.starts"), "n"],
];
const cells = (c) => [
  readable(c.energy_kwh),
  readable(c.mean_kw),
  readable(c.measured_h),
  readable(c.running_h),
  estimated(c, c.lost_kwh),
  estimated(c, lowHours(c)),
  count(c.starts),
];

function drawMachines(d) {
  const rows = [...d.machines].sort((a, b) => (ORDERS[order](b) ?? -1) - (ORDERS[order](a) ?? -1));
  firstRow = Math.max(0, Math.min(firstRow, Math.floor((rows.length - 1) / A_PAGE) * A_PAGE));
  const page = rows.slice(firstRow, firstRow + A_PAGE);
  const priced = d.cost ? [[t("energy.cost", { currency: d.cost.currency }), "n"]] : [];
  table(
    "machines",
    [
      [t("energy.machine")],
      ...columns(),
      ...priced,
      [t("energy.saving"), "n"],
      [t("energy.load_now"), "n"],
      [t("energy.efficiency_now"), "n"],
    ],
    page.map((m) => [
      machineLink(m.machine_id),
      ...cells(m.counts),
      ...(d.cost ? [money(m.cost, m.cost?.energy)] : []),
      saved(m.saving),
      share(m.load_ratio),
      share(m.efficiency),
    ]),
  );
  drawPages(rows.length);
}

function drawPages(n) {
  const turn = (name, to) =>
    el(
      "button",
      { type: "button", "data-turn": name, disabled: to < 0 || to >= n ? "" : null, onclick: () => turnTo(name, to) },
      t(`energy.${name}`),
    );
  const shownRows = t("energy.rows", {
    from: count(firstRow + 1),
    to: count(Math.min(firstRow + A_PAGE, n)),
    of: count(n),
  });
  put(
    "pages",
    n > A_PAGE
      ? [
          turn("page_before", firstRow - A_PAGE),
          el("span", { class: "soft small", role: "status" }, shownRows),
          turn("page_after", firstRow + A_PAGE),
        ]
      : [],
  );
}

function turnTo(name, to) {
  firstRow = to;
  drawMachines(shown);
  const pages = byId("pages");
  (pages.querySelector(`[data-turn="${name}"]:enabled`) ?? pages.querySelector("button:enabled")).focus();
}

// What is not measured is no part of a sum.
const sum = (a, b) => (b === null ? a : (a ?? 0) + b);

function drawSites(d) {
  const sites = new Map();
  for (const m of d.machines) {
    const site = sites.get(m.site) ?? { kwh: null, lost: null, hours: 0, n: 0, measured: 0 };
    sites.set(m.site, {
      kwh: sum(site.kwh, m.counts.energy_kwh),
      lost: sum(site.lost, m.counts.lost_kwh),
      hours: site.hours + m.counts.measured_h,
      n: site.n + 1,
      measured: site.measured + (m.counts.energy_kwh !== null),
    });
  }
  const rows = [...sites].sort(([, a], [, b]) => b.kwh - a.kwh);
  table(
    "sites",
    [
      [t("energy.site")],
      [t("energy.measured_machines"), "n"],
      [t("energy.kwh"), "n"],
      [t("energy.lost_kwh"), "n"],
      [t("energy.measured_h"), "n"],
    ],
    rows.map(([site, s]) => [
      site ?? t("energy.no_site"),
      t("energy.n_of", { n: count(s.measured), of: count(s.n) }),
      readable(s.kwh),
      readable(s.lost),
      readable(s.hours),
    ]),
  );
}

function drawBars(d) {
  const chart = byId("bars");
  const first = Math.floor(d.from_t / DAY_S) * DAY_S;
  const n = Math.ceil((d.to_t - first) / DAY_S);
  bars = grouped(d, first).filter((x) => x.hours > 0);
  chart.parentElement.hidden = !bars.length;
  const top = roundTop(Math.max(1e-9, ...bars.map((x) => x.kwh)));
  const gap = step === "day" ? 0.12 : 0.4;
  chart.setAttribute("viewBox", `0 0 ${n} 100`);
  chart.setAttribute("aria-label", t("energy.bars", { days: d.days.length, kwh: readable(d.total.energy_kwh) }));
  chart.replaceChildren(
    ...bars.map((x, i) => {
      const height = Math.max((100 * x.kwh) / top, 0.8);
      const width = Math.max((x.end - x.t) / DAY_S - 2 * gap, 0.2);
      return svg("rect", {
        x: (x.t - first) / DAY_S + gap,
        y: 100 - height,
        width,
        height,
        class: i === at ? "at" : "",
      });
    }),
  );
  drawAxes(chart, { top, unit: "kWh", n, name: (i) => date(first + i * DAY_S) });
  drawRead();
}

function drawRead() {
  const x = bars[at];
  const name = (b) => (b.end - b.t > DAY_S ? t("energy.span", { from: date(b.t), to: date(b.end - 1) }) : date(b.t));
  byId("barread").classList.toggle("soft", !x);
  const highest = readable(Math.max(...bars.map((b) => b.kwh)));
  put(
    "barread",
    x
      ? t("energy.one_day", { day: name(x), kwh: readable(x.kwh), span: measuredFor(x.hours) })
      : bars.length
        ? t("energy.point_at_a_day", { kwh: highest })
        : t("energy.none"),
  );
  [...byId("bars").children].forEach((bar, i) => bar.classList.toggle("at", i === at));
}

function move(to) {
  if (!shown) return;
  at = to === null ? -1 : Math.max(0, Math.min(bars.length - 1, to));
  drawRead();
}

function draw(d) {
  shown = d;
  const c = d.total;
  put("span", t("energy.span", { from: date(d.from_t), to: date(d.to_t - 1) }));
  const machines = { n: count(d.measured_machines), of: count(d.machines.length), span: measuredFor(c.measured_h) };
  put(
    "measured",
    !d.machines.length ? "" : t(d.measured_machines ? "energy.measured_of" : "energy.measured_none", machines),
  );
  put("pricehint", d.has_price ? [] : marked(t("energy.no_price")));
  const facts = [
    [t("energy.kwh"), readable(c.energy_kwh)],
    [t("energy.kvarh"), readable(c.reactive_kvarh)],
    [t("energy.running_h"), readable(c.running_h)],
    [t("energy.lost_kwh"), estimated(c, c.lost_kwh)],
    [t("energy.estimated_h"), readable(c.estimated_h)],
    [t("energy.unbalance_kwh"), readable(c.unbalance_kwh)],
    [t("energy.harmonic_kwh"), readable(c.harmonic_kwh)],
    [t("energy.starts"), count(c.starts)],
  ];
  if (d.cost)
    for (const name of ["energy", "lost", "unbalance", "harmonic"])
      facts.push([t(`energy.cost_${name}`), `${money(d.cost, d.cost[name])} ${d.cost.currency}`]);
  put(
    "facts",
    facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
  drawBars(d);
  drawSites(d);
  drawMachines(d);
}

async function read() {
  const turn = ++asked;
  try {
    const to = Math.ceil(Date.now() / 900_000) * 900;
    // From a month on whole days and today: their sums are kept by day.
    const from = days < 30 ? to - DAY_S * days : Math.floor(to / DAY_S) * DAY_S - DAY_S * (days - 1);
    const span = { from_t: from, to_t: to };
    linkTable("/api/v1/energy", span);
    const found = (await get(`/api/v1/energy?${new URLSearchParams(span)}`)).data;
    if (turn !== asked) return PAUSE_MS;
    draw(found);
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
  End: () => bars.length - 1,
  Escape: () => null,
};
byId("bars").addEventListener("keydown", (e) => {
  if (!(e.key in KEYS) || !shown) return;
  e.preventDefault();
  move(at < 0 && e.key === "ArrowLeft" ? bars.length - 1 : KEYS[e.key]());
});
byId("bars").addEventListener("pointermove", (e) => {
  const box = byId("bars").getBoundingClientRect();
  if (!shown) return;
  const day =
    Math.floor(shown.from_t / DAY_S) +
    Math.floor(((e.clientX - box.left) / box.width) * Math.ceil(shown.to_t / DAY_S - Math.floor(shown.from_t / DAY_S)));
  const found = bars.findIndex((x) => x.t <= day * DAY_S && day * DAY_S < x.end);
  move(found < 0 ? null : found);
});
byId("bars").addEventListener("pointerleave", () => move(null));
document.title = `${document.querySelector("h1").textContent} · VTOX`;
drawRanges();
poll(read);
