// Marks of the trends: alarms, comments and repairs of the machine, in the plots and as a table.

import { byId, el, eventWord, faultName, label, redraw, sentenceCase, svg } from "./common.js";
import { t } from "./texts.js";

// In a box of 12 by 12, for plots and tables alike. Those of alarms are the shapes of their states.
export const SHAPES = {
  warning: ["M6 .8 11.6 11H.4Z", "warning-ink"],
  fault: ["M1.2 1.2h9.6v9.6H1.2Z", "fault-text"],
  cleared: ["M10.6 6A4.6 4.6 0 1 1 1.4 6 4.6 4.6 0 0 1 10.6 6Z", "normal-ink"],
  comment: ["M.6 1.2h10.8v7.2H6.2L3 11.4V8.4H.6Z", "soft"],
  repair: ["M6 .2 11.8 6 6 11.8.2 6Z", "accent"],
};
const GROUPS = ["alarms", "comments", "repairs"];
const REPAIRS = ["work_order", "close", "take_out_of_service", "return_to_service"];

function shapeOf(e) {
  if (e.kind === "alert") return e.event === "cleared" || e.event === "suppressed" ? "cleared" : e.level;
  return REPAIRS.includes(e.event) ? "repair" : e.text && e.event !== "assign" ? "comment" : null;
}
const groupOf = (shape) => (shape === "comment" || shape === "repair" ? `${shape}s` : "alarms");

function what(e) {
  if (e.kind === "alert") return eventWord(e);
  const order = e.work_order ? t("alarms.work_order", e.work_order) : "";
  return sentenceCase(
    t(`alarms.did_${e.event}`, { outcome: e.outcome ? t(`words.outcome_${e.outcome}`) : "", until: "", order }),
  );
}

// The events that are marks, oldest first; an acknowledgement without a word is none.
export const marksOf = (events) =>
  events
    .map((e) => ({ ...e, shape: shapeOf(e) }))
    .filter((m) => SHAPES[m.shape] && m.event !== "shelve")
    .sort((a, b) => a.t - b.t);
// Of a trend those of its fault and of the whole machine; of the health all.
export const ofFault = (marks, fault) => marks.filter((m) => fault === null || !m.fault || m.fault === fault);

export const icon = (shape) =>
  svg(
    "svg",
    { viewBox: "0 0 12 12", class: `mark ${shape}`, "aria-hidden": "true" },
    svg("path", { d: SHAPES[shape][0] }),
  );
export const markText = (m) =>
  `${m.fault ? label(faultName(m.fault), what(m)) : what(m)}${m.by ? ` (${m.by})` : ""}${m.text ? `: ${m.text}` : ""}`;

// All of them in words: what the shapes in the plots mean.
export function drawMarks(marks, complete, clock, point) {
  byId("marks").hidden = !marks.length;
  const counts = GROUPS.map((g) => [g, marks.filter((m) => groupOf(m.shape) === g).length])
    .filter(([, n]) => n)
    .map(([g, n]) => t(`trends.marks_${g}`, { n }));
  redraw(
    "markcount",
    `${t("trends.marks")}: ${counts.join(" · ")}${complete ? "" : ` · ${t("trends.marks_incomplete")}`}`,
  );
  const columns = ["time", "mark", "fault", "by", "text"].map((name) => t(`trends.mark_${name}`));
  const row = (m) => [
    el("button", { type: "button", class: "link", onclick: () => point(m.t) }, clock(m.t)),
    el("span", { class: "state" }, icon(m.shape), what(m)),
    m.fault ? faultName(m.fault) : "–",
    m.by || "–",
    m.text || "–",
  ];
  redraw(
    "marktable",
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        columns.map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el(
      "tbody",
      {},
      [...marks].reverse().map((m) =>
        el(
          "tr",
          {},
          row(m).map((c, i) => el(i ? "td" : "th", { scope: i ? null : "row", "data-name": columns[i] }, c)),
        ),
      ),
    ),
  );
}
