// The alarms of one machine on its page, and whether it is in service.

import { openForm } from "./alarmform.js";
import { alarmList } from "./alarmlist.js";
import { act, drawAccess } from "./alarmactions.js";
import { clockSwitch, moment } from "./clock.js";
import { byId, el, faultName, get, label, num, put } from "./common.js";
import { lacksName } from "./operator.js";
import { t } from "./texts.js";

const SHOWN = 20;
let list = null;
let drawnService = "";
let drawnDismissals = "";

function drawService(id, out, mayOperate, refresh) {
  const drawn = JSON.stringify([out, mayOperate, out && moment(out.since)]);
  if (drawn === drawnService) return;
  drawnService = drawn;
  const name = out ? "in_service" : "out_of_service";
  const place = byId("serviceform");
  const close = () => {
    put(place);
    byId("service").querySelector("button")?.focus();
  };
  const path = `/api/v1/machines/${encodeURIComponent(id)}/${name.replaceAll("_", "-")}`;
  const submit = (body, message) =>
    act(path, body, message, async () => {
      close();
      await refresh();
    });
  const button = el(
    "button",
    { type: "button", onclick: () => openForm(place, name, { submit, close }) },
    t(`alarms.do_${name}`),
  );
  put(
    "service",
    out
      ? el(
          "span",
          { class: "word warning" },
          label(t("alarms.is_out", { time: moment(out.since), name: out.by }), out.reason),
        )
      : "",
    mayOperate ? button : "",
  );
}

// What was closed as false and does not come again until it has grown, each with a button that ends it.
function drawDismissals(id, dismissals, mayOperate) {
  const drawn = JSON.stringify([dismissals, mayOperate]);
  if (drawn === drawnDismissals) return;
  drawnDismissals = drawn;
  put(
    "dismissals",
    dismissals.map((d) => dismissal(id, d, mayOperate)),
  );
}

function dismissal(id, d, mayOperate) {
  const form = el("div", { class: "below" });
  const path = `/api/v1/machines/${encodeURIComponent(id)}/dismissals/${encodeURIComponent(d.alarm_id)}/end`;
  const submit = (body, message) => act(path, body, message, (left) => drawDismissals(id, left, mayOperate));
  const close = () => {
    put(form);
    button.focus();
  };
  const end = async () => ((await lacksName()) ? openForm(form, "end_dismissal", { submit, close }) : submit({}, form));
  const limit =
    d.raised_from_db === null
      ? t("alarms.from_severity", { severity: `${num(100 * d.raised_from_severity)} %` })
      : t("alarms.from_level", { level: num(d.raised_from_db, 1) });
  const values = { fault: faultName(d.fault), name: d.by, time: moment(d.closed), until: moment(d.until), limit };
  const button = el("button", { type: "button", onclick: end }, t("alarms.do_end_dismissal"));
  const said = el("span", { class: "small" }, t("alarms.dismissed", values));
  return el("div", {}, el("div", { class: "tools" }, said, mayOperate ? button : ""), form);
}

// Draws them anew; called at every poll of the page.
export async function followAlarms(id, dismissals) {
  const refresh = () => followAlarms(id, dismissals);
  if (!list) {
    list = alarmList(byId("alarmlist"), { refresh, withMachine: false });
    put("alarmclock", clockSwitch(refresh));
  }
  const query = new URLSearchParams({ machine_id: id, limit: SHOWN });
  const [found, access, suspended] = await Promise.all([
    get(`/api/v1/alarms?${query}`),
    get("/api/v1/access"),
    get("/api/v1/alarms/suspensions"),
  ]);
  await list.draw(found.data, [], access.data.may_operate);
  drawAccess(byId("alarmaccess"), access.data);
  drawService(
    id,
    suspended.data.out_of_service.find((s) => s.machine_id === id) ?? null,
    access.data.may_operate,
    refresh,
  );
  drawDismissals(id, dismissals, access.data.may_operate);
  put("alarmblank", found.data.length ? "" : t("alarms.none_of_machine"));
  byId("alarmblank").hidden = found.data.length > 0;
  byId("allalarms").hidden = !found.next;
}
