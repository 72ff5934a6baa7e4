// The page of alarms: which ones, what operators do with one or with all that match, what is suspended and why.

import { openForm } from "./alarmform.js";
import { act, alarmList, drawAccess, refusal } from "./alarmlist.js";
import { clockSwitch, moment } from "./clock.js";
import { byId, count, el, ended, faultName, get, outage, poll, put, sentenceCase, stateWord } from "./common.js";
import { supplyAlarmList } from "./supplyalarms.js";
import { t } from "./texts.js";

const STATES = ["unacknowledged", "acknowledged", "returned_unacknowledged", "shelved", "suppressed_by_design", "out_of_service", "normal"];
const BULK = ["acknowledge", "comment", "shelve", "unshelve", "close"];
const PART = 100, MOST = 500;
const FILTERS = ["state", "level", "machine_id"];

// What is shown stands in the address: `show` is a state, `all`, or absent for the open ones.
const asked = new URLSearchParams(location.search);
const chosen = { show: asked.get("show") ?? "open", level: asked.get("level") ?? "", machine_id: asked.get("machine_id") ?? "" };
let limit = PART;
let last = null;
let mayOperate = false;
let drawnBulk = "";

const draw = alarmList(byId("list"), { refresh: () => refresh(), withMachine: true });

const drawSupplies = supplyAlarmList(byId("supplies"), { refresh: () => refresh() });

function filter() {
  const found = { machine_id: chosen.machine_id, level: chosen.level };
  if (chosen.show === "open") found.open = true;
  else if (chosen.show !== "all") found.state = chosen.show;
  return Object.fromEntries(Object.entries(found).filter(([, v]) => v !== ""));
}

function choose(change) {
  Object.assign(chosen, change);
  limit = PART;
  const kept = Object.entries(chosen).filter(([name, v]) => v && !(name === "show" && v === "open"));
  history.replaceState(null, "", `?${new URLSearchParams(kept)}`);
  refresh();
}

function drawFilters(found) {
  const chip = (show, name, n) => el("button", { type: "button", "aria-pressed": String(chosen.show === show), "data-show": show, onclick: () => choose({ show }) }, name, " ", el("span", {}, count(n)));
  const all = Object.values(found.counts).reduce((a, b) => a + b, 0);
  const focused = document.activeElement?.dataset?.show;
  put("filters", chip("open", t("alarms.open"), found.open), STATES.filter((s) => found.counts[s] || chosen.show === s).map((s) => chip(s, t(`alarms.state_${s}`), found.counts[s])), chip("all", t("alarms.all"), all));
  if (focused) byId("filters").querySelector(`[data-show="${focused}"]`)?.focus({ preventScroll: true });
}

function drawOthers() {
  const machine = el("input", { type: "search", id: "machine", value: chosen.machine_id, placeholder: t("alarms.any_machine"), "aria-label": t("alarms.machine"), onchange: (e) => choose({ machine_id: e.target.value.trim() }) });
  const level = el("select", { id: "level", "aria-label": t("alarms.level"), onchange: (e) => choose({ level: e.target.value }) },
    ["", "warning", "fault"].map((v) => el("option", { value: v, selected: v === chosen.level ? "" : null }, v ? stateWord(v) : t("alarms.any_level"))));
  put("others", machine, level, clockSwitch(() => refresh()));
}

// One action on all that match, offered as soon as something but `open` is chosen; the count comes first.
function drawBulk(n) {
  const offered = mayOperate && n > 1 && FILTERS.some((name) => filter()[name]);
  const key = offered ? JSON.stringify(filter()) : "";
  if (key === drawnBulk) return;
  drawnBulk = key;
  byId("bulk").hidden = !offered;
  put("bulkform");
  put("bulk", el("span", { class: "soft" }, t("alarms.with_all")), BULK.map((name) => el("button", { type: "button", onclick: () => bulk(name) }, t(`alarms.do_${name}`))));
}

