// The page of alarms: which ones, what operators do with one or with all that match, what is suspended and why.

import { act, drawAccess, refusal } from "./alarmactions.js";
import { openForm } from "./alarmform.js";
import { alarmList } from "./alarmlist.js";
import { clockSwitch, moment } from "./clock.js";
import {
  byId,
  count,
  el,
  ended,
  faultName,
  get,
  linkTable,
  outage,
  poll,
  put,
  redraw,
  sentenceCase,
  stateWord,
} from "./common.js";
import { lacksName, nameKept } from "./operator.js";
import { t } from "./texts.js";

const STATES = [
  "unacknowledged",
  "acknowledged",
  "returned_unacknowledged",
  "shelved",
  "suppressed_by_design",
  "out_of_service",
  "normal",
];
const BULK = ["acknowledge", "comment", "assign", "shelve", "unshelve", "close"];
const PART = 100,
  MOST = 500;
const FILTERS = ["state", "level", "machine_id", "assignee"];
const ANYBODY = "*";

// What is shown stands in the address: `show` is a state, `all`, or absent for the open ones.
const asked = new URLSearchParams(location.search);
const chosen = {
  show: asked.get("show") ?? "open",
  level: asked.get("level") ?? "",
  machine_id: asked.get("machine_id") ?? "",
  assignee: asked.get("assignee") ?? ANYBODY,
  action: asked.get("action") ?? "",
};
let limit = PART;
let last = null;
let mayOperate = false;
let drawnBulk = "";

// Who reads this: the key, or the name that was given on this page.
let me = "";

const list = alarmList(byId("list"), { refresh: () => refresh(), withMachine: true, onPick: () => drawBulk() });

function filter() {
  const found = { machine_id: chosen.machine_id, level: chosen.level };
  if (chosen.show === "open") found.open = true;
  else if (chosen.show !== "all") found.state = chosen.show;
  const given = Object.fromEntries(Object.entries(found).filter(([, v]) => v !== ""));
  // Nobody has no name.
  return chosen.assignee === ANYBODY ? given : { ...given, assignee: chosen.assignee };
}

function choose(change) {
  Object.assign(chosen, change);
  limit = PART;
  const kept = Object.entries(chosen).filter(([name, v]) =>
    name === "assignee" ? v !== ANYBODY : v && !(name === "show" && v === "open"),
  );
  history.replaceState(null, "", `?${new URLSearchParams(kept)}`);
  refresh();
}

function drawFilters(found) {
  const chip = (show, name, n) =>
    el(
      "button",
      {
        type: "button",
        "aria-pressed": String(chosen.show === show),
        "data-show": show,
        onclick: () => choose({ show }),
      },
      name,
      " ",
      el("span", {}, count(n)),
    );
  const all = Object.values(found.counts).reduce((a, b) => a + b, 0);
  const focused = document.activeElement?.dataset?.show;
  put(
    "filters",
    chip("open", t("alarms.open"), found.open),
    STATES.filter((s) => found.counts[s] || chosen.show === s).map((s) =>
      chip(s, t(`alarms.state_${s}`), found.counts[s]),
    ),
    chip("all", t("alarms.all"), all),
  );
  if (focused) byId("filters").querySelector(`[data-show="${focused}"]`)?.focus({ preventScroll: true });
}

