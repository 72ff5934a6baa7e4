// Alarms as a dense table: a row for each, and for those of one supply or site together; what more there is of it, and
// what operators do, beneath it on demand. What is typed, focused or scrolled survives every refresh.

import { act, actionsFor, addressOf, AT_ONCE, refusal } from "./alarmactions.js";
import { details, isGroup, nameOf, showHistory, summary } from "./alarmfacts.js";
import { openForm } from "./alarmform.js";
import { moment } from "./clock.js";
import { el, faultName, get, redraw } from "./common.js";
import { lacksName } from "./operator.js";
import { t } from "./texts.js";

const MOST = 500;
const COLUMNS = ["priority", "level", "machine", "fault", "state", "assignee", "why", "time"];
// What acts on all members of a group, and in which states it changes one.
const WITH_ALL = { acknowledge: ["unacknowledged", "returned_unacknowledged"], ungroup: null };
const keyOf = (x) => `${isGroup(x) ? "group" : "alarm"} ${x.id}`;
const nameFor = (x) => `${faultName(x.fault)} ${isGroup(x) ? nameOf(x) : x.machine_id}`;
const countFor = (g, name) =>
  WITH_ALL[name] ? WITH_ALL[name].reduce((n, s) => n + (g.counts[s] ?? 0), 0) : g.alarms.length;

// The order of the service (docs/reference/alarms.md#order), which gives alarms and groups as two lists.
const precedence = (x) => [
  x.open ? 0 : 1,
  x.open ? -(x.priority?.number ?? 0) : 0,
  x.open ? -(x.priority?.cost_per_hour ?? 0) : 0,
  -x.t,
];
export function inOrder(items) {
  const compare = (a, b) => a.key.map((k, i) => k - b.key[i]).find((d) => d) ?? 0;
  return items
    .map((x) => ({ x, key: precedence(x) }))
    .sort(compare)
    .map(({ x }) => x);
}

