// The profile of one machine: its usual load by hour of working and weekend days, and the load now.

import { drawAxes, roundTop } from "./barchart.js";
import { byId, el, get, num, put, sentenceCase, svg } from "./common.js";
import { t } from "./texts.js";

const HOURS = 48;
const UNITS = { power: ["kW", 1000], current: ["A", 1] };

function drawHours(p, [unit, size]) {
  const chart = byId("profilebars");
  const loads = p.hours.flatMap((h) => (h.high === null ? [] : [h.high]));
  const shown = loads.length > 0 || p.now !== null;
  chart.parentElement.hidden = !shown;
  if (!shown) return;
  const top = roundTop(Math.max(...loads, p.now?.load ?? 0) / size);
  const y = (load) => 100 - (100 * load) / (size * top);
  chart.setAttribute("viewBox", `0 0 ${HOURS} 100`);
  const bars = p.hours
    .filter((h) => h.high !== null)
    .map((h) =>
      svg("rect", { x: h.hour + 0.08, y: y(h.high), width: 0.84, height: Math.max(y(h.low) - y(h.high), 1.5) }),
    );
  const now = p.now
    ? [svg("rect", { class: "at", x: p.now.hour - 0.2, y: y(p.now.load) - 1.5, width: 1.4, height: 3 })]
    : [];
  chart.replaceChildren(svg("rect", { class: "none", x: 23.95, y: 0, width: 0.1, height: 100 }), ...bars, ...now);
  const hour = (i) => (i === 24 ? t("profile.weekend") : t("profile.hour", { hour: i % 24 }));
  drawAxes(chart, { top, unit, n: HOURS, name: hour });
}

function nowText(p, [unit, size]) {
  if (!p.now) return t("profile.no_load_yet");
  const h = p.hours[p.now.hour];
  const load = num(p.now.load / size, 3);
  const at = { load, unit, hz: num(p.now.hz, 3) };
  if (h.high === null) return t("profile.now_alone", at);
  return t("profile.now", { ...at, low: num(h.low / size, 3), high: num(h.high / size, 3) });
}

function limits(p) {
  const facts = [];
  const add = (name, value) => facts.push(el("div", {}, el("dt", {}, t(`profile.${name}`)), el("dd", {}, value)));
  if (p.low_v !== null) add("voltage", `${num(p.low_v, 4)} – ${num(p.high_v, 4)} V`);
  if (p.unbalance !== null) add("unbalance", `${num(100 * p.unbalance, 2)} %`);
  if (p.starts_per_hour !== null) add("starts", num(p.starts_per_hour, 3));
  return facts;
}

export async function showProfile(address) {
  const { data } = await get(`${address}/profile`);
  const p = data.profile;
  const unit = UNITS[p.kind] ?? UNITS.current;
  const why = data.no_profile;
  put(
    "profilewhy",
    why
      ? [t("profile.none", { why: why.sentence }), " ", el("span", { class: "soft" }, sentenceCase(why.what_to_do))]
      : "",
  );
  put("profileread", nowText(p, unit));
  byId("profilebars").setAttribute("aria-label", nowText(p, unit));
  drawHours(p, unit);
  put("profilelimits", limits(p));
}