function drawOthers() {
  const machine = el("input", {
    type: "search",
    id: "machine",
    value: chosen.machine_id,
    placeholder: t("alarms.any_machine"),
    "aria-label": t("alarms.machine"),
    onchange: (e) => choose({ machine_id: e.target.value.trim() }),
  });
  const level = el(
    "select",
    { id: "level", "aria-label": t("alarms.level"), onchange: (e) => choose({ level: e.target.value }) },
    ["", "warning", "fault"].map((v) =>
      el("option", { value: v, selected: v === chosen.level ? "" : null }, v ? stateWord(v) : t("alarms.any_level")),
    ),
  );
  const assignee = el("select", {
    id: "assignee",
    "aria-label": t("alarms.assignee"),
    onchange: (e) => choose({ assignee: e.target.value }),
  });
  const action = el(
    "select",
    { id: "action", "aria-label": t("alarms.action"), onchange: (e) => choose({ action: e.target.value }) },
    ["", "now", "next_stop"].map((v) =>
      el(
        "option",
        { value: v, selected: v === chosen.action ? "" : null },
        v ? sentenceCase(t(`words.action_${v}`)) : t("alarms.action_any"),
      ),
    ),
  );
  const mine = el(
    "button",
    {
      type: "button",
      id: "mine",
      hidden: "",
      onclick: () => choose({ assignee: chosen.assignee === me ? ANYBODY : me }),
    },
    t("alarms.mine"),
  );
  put(
    "others",
    machine,
    level,
    action,
    assignee,
    mine,
    clockSwitch(() => refresh()),
  );
}

// Who has open alarms, and how many; nobody first.
function drawAssignees(counts) {
  const names = [...new Set([...Object.keys(counts), chosen.assignee])].filter((n) => n && n !== ANYBODY).sort();
  const option = (value, text) => el("option", { value }, text);
  redraw(
    "assignee",
    option(ANYBODY, t("alarms.anybody")),
    option("", t("alarms.nobody", { n: counts[""] ?? 0 })),
    names.map((n) => option(n, t("alarms.assigned_open", { name: n, n: counts[n] ?? 0 }))),
  );
  byId("assignee").value = chosen.assignee;
}

// One action on what is picked, else on all that match, as soon as something but `open` is chosen.
function drawBulk() {
  const n = last ? last.data.length + last.groups.reduce((sum, g) => sum + g.alarms.length, 0) : 0,
    picked = list.picked().length;
  const offered = mayOperate && (picked > 0 || (n > 1 && !chosen.action && FILTERS.some((name) => name in filter())));
  const key = offered ? JSON.stringify(picked || filter()) : "";
  if (key === drawnBulk) return;
  drawnBulk = key;
  byId("bulk").hidden = !offered;
  put("bulkform");
  const buttons = BULK.map((name) =>
    el("button", { type: "button", "data-bulk": name, onclick: () => bulk(name) }, t(`alarms.do_${name}`)),
  );
  put(
    "bulk",
    picked ? el("b", {}, t("alarms.with_picked", { n: picked })) : el("span", { class: "soft" }, t("alarms.with_all")),
    buttons,
    picked ? el("button", { type: "button", class: "link", onclick: () => list.unpick() }, t("alarms.unpick")) : "",
  );
}

function bulk(name) {
  const place = byId("bulkform"),
    path = "/api/v1/alarms/actions",
    ids = list.picked();
  const close = () => {
    put(place);
    byId("bulk").querySelector("button")?.focus();
  };
  const submit = (body, message) => {
    const request = { ...body, action: name, filter: ids.length ? { ids } : filter() };
    act(path, { ...request, dry_run: true }, message, (trial) => {
      const finish = async () => {
        close();
        list.unpick();
        await refresh();
      };
      const apply = () => act(path, { ...request, expected_count: trial.count }, message, finish);
      // Who picked them knows how many there are.
      if (ids.length && trial.count === ids.length) return apply();
      const go = el(
        "button",
        { type: "button", class: "go", onclick: apply },
        t("alarms.go_bulk", { action: t(`alarms.do_${name}`), n: trial.count }),
      );
      put(
        message,
        el("p", {}, t("alarms.would_change", { n: trial.count, matched: trial.matched })),
        trial.count ? go : "",
      );
      return go.focus();
    });
  };
  openForm(place, name, { submit, close });
}

