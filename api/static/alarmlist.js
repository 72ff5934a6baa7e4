// Alarms as a list with what operators do. What is typed, focused or scrolled survives every refresh.

import { openForm } from "./alarmform.js";
import { moment } from "./clock.js";
import { el, ended, faultName, get, glyph, label, marked, Refused, sentenceCase, sentences, silenceText, stateWord } from "./common.js";
import { askName, lacksName, send } from "./operator.js";
import { hasText, t } from "./texts.js";

// Those that need nothing but a click.
const AT_ONCE = new Set(["acknowledge", "unshelve", "ungroup"]);
const addressOf = (a) => `/api/v1/alarms/${encodeURIComponent(a.id)}`;
const randomId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

const orderName = (o) => t("alarms.work_order", o);
// The service takes addresses of http and https alone; what else is stored is no link.
const orderLink = (o) => (/^https?:\/\//.test(o.url) ? el("a", { href: o.url, rel: "noopener noreferrer" }, orderName(o)) : orderName(o));

// What a refusal says, in the reader's language where it has a code that the pages know.
export function refusal(error) {
  if (!(error instanceof Refused)) return silenceText(error);
  const key = `alarms.refused_${error.problem.code}`;
  return hasText(key) ? t(key) : sentenceCase(error.message);
}

// Sends an action, asking for a name where one is missing; a request whose answer is lost is sent again as the same one.
export async function act(path, body, message, done, request = randomId()) {
  const again = () => act(path, body, message, done, request);
  message.replaceChildren();
  try {
    await done((await send("POST", path, { ...body, request_id: request })).data);
  } catch (error) {
    if (lacksName(error)) return askName(message, again);
    const retry = error instanceof Refused ? null : el("button", { type: "button", onclick: again }, t("alarms.again"));
    message.replaceChildren(el("p", { class: "word fault" }, refusal(error), " ", retry ?? ""));
  }
}

function actionsFor(a) {
  const waits = a.state === "unacknowledged" || a.state === "returned_unacknowledged";
  return [
    waits && !a.outcome && "acknowledge", "comment",
    a.active && !a.outcome && !a.shelved && "shelve", a.shelved && "unshelve", "work_order", !a.outcome && "close", a.group && "ungroup",
  ].filter(Boolean);
}

const byWhom = (name) => (name ? t("alarms.by", { name }) : "");

function suspensionText(s) {
  if (s.kind === "suppressed_by_design") return label(t("alarms.suspension_by_design", { kind: t(`alarms.state_${s.kind}`), until: t("alarms.until_steady") }), s.reason);
  const until = s.until ? t("alarms.until", { time: moment(s.until) }) : t("alarms.until_ended");
  return label(t("alarms.suspension", { kind: t(`alarms.state_${s.kind}`), until, name: s.by }), s.reason);
}

function facts(a, withMachine) {
  const where = a.machine_id ? el("a", { href: `/machines/${encodeURIComponent(a.machine_id)}#${a.fault}` }, a.machine_id) : t("alarms.system");
  const levelState = a.active ? a.level : "normal";
  return [
    el("div", { class: "line" },
      el("span", { class: `state word ${levelState}` }, glyph(levelState), a.active ? stateWord(a.level) : t("words.event_cleared")),
      withMachine ? el("b", {}, where) : null, el("b", {}, faultName(a.fault)),
      el("span", { class: `life ${a.open ? a.state : "done"}` }, t(`alarms.state_${a.state}`)),
      a.outcome ? el("span", { class: "life done" }, t("alarms.closed_as", { outcome: t(`words.outcome_${a.outcome}`) })) : null,
      el("time", { datetime: a.time, title: a.id }, t("alarms.began", { time: moment(a.time) }))),
    el("p", {}, ended(sentenceCase(a.reason)), el("span", { class: "soft" }, sentenceCase(ended(t("alarms.since", { state: t(`alarms.state_${a.state}`), time: moment(a.since), by: byWhom(a.since_by) }))))),
    a.growth ? el("p", { class: "growth" }, el("b", {}, ended(sentenceCase(a.growth.urgency_sentence))), sentenceCase(ended(a.growth.sentence))) : null,
    a.outcome ? el("p", {}, ended(t("alarms.closed_by", { outcome: t(`words.outcome_${a.outcome}`), time: moment(a.closed), name: a.closed_by }))) : null,
    a.suspensions.length || a.shelved ? el("p", {}, ended(sentenceCase(sentences((a.suspensions.length ? a.suspensions : [a.shelved]).map(suspensionText))))) : null,
    a.group && !withMachine ? el("p", {}, el("a", { href: "/alarms" }, sentenceCase(t("alarms.in_group")))) : null,
    a.last_comment ? el("p", { class: "quote" }, a.last_comment) : null,
    a.work_orders.length ? el("p", {}, el("b", {}, t("alarms.work_orders")), ...a.work_orders.flatMap((o) => [" ", orderLink(o)])) : null,
    a.open && a.active && a.what_to_do ? el("p", {}, el("b", {}, t("machine.what_to_do_is")), ...marked(a.growth ? `${ended(a.what_to_do)}${a.growth.what_to_do}` : a.what_to_do)) : null,
  ];
}

async function showHistory(a, place) {
  const { actions } = (await get(addressOf(a))).data;
  const row = (x) => el("li", {}, el("time", { datetime: x.time }, moment(x.time)), el("b", {}, x.by), el("span", {}, t(`alarms.did_${x.action}`, { outcome: x.outcome ? t(`words.outcome_${x.outcome}`) : "", until: x.until ? moment(x.until) : "", order: x.work_order ? orderName(x.work_order) : "" })), x.text ? el("span", { class: "quote" }, x.text) : null);
  place.replaceChildren(actions.length ? el("ol", { class: "did", "aria-label": t("alarms.history") }, actions.map(row)) : el("p", { class: "soft" }, t("alarms.nothing_done")));
}

// A list in `place`; `refresh` is called after an action. The result draws alarms, for an operator or a reader.
export function alarmList(place, { refresh, withMachine }) {
  const rows = new Map();

  function makeRow() {
    const row = { facts: el("div"), buttons: el("div", { class: "tools" }), form: el("div", { class: "below" }), drawn: "", offered: "", shown: "" };
    row.node = el("li", {}, row.facts, row.buttons, row.form);
    return row;
  }

  function close(row) {
    const name = row.shown;
    row.shown = "";
    row.form.replaceChildren();
    row.buttons.querySelector(`[data-do="${name}"]`)?.focus();
  }

  async function press(row, name) {
    const again = row.shown === name;
    if (row.shown) close(row);
    if (again) return;
    const done = async () => { close(row); await refresh(); };
    const path = `${addressOf(row.alarm)}/${name.replaceAll("_", "-")}`;
    row.shown = name;
    if (AT_ONCE.has(name)) return act(path, {}, row.form, done);
    if (name !== "history") return openForm(row.form, name, { submit: (body, message) => act(path, body, message, done), close: () => close(row) });
    try {
      await showHistory(row.alarm, row.form);
    } catch (error) {
      row.form.replaceChildren(el("p", { class: "word fault" }, refusal(error)));
    }
  }

  function offer(row, names) {
    if (row.offered === names.join()) return;
    row.offered = names.join();
    const hadFocus = row.buttons.contains(document.activeElement);
    row.buttons.replaceChildren(...names.map((name) => el("button", { type: "button", "data-do": name, "aria-label": t("alarms.do_with", { action: t(`alarms.do_${name}`), fault: faultName(row.alarm.fault), machine: row.alarm.machine_id }), onclick: () => press(row, name) }, t(`alarms.do_${name}`))));
    if (hadFocus) row.buttons.firstChild?.focus({ preventScroll: true });
  }

  return (alarms, mayOperate) => {
    const kept = new Set(alarms.map((a) => a.id));
    for (const [id, row] of rows) if (!kept.has(id)) { row.node.remove(); rows.delete(id); }
    let before = null;
    for (const a of alarms) {
      if (!rows.has(a.id)) rows.set(a.id, makeRow());
      const row = rows.get(a.id);
      row.alarm = a;
      const drawn = JSON.stringify([a, moment(a.since)]);
      if (row.drawn !== drawn) {
        row.facts.replaceChildren(...facts(a, withMachine).filter(Boolean));
        row.node.className = a.open && a.active ? a.level : "calm";
        row.drawn = drawn;
      }
      offer(row, mayOperate ? [...actionsFor(a), "history"] : ["history"]);
      const there = before ? before.nextSibling : place.firstChild;
      if (there !== row.node) place.insertBefore(row.node, there);
      before = row.node;
    }
  };
}

// Who acts, said once above a list; the name can be changed where no key has one.
export function drawAccess(place, access) {
  const name = access.name || localStorage.getItem("vtox_operator") || "";
  const text = !access.may_operate ? t("alarms.read_only") : name ? t("alarms.acting_as", { name }) : "";
  const change = access.name_needed && name ? el("button", { type: "button", class: "link", onclick: () => { localStorage.removeItem("vtox_operator"); drawAccess(place, access); } }, t("alarms.another_name")) : null;
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  place.replaceChildren(text, ...(change ? [" ", change] : []));
}
