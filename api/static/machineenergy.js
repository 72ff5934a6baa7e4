// The energy of one machine: what it takes now, what it took, its hours by load.

import { drawAxes, roundTop } from "./barchart.js";
import { byId, count, el, get, linkTable, num, put, readable, span, svg } from "./common.js";
import { locale, t } from "./texts.js";

const CLASSES = ["below_20", "to_40", "to_60", "to_80", "to_100", "above_100"];
const pm = (value, half, digits = 3) => `${num(value, digits)} ± ${num(half, 2)}`;
const per = (x, digits = 1) => `${(100 * x).toLocaleString(locale, { maximumFractionDigits: digits })} %`;
let hours = 24;

function nowFacts(f) {
  const facts = [];
  const add = (name, value) => facts.push([t(`energy.${name}`), value]);
  if ("active_w" in f) {
    add("power", t("energy.kw", { kw: num(f.active_w / 1000, 4) }));
    add("reactive", t("energy.kvar", { kvar: num(f.reactive_var / 1000, 4) }));
    add("power_factor", num(f.power_factor, 3));
    add("volts_amps", `${num(f.voltage_v, 4)} V · ${num(f.current_a, 4)} A`);
  } else if ("estimated_power_w" in f)
    add("power_by_currents", t("energy.kw", { kw: pm(f.estimated_power_w / 1000, f.estimated_power_half_w / 1000) }));
  if ("shaft_w" in f) {
    add("shaft", t("energy.kw", { kw: pm(f.shaft_w / 1000, f.shaft_half_w / 1000) }));
    add("load", per(f.load_ratio));
    add("torque", `${pm(f.torque_nm, f.torque_half_nm)} N m`);
  }
  if ("efficiency" in f) {
    add("efficiency", `${pm(100 * f.efficiency, 100 * f.efficiency_half)} %`);
    add("losses", `${pm(f.loss_w, f.loss_half_w)} W`);
  }
  if ("voltage_unbalance" in f) add("unbalance", `${per(f.voltage_unbalance, 2)} · ${per(f.current_unbalance, 2)}`);
  else if ("current_unbalance" in f) add("current_unbalance", per(f.current_unbalance, 2));
  if ("voltage_thd" in f) add("distortion", `${per(f.voltage_thd, 2)} · ${per(f.current_thd, 2)}`);
  else if ("current_thd" in f) add("current_distortion", per(f.current_thd, 2));
  return facts;
}

const extra = (kwh, watts) =>
  watts === null
    ? "–"
    : t("energy.kwh_and_w", { kwh: readable(kwh), w: readable(watts), a_day: readable(0.024 * watts) });
const kinds = (f) =>
  "efficiency" in f
    ? el(
        "p",
        { class: "small soft" },
        `${t("energy.losses_by_kind")}: ${t("energy.kinds", { stator: num(f.stator_w, 3), rotor: num(f.rotor_w, 3), iron: num(f.iron_w, 3), friction: num(f.friction_w, 3), additional: num(f.additional_w, 3) })}`,
      )
    : [];
const shownFacts = (rows) => rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
const why = (name, reason) =>
  el("p", { class: "small" }, t(name, { why: reason.sentence }), " ", el("span", { class: "soft" }, reason.what_to_do));

const signed = (x, digits) => `${x > 0 ? "+" : ""}${num(x, digits)}`;
const changed = (x, half, unit) =>
  `${signed(x, 3)} ± ${num(half, 2)} ${unit}${Math.abs(x) < half ? ` · ${t("energy.change_clear")}` : ""}`;

function drawChange(c) {
  const facts = c.code
    ? []
    : [
        [t("energy.shaft"), changed(c.shaft_w / 1000, c.shaft_half_w / 1000, "kW")],
        [t("energy.losses"), changed(c.loss_w, c.loss_half_w, "W")],
        [t("energy.efficiency"), changed(100 * c.efficiency, 100 * c.efficiency_half, "%")],
      ];
  put("energychange", shownFacts(facts));
  put("energychangenote", c.code ? t("energy.change_none", { why: c.sentence }) : t("energy.change_note"));
}

