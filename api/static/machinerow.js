// One machine in the list of the fleet, and its small trend.

import {
  ago,
  el,
  faultName,
  glyph,
  label,
  listed,
  num,
  put,
  sentenceCase,
  sentences,
  silence,
  span,
  stateWord,
  svg,
  unlockWord,
} from "./common.js";
import { t } from "./texts.js";

const FAULT_COUNT = 5;
// Heights of a bar in a trend of 24: a healthy step is low, so that an ill one is seen.
const HIGH = 24,
  LOW = 5;

const isIll = (m) => m.state === "fault" || m.state === "warning";
const isDetected = (state) => state === "fault" || state === "warning";

// A long name in two lines: its end, in which names of one plant differ, is never cut.
const LONG = 26,
  END = 10;
const lines = (id) => (id.length > LONG ? [id.slice(0, -END), id.slice(-END)].map((part) => el("span", {}, part)) : id);

// The state of a machine in words.
const RECENT_S = 120;

// How long ago its latest record ended, which is known to the minute.
function ageText(m) {
  if (!m.last_diagnosis) return "";
  const s = (Date.now() - new Date(m.last_diagnosis)) / 1000;
  return s < RECENT_S ? t("common.now") : ago(s);
}

function stateText(m) {
  const named = Object.entries(m.faults)
    .filter(([, s]) => s === m.state)
    .map(([f]) => faultName(f));
  if (isIll(m)) return label(stateWord(m.state), listed(named));
  if (m.silent_since)
    return t("common.silent_for", { span: span(Math.max((Date.now() - new Date(m.silent_since)) / 1000, 1)) });
  return stateWord(m.state);
}

// The reason of the record that the state rests on, then that of the latest, where this says something else.
const reasonText = (r) =>
  r.latest && r.latest.code !== r.code
    ? sentences([r.reason, label(t("fleet.latest_record"), r.latest.reason)])
    : r.reason;

function whyText(m) {
  if (m.silent_since && !isIll(m)) return "";
  if (!m.reasons.length) return m.health === null && !Object.keys(m.faults).length ? t("fleet.no_diagnosis") : "";
  return sentenceCase(
    sentences(m.reasons.map((r) => (m.reasons.length > 1 ? label(faultName(r.fault), reasonText(r)) : reasonText(r)))),
  );
}

// What days have not confirmed yet: the machine may be normal nevertheless.
const seenText = (m) => t("fleet.seen_faults", { faults: listed(m.seen.map(faultName)) });

// The machine's page, where what is wrong or seen stands, if anything is.
export function addressOf(m) {
  const fault = (isIll(m) && Object.keys(m.faults).find((f) => m.faults[f] === m.state)) || m.seen[0];
  return `/machines/${encodeURIComponent(m.machine_id)}${fault ? `#${fault}` : ""}`;
}

export function fillRow(node, m, choosePath) {
  const words = stateText(m),
    why = whyText(m),
    age = ageText(m);
  const silent = isIll(m) && m.silent_since ? silence(m.silent_since) : null;
  const seen = m.seen.length
    ? el("span", { class: "state seen" }, glyph("seen"), seenText(m), why ? " · " : null)
    : null;
  const when = silent || age ? el("span", { class: "when" }, " · ", silent ?? age) : null;
  const cell = (name, ...children) => el("div", { role: "cell", class: name }, children);
  const parts = m.asset_path ? m.asset_path.split("/") : [];
  const watched = FAULT_COUNT - m.blind.length;
  const blind = m.blind.length
    ? t("fleet.blind_list", {
        faults: sentences(
          Object.entries(m.unlocks).map(([f, unlock]) =>
            t("machine.needs", { fault: faultName(f), unlock: unlockWord(unlock) }),
          ),
        ),
      })
    : t("fleet.blind_none");
  node.className = `machine ${m.state}`;
  // The link covers the row: what is cut in its cells is read on the row.
  node.title = [
    m.machine_id,
    sentenceCase(why ? label(words, why) : words),
    m.seen.length ? seenText(m) : null,
    silent?.textContent,
    age && t("fleet.last_record", { ago: age }),
    listed([m.site, m.asset_path].filter(Boolean)),
    m.priority && sentenceCase(m.priority.sentence),
    blind,
  ]
    .filter(Boolean)
    .join("\n");
  const link = node.querySelector("a") ?? el("a", {});
  link.setAttribute("href", addressOf(m));
  put(link, glyph(m.state), el("span", { class: "id" }, lines(m.machine_id)));
  // The link stays the same element, so that the focus stays too.
  const first = node.firstChild ?? node.appendChild(cell("name", link));
  while (first.childNodes.length > 1) first.lastChild.remove();
  if (m.vehicle_id && m.vehicle_id !== m.machine_id) first.append(el("span", { class: "sub" }, m.vehicle_id));
  const old = [...node.childNodes].slice(1);
  const trend = node.querySelector(".trendcell") ?? cell("trendcell");
  for (const child of old) if (child !== trend) child.remove();
  first.after(
    cell("say", el("b", {}, sentenceCase(words), when), el("span", { class: "sub" }, seen, why)),
    cell(
      "place",
      el("b", {}, m.site),
      parts.length
        ? el(
            "span",
            { class: "sub" },
            parts.flatMap((part, i) => [
              i ? el("span", {}, "/") : null,
              el(
                "button",
                {
                  type: "button",
                  class: "link",
                  title: t("fleet.only_path", { path: parts.slice(0, i + 1).join("/") }),
                  onclick: () => choosePath(parts.slice(0, i + 1).join("/")),
                },
                part,
              ),
            ]),
          )
        : null,
    ),
  );
  node.append(
    trend,
    cell(
      "healthcell",
      el("span", { class: "small sub only" }, t("fleet.column_health")),
      el("b", {}, m.health === null ? "–" : num(m.health, 0)),
    ),
    cell(
      "watchcell",
      el("span", { class: "small sub only" }, t("fleet.column_watched")),
      el("span", {}, t("fleet.watched_of", { n: watched, all: FAULT_COUNT })),
      m.blind.length
        ? el(
            "span",
            { class: "sub" },
            t("fleet.needs", { unlocks: listed([...new Set(Object.values(m.unlocks))].map(unlockWord)) }),
          )
        : null,
    ),
  );
}

// Bars of the worst state of each step, as high as the health was low; a gap is no bar.
export function trendOf(trend, text) {
  const n = trend.state.length;
  const paths = { normal: "", unknown: "", warning: "", fault: "" };
  trend.state.forEach((state, i) => {
    if (!state) return;
    const lost = trend.health[i] === null ? 0 : 1 - trend.health[i] / 100;
    const height = isDetected(state) ? LOW + (HIGH - LOW) * Math.max(lost, 0.15) : LOW;
    paths[state] += `M${i} ${HIGH - height}h1v${height}h-1Z`;
  });
  return svg(
    "svg",
    { class: "minitrend", viewBox: `0 0 ${n} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": text },
    Object.entries(paths)
      .filter(([, d]) => d)
      .map(([state, d]) => svg("path", { class: state, d })),
  );
}

// What a trend says to those who do not see it.
export function trendText(trend, spanName) {
  const ill = trend.state.filter(isDetected).length,
    seen = trend.state.filter(Boolean).length;
  const least = Math.min(...trend.health.filter((h) => h !== null));
  return seen
    ? t("fleet.trend_text", {
        span: t(`fleet.span_${spanName}`),
        ill,
        seen,
        least: Number.isFinite(least) ? num(least, 0) : "–",
      })
    : t("fleet.trend_empty", { span: t(`fleet.span_${spanName}`) });
}