function drawSuspensions(s) {
  const all = [...s.out_of_service, ...s.shelved, ...s.suppressed_by_design];
  byId("suspended").hidden = !all.length;
  const text = JSON.stringify([all, moment(s.as_of).slice(-3), mayOperate]);
  if (byId("suspensions").dataset.text === text) return;
  byId("suspensions").dataset.text = text;
  put(
    "suspensions",
    all.map((x) => {
      const message = el("div", { class: "below" });
      const submit = (body, place) =>
        act(`/api/v1/machines/${encodeURIComponent(x.machine_id)}/in-service`, body, place, refresh);
      const ask = async () =>
        (await lacksName())
          ? openForm(message, "in_service", { submit, close: () => put(message) })
          : submit({}, message);
      const back = el("button", { type: "button", onclick: ask }, t("alarms.do_in_service"));
      const until = x.code
        ? t("alarms.until_steady")
        : x.until
          ? t("alarms.until", { time: moment(x.until) })
          : t("alarms.until_ended");
      return el(
        "li",
        { class: "calm" },
        el(
          "div",
          { class: "line" },
          el(
            "b",
            {},
            x.machine_id
              ? el("a", { href: `/machines/${encodeURIComponent(x.machine_id)}` }, x.machine_id)
              : t("alarms.system"),
          ),
          x.fault ? faultName(x.fault) : "",
          el("span", { class: "life done" }, t(`alarms.state_${x.kind}`)),
          el("time", { datetime: x.since }, t("alarms.began", { time: moment(x.since) })),
        ),
        el("p", {}, ended(sentenceCase(x.by ? t("alarms.suspended_by", { until, name: x.by }) : until))),
        el("p", { class: x.code ? "" : "quote" }, x.code ? ended(sentenceCase(x.reason)) : x.reason),
        x.fault || !mayOperate ? null : el("div", { class: "tools" }, back),
        message,
      );
    }),
  );
}

function blankText() {
  if (last.data.length + last.groups.length) return "";
  return Object.values(last.counts).some(Boolean) || chosen.action || FILTERS.some((name) => name in filter())
    ? t("alarms.none_match")
    : t("alarms.none_yet");
}

async function refresh() {
  try {
    const query = new URLSearchParams({
      ...filter(),
      ...(chosen.action ? { action: chosen.action } : {}),
      limit,
      grouped: true,
    });
    const [found, access, suspended] = await Promise.all([
      get(`/api/v1/alarms?${query}`),
      get("/api/v1/access"),
      get("/api/v1/alarms/suspensions"),
    ]);
    last = found;
    linkTable("/api/v1/alarms", chosen.action ? { ...filter(), action: chosen.action } : filter());
    mayOperate = access.data.may_operate;
    me = access.data.name || nameKept();
    byId("mine").hidden = !me;
    byId("mine").setAttribute("aria-pressed", String(Boolean(me) && chosen.assignee === me));
    drawAccess(byId("access"), access.data);
    drawFilters(found);
    drawAssignees(found.assignees);
    await list.draw(found.data, found.groups, mayOperate);
    drawBulk();
    drawSuspensions(suspended.data);
    put("blank", blankText());
    byId("blank").hidden = found.data.length + found.groups.length > 0;
    byId("list").hidden = !byId("blank").hidden;
    const grouped = found.open_grouped < found.open;
    put("total", t(grouped ? "alarms.open_in_rows" : "alarms.open_count", { n: found.open, rows: found.open_grouped }));
    byId("morebox").hidden = !found.next || limit >= MOST;
    document.title = `${found.open ? `(${found.open}) ` : ""}${t("alarms.title")} · VTOX`;
    put("outage");
    stale(false);
  } catch (error) {
    put(
      "outage",
      error.status === 422 ? el("p", { class: "word fault", role: "alert" }, refusal(error)) : outage(error),
    );
    if (last === null) put("blank", t("alarms.not_loaded"));
    stale(true);
  }
}

function stale(yes) {
  for (const n of document.querySelectorAll("main > .panel")) n.classList.toggle("stale", yes);
}

byId("more").addEventListener("click", () => {
  limit = Math.min(limit + PART, MOST);
  refresh();
});
drawOthers();
poll(refresh);
