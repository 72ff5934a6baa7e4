// What a row of the table of alarms shows of one alarm, or of several that are one; and what is beneath the row.

import { addressOf } from "./alarmactions.js";
import { moment, shortMoment } from "./clock.js";
import {
  el,
  ended,
  faultName,
  get,
  glyph,
  label,
  listed,
  marked,
  sentenceCase,
  sentences,
  silence,
  stateWord,
} from "./common.js";
import { t } from "./texts.js";

const orderName = (o) => t("alarms.work_order", o);
// The service takes addresses of http and https alone; what else is stored is no link.
const orderLink = (o) =>
  /^https?:\/\//.test(o.url) ? el("a", { href: o.url, rel: "noopener noreferrer" }, orderName(o)) : orderName(o);
const byWhom = (name) => (name ? t("alarms.by", { name }) : "");
const stateName = (state) => t(`alarms.state_${state}`);
const outcomeName = (outcome) => t(`words.outcome_${outcome}`);

export const isGroup = (x) => "machine_ids" in x;
// A group without a path is a whole site.
export const nameOf = (g) =>
  g.supply
    ? g.site
      ? label(g.site, g.supply)
      : g.supply
    : g.site
      ? t("alarms.site_of", { name: g.site })
      : t("alarms.no_site");

function where(x) {
  if (isGroup(x))
    return [
      el("b", {}, nameOf(x)),
      " ",
      el("span", { class: "soft" }, t("alarms.supply_machines", { n: x.machines, of: x.of_machines })),
    ];
  const link = x.machine_id
    ? el("a", { href: `/machines/${encodeURIComponent(x.machine_id)}#${x.fault}` }, x.machine_id)
    : el("b", {}, t("alarms.system"));
  return x.silent_since && x.fault !== "silent" ? [link, " ", silence(x.silent_since)] : [link];
}

// The cells of a row, by the names of their columns.
export function summary(x) {
  const level = x.active ? x.level : "normal";
  return {
    priority: [
      x.open && x.priority
        ? el("b", { title: sentenceCase(x.priority.sentence), class: x.priority.action }, String(x.priority.number))
        : "",
    ],
    level: [
      el(
        "span",
        { class: `state word ${level}` },
        glyph(level),
        x.active ? stateWord(x.level) : t("words.event_cleared"),
      ),
    ],
    machine: where(x),
    fault: [el("b", {}, faultName(x.fault))],
    state: [
      el(
        "span",
        { class: `life ${x.open ? x.state : "done"}` },
        x.outcome ? t("alarms.closed_as", { outcome: outcomeName(x.outcome) }) : stateName(x.state),
      ),
    ],
    assignee: [x.assignee ?? ""],
    why:
      x.fault === "silent" && x.silent_since && x.active
        ? [silence(x.silent_since), " ", sentenceCase(x.reason)]
        : [sentenceCase(x.reason)],
    time: [el("time", { datetime: x.time, title: moment(x.time) }, shortMoment(x.time))],
  };
}

function suspensionText(s) {
  if (s.kind === "suppressed_by_design")
    return label(
      t("alarms.suspension_by_design", { kind: stateName(s.kind), until: t("alarms.until_steady") }),
      s.reason,
    );
  const until = s.until ? t("alarms.until", { time: moment(s.until) }) : t("alarms.until_ended");
  return label(t("alarms.suspension", { kind: stateName(s.kind), until, name: s.by }), s.reason);
}

// When to act, and the arithmetic that says so.
const priorityText = (x) =>
  x.open && x.priority
    ? el(
        "p",
        {},
        el("b", {}, sentenceCase(ended(t(`words.action_${x.priority.action}`)))),
        sentenceCase(ended(x.priority.sentence)),
      )
    : null;

function groupDetails(g) {
  const counts = Object.entries(g.counts).map(([state, n]) =>
    t("alarms.supply_counts", { n, state: stateName(state) }),
  );
  return [
    el("p", {}, ended(sentenceCase(g.reason)), el("span", { class: "soft" }, ended(listed(counts)))),
    priorityText(g),
    g.open && g.active ? el("p", {}, el("b", {}, t("machine.what_to_do_is")), ...marked(g.what_to_do)) : null,
  ];
}

function alarmDetails(a, withMachine) {
  return [
    el(
      "p",
      {},
      el("span", { class: "soft" }, t("alarms.when_raised")),
      ended(sentenceCase(a.reason)),
      el(
        "span",
        { class: "soft" },
        sentenceCase(
          ended(t("alarms.since", { state: stateName(a.state), time: moment(a.since), by: byWhom(a.since_by) })),
        ),
      ),
    ),
    priorityText(a),
    a.found_right ? el("p", {}, sentenceCase(ended(a.found_right.sentence))) : null,
    a.growth ? el("p", { class: "growth" }, sentenceCase(ended(a.growth.sentence))) : null,
    a.outcome
      ? el(
          "p",
          {},
          ended(t("alarms.closed_by", { outcome: outcomeName(a.outcome), time: moment(a.closed), name: a.closed_by })),
        )
      : null,
    a.suspensions.length || a.shelved
      ? el(
          "p",
          {},
          ended(sentenceCase(sentences((a.suspensions.length ? a.suspensions : [a.shelved]).map(suspensionText)))),
        )
      : null,
    a.group && !withMachine ? el("p", {}, el("a", { href: "/alarms" }, sentenceCase(t("alarms.in_group")))) : null,
    a.last_comment ? el("p", { class: "quote" }, a.last_comment) : null,
    a.work_orders.length
      ? el("p", {}, el("b", {}, t("alarms.work_orders")), ...a.work_orders.flatMap((o) => [" ", orderLink(o)]))
      : null,
    a.open && a.active && a.what_to_do
      ? el("p", {}, el("b", {}, t("machine.what_to_do_is")), ...marked(a.what_to_do))
      : null,
  ];
}

// What stands beneath the row of an alarm, or of a group.
export const details = (x, withMachine) =>
  (isGroup(x) ? groupDetails(x) : alarmDetails(x, withMachine)).filter(Boolean);

export async function showHistory(a, place) {
  const { actions } = (await get(addressOf(a))).data;
  const done = (x) =>
    t(`alarms.did_${x.action}${x.action === "assign" && !x.text ? "_nobody" : ""}`, {
      outcome: x.outcome ? outcomeName(x.outcome) : "",
      until: x.until ? moment(x.until) : "",
      order: x.work_order ? orderName(x.work_order) : "",
      name: x.text,
    });
  const row = (x) =>
    el(
      "li",
      {},
      el("time", { datetime: x.time }, moment(x.time)),
      el("b", {}, x.by),
      el("span", {}, done(x)),
      x.text && x.action !== "assign" ? el("span", { class: "quote" }, x.text) : null,
    );
  place.replaceChildren(
    actions.length
      ? el("ol", { class: "did", "aria-label": t("alarms.history") }, actions.map(row))
      : el("p", { class: "soft" }, t("alarms.nothing_done")),
  );
}
