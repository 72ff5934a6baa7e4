// Alarms of one supply as rows of the list: one row for all, their machines beneath it on demand.

import { act, alarmList } from "./alarmlist.js";
import { moment } from "./clock.js";
import { el, ended, faultName, get, glyph, label, listed, marked, redraw, sentenceCase, stateWord } from "./common.js";
import { t } from "./texts.js";

const MOST = 500;
// What acts on all members, and in which states it changes one.
const WITH_ALL = { acknowledge: ["unacknowledged", "returned_unacknowledged"], ungroup: null };

const nameOf = (g) => (g.site ? label(g.site, g.supply) : g.supply);
const countFor = (g, name) => (WITH_ALL[name] ? WITH_ALL[name].reduce((n, s) => n + (g.counts[s] ?? 0), 0) : g.alarms.length);

function facts(g) {
  const level = g.active ? g.level : "normal";
  const counts = Object.entries(g.counts).map(([state, n]) => t("alarms.supply_counts", { n, state: t(`alarms.state_${state}`) }));
  return [
    el("div", { class: "line" },
      el("span", { class: `state word ${level}` }, glyph(level), g.active ? stateWord(g.level) : t("words.event_cleared")),
      el("b", {}, t("alarms.supply_of", { name: nameOf(g) })), el("b", {}, faultName(g.fault)),
      el("span", { class: `life ${g.open ? g.state : "done"}` }, t(`alarms.state_${g.state}`)),
      el("span", {}, t("alarms.supply_machines", { n: g.machines, of: g.of_machines })),
      el("time", { datetime: g.time, title: g.id }, t("alarms.began", { time: moment(g.time) }))),
    el("p", {}, ended(sentenceCase(g.reason)), el("span", { class: "soft" }, ended(listed(counts)))),
    g.open && g.active ? el("p", {}, el("b", {}, t("machine.what_to_do_is")), ...marked(g.what_to_do)) : null,
  ].filter(Boolean);
}

// Rows in `place`; `refresh` is called after an action.
export function supplyAlarmList(place, { refresh }) {
  const rows = new Map();

  function makeRow() {
    const row = { facts: el("div"), buttons: el("div", { class: "tools" }), message: el("div", { class: "below", role: "alert" }), members: el("ol", { class: "alarmlist members", hidden: "" }) };
    row.node = el("li", {}, row.facts, row.buttons, row.message, row.members);
    row.draw = alarmList(row.members, { refresh, withMachine: true });
    return row;
  }

  function withAll(row, name) {
    const { group } = row;
    const body = { action: name, filter: { group: group.id }, expected_count: countFor(group, name) };
    act("/api/v1/alarms/actions", body, row.message, refresh);
  }

  async function drawMembers(row, mayOperate) {
    if (row.members.hidden) return;
    const found = await get(`/api/v1/alarms?${new URLSearchParams({ group: row.group.id, limit: MOST })}`);
    row.draw(found.data, mayOperate);
  }

  async function toggle(row, mayOperate) {
    row.members.hidden = !row.members.hidden;
    drawButtons(row, mayOperate);
    await drawMembers(row, mayOperate).catch(refresh);
  }

  function drawButtons(row, mayOperate) {
    const { group: g } = row;
    const names = mayOperate ? Object.keys(WITH_ALL).filter((name) => countFor(g, name)) : [];
    const all = names.map((name) => {
      const action = t(`alarms.do_${name}`), n = countFor(g, name);
      return el("button", { type: "button", "data-all": name, "aria-label": t("alarms.do_with_supply", { action, n, fault: faultName(g.fault), name: nameOf(g) }), onclick: () => withAll(row, name) }, t("alarms.do_with_all", { action, n }));
    });
    const open = !row.members.hidden;
    const offered = JSON.stringify([all.map((b) => b.outerHTML), open]);
    if (row.offered === offered) return;
    row.offered = offered;
    const focused = row.buttons.contains(document.activeElement);
    row.buttons.replaceChildren(...all, el("button", { type: "button", "data-members": "", "aria-expanded": String(open), onclick: () => toggle(row, mayOperate) }, t(open ? "alarms.supply_hide" : "alarms.supply_show")));
    if (focused) row.buttons.querySelector("[data-members]").focus({ preventScroll: true });
  }

  return async (groups, mayOperate) => {
    const kept = new Set(groups.map((g) => g.id));
    for (const [id, row] of rows) if (!kept.has(id)) { row.node.remove(); rows.delete(id); }
    place.hidden = !groups.length;
    for (const g of groups) {
      if (!rows.has(g.id)) rows.set(g.id, makeRow());
      const row = rows.get(g.id);
      row.group = g;
      redraw(row.facts, facts(g));
      row.node.className = g.open && g.active ? g.level : "calm";
      drawButtons(row, mayOperate);
      if (!row.node.isConnected) place.append(row.node);
    }
    await Promise.all([...rows.values()].map((row) => drawMembers(row, mayOperate)));
  };
}