// Before and after a day, up to 30 days each; without a day, the shown time and the one before.
async function showChange(machine, shown) {
  const day = byId("energyrepair").value;
  if (!day) return drawChange(shown);
  const from_t = new Date(`${day}T00:00`) / 1000;
  const query = { from_t, to_t: Math.min(Date.now() / 1000, from_t + 86400 * 30), step: "day" };
  if (query.to_t <= from_t) return drawChange(shown);
  const address = `/api/v1/machines/${encodeURIComponent(machine)}/energy`;
  return drawChange((await get(`${address}?${new URLSearchParams(query)}`)).data.change);
}

function drawProfile(d) {
  const chart = byId("energybars"),
    measured = d.steps.some((s) => s.counts.mean_kw !== null);
  chart.parentElement.hidden = !measured;
  if (!measured) return put("energyread", t("energy.profile_none"));
  const most = Math.max(1e-9, ...d.steps.map((s) => s.counts.mean_kw ?? 0));
  const top = roundTop(most);
  const n = Math.max(1, Math.round((d.to_t - d.from_t) / d.step_s));
  chart.setAttribute("viewBox", `0 0 ${n} 100`);
  chart.setAttribute("aria-label", t("energy.profile_label", { kw: num(most, 3) }));
  const first = Math.floor(d.from_t / d.step_s) * d.step_s;
  chart.replaceChildren(
    ...d.steps
      .filter((s) => s.counts.mean_kw !== null)
      .map((s) => {
        const height = Math.max((100 * s.counts.mean_kw) / top, 0.8);
        return svg("rect", { x: (s.t - first) / d.step_s + 0.08, y: 100 - height, width: 0.84, height });
      }),
  );
  const parts = d.step_s < 86_400 ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
  drawAxes(chart, {
    top,
    unit: "kW",
    n,
    name: (i) => new Date(1000 * (first + i * d.step_s)).toLocaleString(locale, parts),
  });
  return put("energyread", t("energy.profile_read", { kw: num(most, 3) }));
}

function draw(d) {
  const c = d.total;
  put(
    "energytotal",
    c.energy_kwh === null
      ? t("energy.profile_none")
      : t("energy.measured", {
          kwh: readable(c.energy_kwh),
          span: span(3600 * c.measured_h),
          of: span(3600 * d.hours),
        }),
  );
  put("energynow", d.now ? shownFacts(nowFacts(d.now.figures)) : el("div", {}, el("dt", {}, t("energy.nothing_yet"))));
  const reasons = d.now ? [kinds(d.now.figures)].flat() : [];
  if (d.now?.power_unknown) reasons.push(why("energy.power_unknown", d.now.power_unknown));
  if (d.now?.load_unknown && d.now.load_unknown.code !== d.now.power_unknown?.code)
    reasons.push(why("energy.load_unknown", d.now.load_unknown));
  put("energywhy", reasons);
  const more = [
    [t("energy.unbalance_kwh"), extra(c.unbalance_kwh, c.unbalance_w)],
    [t("energy.harmonic_kwh"), extra(c.harmonic_kwh, c.harmonic_w)],
  ];
  if (d.cost)
    for (const name of ["energy", "lost"])
      more.unshift([t(`energy.cost_${name}`), `${readable(d.cost[name])} ${d.cost.currency}`]);
  if (!d.saving.code)
    more.push([
      t("energy.saving_of", { class: d.saving.ie_class }),
      d.saving.low_kwh > 0
        ? t("energy.from_to", { low: readable(d.saving.low_kwh), high: readable(d.saving.high_kwh) })
        : t("energy.not_told_apart"),
    ]);
  put("energycosts", shownFacts(more));
  put("energysaving", d.saving.code ? t("energy.no_saving", { why: d.saving.sentence }) : t("energy.saving_note"));
  drawProfile(d);
  const classes = CLASSES.map((name, i) => [
    t(`energy.class_${name}`),
    c.estimated_h > 0 ? t("energy.h", { h: readable(c.load_class_h[i]) }) : "–",
  ]);
  put(
    "energyclasses",
    shownFacts([[t("energy.running_h"), readable(c.running_h)], [t("energy.starts"), count(c.starts)], ...classes]),
  );
  put(
    "energymeter",
    d.meter.energy_kwh === null
      ? ""
      : t("energy.meter", {
          kwh: readable(d.meter.energy_kwh),
          since: d.meter_since ? new Date(d.meter_since).toLocaleString(locale) : "–",
        }),
  );
}