// A table in `place`; `refresh` is called after an action, `onPick` when other rows are picked. On the page of a machine
// its name is left out, and open alarms stand open. The result draws alarms and groups, for an operator or a reader.
export function alarmList(place, { refresh, withMachine, onPick = null }) {
  const rows = new Map();
  const picked = new Map();
  const columns = COLUMNS.filter((c) => withMachine || c !== "machine");
  let shown = [],
    mayOperate = false;

  const every = el("input", {
    type: "checkbox",
    "aria-label": t("alarms.pick_all"),
    onchange: () => {
      const yes = every.checked;
      for (const x of shown) pick(x, yes);
    },
  });
  const head = el(
    "tr",
    {},
    el("td", { class: "pick" }, onPick ? every : ""),
    columns.map((c) => el("th", { class: `c-${c}`, scope: "col" }, t(`alarms.column_${c}`))),
    el("td", { class: "toggle" }),
  );
  place.classList.add("alarmtable");
  place.replaceChildren(el("thead", {}, head));

  function pick(x, yes) {
    if (yes) picked.set(keyOf(x), x);
    else picked.delete(keyOf(x));
    const row = rows.get(keyOf(x));
    if (row) row.pick.checked = yes;
    drawPicked();
  }
  function drawPicked() {
    every.checked = shown.length > 0 && shown.every((x) => picked.has(keyOf(x)));
    every.indeterminate = !every.checked && picked.size > 0;
    onPick?.();
  }

  function makeRow(x) {
    const row = {
      alarm: x,
      cells: {},
      facts: el("div", { class: "facts-of" }),
      buttons: el("div", { class: "tools" }),
      form: el("div", { class: "below", role: isGroup(x) ? "alert" : null }),
      drawn: "",
      offered: "",
      shown: "",
      members: [],
    };
    row.pick = el("input", {
      type: "checkbox",
      "aria-label": t("alarms.pick", { name: nameFor(x) }),
      onchange: () => pick(row.alarm, row.pick.checked),
    });
    row.toggle = el("button", {
      type: "button",
      class: "link",
      "aria-label": t("alarms.more_of", { name: nameFor(x) }),
      onclick: () => open(row, row.more.hidden),
    });
    for (const c of columns) row.cells[c] = el("td", { class: `c-${c}` });
    row.sum = el(
      "tr",
      {
        class: "sum",
        onclick: (e) => {
          if (!e.target.closest("a, button, input")) open(row, row.more.hidden);
        },
      },
      el("td", { class: "pick" }, onPick ? row.pick : ""),
      Object.values(row.cells),
      el("td", { class: "toggle" }, row.toggle),
    );
    row.more = el(
      "tr",
      { class: "more", hidden: "" },
      el("td", { colspan: columns.length + 2 }, el("div", {}, row.facts, row.buttons, row.form)),
    );
    row.node = el("tbody", { "data-row": keyOf(x) }, row.sum, row.more);
    // On a telephone the proof comes first.
    show(row, !withMachine && x.open && !matchMedia("(max-width: 620px)").matches);
    return row;
  }

  function show(row, yes) {
    row.more.hidden = !yes;
    row.toggle.setAttribute("aria-expanded", String(yes));
    row.toggle.textContent = yes ? "▾" : "▸";
  }

  async function open(row, yes) {
    show(row, yes);
    if (!isGroup(row.alarm)) return;
    await loadMembers(row).catch(refresh);
    placeRows();
  }

  async function loadMembers(row) {
    if (row.more.hidden) {
      row.members = [];
      return;
    }
    const query = new URLSearchParams({ group: row.alarm.id, limit: MOST });
    row.members = (await get(`/api/v1/alarms?${query}`)).data;
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
    const done = async () => {
      close(row);
      await refresh();
    };
    const path = `${addressOf(row.alarm)}/${name.replaceAll("_", "-")}`;
    row.shown = name;
    if (AT_ONCE.has(name) && !(await lacksName())) return act(path, {}, row.form, done);
    if (name !== "history")
      return openForm(row.form, name, {
        submit: (body, message) => act(path, body, message, done),
        close: () => close(row),
        alarm: row.alarm,
      });
    try {
      await showHistory(row.alarm, row.form);
    } catch (error) {
      row.form.replaceChildren(el("p", { class: "word fault" }, refusal(error)));
    }
  }

  async function withAll(row, name) {
    const body = { action: name, filter: { group: row.alarm.id }, expected_count: countFor(row.alarm, name) };
    const submit = (more, message) => act("/api/v1/alarms/actions", { ...more, ...body }, message, refresh);
    if (await lacksName()) return openForm(row.form, name, { submit, close: () => row.form.replaceChildren() });
    submit({}, row.form);
  }

  function buttonsOf(row) {
    const x = row.alarm;
    if (!isGroup(x)) {
      const button = (name) =>
        el(
          "button",
          {
            type: "button",
            "data-do": name,
            "aria-label": t("alarms.do_with", {
              action: t(`alarms.do_${name}`),
              fault: faultName(x.fault),
              machine: x.machine_id,
            }),
            onclick: () => press(row, name),
          },
          t(`alarms.do_${name}`),
        );
      return [...(mayOperate ? actionsFor(x) : []), "history"].map(button);
    }
    return Object.keys(WITH_ALL)
      .filter((name) => mayOperate && countFor(x, name))
      .map((name) => {
        const action = t(`alarms.do_${name}`),
          n = countFor(x, name);
        return el(
          "button",
          {
            type: "button",
            "data-all": name,
            "aria-label": t("alarms.do_with_supply", { action, n, fault: faultName(x.fault), name: nameOf(x) }),
            onclick: () => withAll(row, name),
          },
          t("alarms.do_with_all", { action, n }),
        );
      });
  }

  function offer(row) {
    const buttons = buttonsOf(row);
    const offered = buttons.map((b) => b.outerHTML).join();
    if (row.offered === offered) return;
    row.offered = offered;
    const hadFocus = row.buttons.contains(document.activeElement);
    row.buttons.replaceChildren(...buttons);
    if (hadFocus) row.buttons.firstChild?.focus({ preventScroll: true });
  }

  function drawRow(x, member) {
    if (!rows.has(keyOf(x))) rows.set(keyOf(x), makeRow(x));
    const row = rows.get(keyOf(x));
    row.alarm = x;
    if (picked.has(keyOf(x))) picked.set(keyOf(x), x);
    const cells = summary(x);
    for (const c of columns) redraw(row.cells[c], cells[c]);
    row.cells.why.title = x.reason;
    const drawn = JSON.stringify([x, moment(x.since)]);
    if (row.drawn !== drawn) {
      row.facts.replaceChildren(...details(x, withMachine));
      row.drawn = drawn;
    }
    row.node.className = `${x.open && x.active ? x.level : "calm"}${member ? " member" : ""}`;
    offer(row);
    return row;
  }

  // Rows in their order; nodes are moved only where they are elsewhere.
  function placeRows() {
    const kept = new Set();
    let before = place.tHead;
    const put = (x, member) => {
      const row = drawRow(x, member);
      kept.add(keyOf(x));
      if (before.nextSibling !== row.node) before.after(row.node);
      before = row.node;
      for (const m of row.members) put(m, true);
    };
    for (const x of shown) put(x, false);
    for (const [key, row] of rows)
      if (!kept.has(key)) {
        row.node.remove();
        rows.delete(key);
        picked.delete(key);
      }
    drawPicked();
  }

  const draw = async (alarms, groups, may) => {
    mayOperate = may;
    shown = inOrder([...groups, ...alarms]);
    place.classList.toggle("operable", Boolean(onPick) && may);
    placeRows();
    const opened = [...rows.values()].filter((row) => isGroup(row.alarm) && !row.more.hidden);
    if (!opened.length) return;
    await Promise.all(opened.map(loadMembers));
    placeRows();
  };
  return {
    draw,
    // The ids of the alarms that are picked, those of groups among them.
    picked: () => [...new Set([...picked.values()].flatMap((x) => (isGroup(x) ? x.alarms : [x.id])))],
    unpick: () => {
      for (const x of [...picked.values()]) pick(x, false);
    },
  };
}
