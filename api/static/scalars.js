// The latest scalars of a machine: value, state by its limits, and the zone of a vibration velocity.

import { ago, byId, count, el, exact, get, glyph, num, put, sentenceCase, span, stateWord } from "./common.js";
import { locale, t } from "./texts.js";

const reading = (s) => [
  `${exact(s.value)} ${s.unit}`,
  s.zone ? ` · ${t("machine.scalar_zone", { zone: s.zone })}` : "",
  s.state && s.state !== "normal" ? " " : "",
  s.state && s.state !== "normal"
    ? el("span", { class: `state word ${s.state}` }, glyph(s.state), stateWord(s.state))
    : "",
];
const limitText = (x) =>
  [
    `${x.side} ${exact(x.value)} ${stateWord(x.level)}`,
    x.delay_s ? t("machine.limit_lasts", { span: span(x.delay_s) }) : "",
    x.readings > 1 ? t("machine.limit_readings", { n: x.readings }) : "",
    x.back === null ? "" : t("machine.limit_back", { value: exact(x.back) }),
  ]
    .filter(Boolean)
    .join(", ");
const limitOf = (s) => s.limits.map(limitText).join(" · ");
const named = (name) => name.replaceAll("_", " ");

// How often each limit would have raised in the stored minutes, and ranges of a healthy week. Asked for by a button.
export async function showTrials(address) {
  const { limits, ranges } = (await get(`${address}/scalars/limits`)).data;
  const tried = limits.map((x) => {
    const limit = `${named(x.scalar_limit.name)} ${limitText(x.scalar_limit)}`;
    return x.readings
      ? t("machine.limit_tried", {
          limit,
          n: count(x.raised),
          span: span(x.to_t - x.from_t),
          readings: count(x.readings),
        })
      : t("machine.limit_untried", { limit });
  });
  const day = { day: "numeric", month: "short" };
  const learnt = ranges.map((r) =>
    t("machine.range_learnt", {
      name: named(r.name),
      unit: r.unit,
      minimum: num(r.minimum, 4),
      maximum: num(r.maximum, 4),
      low: num(r.low, 3),
      high: num(r.high, 3),
      readings: count(r.readings),
      to: new Date(1000 * r.to_t).toLocaleDateString(locale, day),
    }),
  );
  const said = [...tried, ...(learnt.length ? [...learnt, t("machine.range_note")] : [t("machine.range_none")])];
  put(
    "limittrials",
    said.map((line) => el("p", {}, line)),
  );
}

// Nothing is shown of a machine that has neither a scalar nor a class.
export function drawScalars(of, now) {
  byId("scalarpanel").hidden = !of.scalars.length && !of.vibration_class;
  put(
    "scalars",
    of.scalars.map((s) =>
      el(
        "div",
        { title: limitOf(s) },
        el(
          "dt",
          {},
          s.name.replaceAll("_", " "),
          " ",
          el("span", { class: "soft" }, ago(Math.max(now - new Date(s.time) / 1000, 0))),
        ),
        el("dd", {}, reading(s)),
      ),
    ),
  );
  const c = of.vibration_class;
  const zones = c
    ? t("machine.scalar_class", {
        source: c.source,
        group: c.group,
        support: t(`machine.support_${c.support}`),
        a: exact(c.ends_mm_s[0]),
        b: exact(c.ends_mm_s[1]),
        c: exact(c.ends_mm_s[2]),
      })
    : "";
  const why = of.why_no_velocity ? `${sentenceCase(of.why_no_velocity.sentence)}.` : "";
  put("scalarclass", of.scalars.length ? "" : `${t("machine.scalars_none")} `, zones, zones && why ? " " : "", why);
}