const STARTS_SHOWN = 8;
const START_COLUMNS = [
  ["start_s", (s) => (s.duration_s === null ? `≥ ${num(s.seen_s, 3)}` : num(s.duration_s, 3))],
  ["inrush_a", (s) => num(s.inrush_a, 3)],
  ["peak_a", (s) => num(s.peak_a, 3)],
  ["mean_a", (s) => num(s.mean_a, 3)],
  ["dip", (s) => (s.dip_ratio === null ? "–" : per(s.dip_ratio, 2))],
  ["start_wh", (s) => (s.energy_kwh === null ? "–" : num(1000 * s.energy_kwh, 3))],
];

function drawStarts(d) {
  const permitted = d.max_starts_per_hour;
  const values = { n: count(d.starts.length), most: count(d.most_in_an_hour), permitted: num(permitted, 3) };
  put(
    "startsread",
    !d.starts.length
      ? t("energy.no_starts")
      : permitted === null
        ? t("energy.starts_read", values)
        : t(d.most_in_an_hour > permitted ? "energy.starts_over" : "energy.starts_within", values),
  );
  const timed = d.starts.filter((s) => s.duration_s !== null);
  const most = Math.max(1e-9, ...timed.map((s) => s.duration_s));
  // An element of SVG has no property for it.
  byId("startsplot").toggleAttribute("hidden", timed.length < 2);
  byId("startsplot").setAttribute("viewBox", "0 0 100 100");
  byId("startsplot").setAttribute("aria-label", t("energy.starts_label", { s: num(most, 3) }));
  byId("startsplot").replaceChildren(
    ...timed.map((s) => {
      const height = Math.max((100 * s.duration_s) / most, 0.8);
      return svg("rect", { x: (99.2 * (s.t - d.from_t)) / (d.to_t - d.from_t), y: 100 - height, width: 0.8, height });
    }),
  );
  const time = (s) =>
    new Date(1000 * s).toLocaleString(locale, {
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  put(
    "startstable",
    !d.starts.length
      ? []
      : [
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              el("th", { scope: "col" }, t("energy.start_at")),
              START_COLUMNS.map(([name]) => el("th", { scope: "col", class: "n" }, t(`energy.${name}`))),
            ),
          ),
          el(
            "tbody",
            {},
            d.starts.slice(0, STARTS_SHOWN).map((s) =>
              el(
                "tr",
                {},
                el("td", { "data-name": t("energy.start_at") }, time(s.t)),
                START_COLUMNS.map(([name, of]) => el("td", { class: "n", "data-name": t(`energy.${name}`) }, of(s))),
              ),
            ),
          ),
        ],
  );
}

export async function showEnergy(machine) {
  const to = Math.ceil(Date.now() / 900_000) * 900;
  const address = `/api/v1/machines/${encodeURIComponent(machine)}`;
  const ofStarts = { from_t: to - 86400 * 90, to_t: to };
  linkTable(`${address}/starts`, ofStarts, "startscsv");
  get(`${address}/starts?${new URLSearchParams(ofStarts)}`).then(
    (found) => drawStarts(found.data),
    () => {},
  );
  const step = hours > 48 ? "day" : "quarter";
  const query = { from_t: to - 3600 * hours, to_t: to, step };
  linkTable(`${address}/energy`, query, "energycsv");
  const found = (await get(`${address}/energy?${new URLSearchParams(query)}`)).data;
  draw(found);
  byId("energyrepair").onchange = () => showChange(machine, found.change);
  await showChange(machine, found.change);
}

export function energyRanges(machine) {
  put(
    "energyranges",
    [24, 720].map((h) =>
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(h === hours),
          onclick: () => {
            hours = h;
            energyRanges(machine);
            showEnergy(machine);
          },
        },
        h === 24 ? t("energy.day") : t("common.days", { n: 30 }),
      ),
    ),
  );
}