function bulk(name) {
  const place = byId("bulkform"), path = "/api/v1/alarms/actions";
  const close = () => { put(place); byId("bulk").querySelector("button").focus(); };
  const submit = (body, message) => {
    const request = { ...body, action: name, filter: filter() };
    act(path, { ...request, dry_run: true }, message, (trial) => {
      const finish = async () => { close(); await refresh(); };
      const go = el("button", { type: "button", class: "go", onclick: () => act(path, { ...request, expected_count: trial.count }, message, finish) }, t("alarms.go_bulk", { action: t(`alarms.do_${name}`), n: trial.count }));
      put(message, el("p", {}, t("alarms.would_change", { n: trial.count, matched: trial.matched })), trial.count ? go : "");
      go.focus();
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
  put("suspensions", all.map((x) => {
    const message = el("div", { class: "below" });
    const back = el("button", { type: "button", onclick: () => act(`/api/v1/machines/${encodeURIComponent(x.machine_id)}/in-service`, {}, message, refresh) }, t("alarms.do_in_service"));
    const until = x.code ? t("alarms.until_steady") : x.until ? t("alarms.until", { time: moment(x.until) }) : t("alarms.until_ended");
    return el("li", { class: "calm" }, el("div", { class: "line" }, el("b", {}, x.machine_id ? el("a", { href: `/machines/${encodeURIComponent(x.machine_id)}` }, x.machine_id) : t("alarms.system")), x.fault ? faultName(x.fault) : "", el("span", { class: "life done" }, t(`alarms.state_${x.kind}`)), el("time", { datetime: x.since }, t("alarms.began", { time: moment(x.since) }))),
      el("p", {}, ended(sentenceCase(x.by ? t("alarms.suspended_by", { until, name: x.by }) : until))), el("p", { class: x.code ? "" : "quote" }, x.code ? ended(sentenceCase(x.reason)) : x.reason), x.fault || !mayOperate ? null : el("div", { class: "tools" }, back), message);
  }));
}

function blankText() {
  if (last.data.length + last.groups.length) return "";
  return Object.values(last.counts).some(Boolean) || FILTERS.some((name) => filter()[name]) ? t("alarms.none_match") : t("alarms.none_yet");
}

async function refresh() {
  try {
    const query = new URLSearchParams({ ...filter(), limit, grouped: true });
    const [found, access, suspended] = await Promise.all([get(`/api/v1/alarms?${query}`), get("/api/v1/access"), get("/api/v1/alarms/suspensions")]);
    last = found;
    mayOperate = access.data.may_operate;
    drawAccess(byId("access"), access.data);
    drawFilters(found);
    draw(found.data, mayOperate);
    await drawSupplies(found.groups, mayOperate);
    drawBulk(found.data.length + found.groups.length);
    drawSuspensions(suspended.data);
    put("blank", blankText());
    byId("blank").hidden = found.data.length + found.groups.length > 0;
    const grouped = found.open_grouped < found.open;
    put("total", t(grouped ? "alarms.open_in_rows" : "alarms.open_count", { n: found.open, rows: found.open_grouped }));
    byId("morebox").hidden = !found.next || limit >= MOST;
    document.title = `${found.open ? `(${found.open}) ` : ""}${t("alarms.title")} · VTOX`;
    put("outage", found.away.map((a) => el("div", { class: "notice down", role: "alert" }, el("b", {}, ended(sentenceCase(a.reason))), " ", t("alarms.of_then"))));
    stale(false);
  } catch (error) {
    put("outage", error.status === 422 ? el("p", { class: "word fault", role: "alert" }, refusal(error)) : outage(error));
    if (last === null) put("blank", t("alarms.not_loaded"));
    stale(true);
  }
}

function stale(yes) {
  for (const n of document.querySelectorAll("main > .panel")) n.classList.toggle("stale", yes);
}

byId("more").addEventListener("click", () => { limit = Math.min(limit + PART, MOST); refresh(); });
drawOthers();
poll(refresh);
