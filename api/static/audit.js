// Who changed what, and from where; for those whose key has the scope admin.

import { byId, el, get, marked, put } from "./common.js";
import { table } from "./system.js";
import { locale, t } from "./texts.js";

const PART = 20;
const moment = (time) =>
  el(
    "time",
    { datetime: time, title: time },
    new Date(time).toLocaleString(locale, { dateStyle: "short", timeStyle: "medium" }),
  );

let next = null;
let entries = [];

export function setUpAudit() {
  byId("morechanges")
    .querySelector("button")
    .addEventListener("click", async () => {
      const page = await get(next).catch(() => null);
      if (page) show([...entries, ...page.data], page.next);
    });
}

export async function drawAudit() {
  try {
    const page = await get(`/api/v1/audit?limit=${PART}`);
    // What a reader has asked for beyond the first part stays.
    const older = entries.filter(
      (e) => page.data.length && !page.data.some((x) => x.stream_id === e.stream_id) && e.t <= page.data.at(-1).t,
    );
    show([...page.data, ...older], older.length ? next : page.next);
  } catch (error) {
    if (error.status !== 403) throw error;
    note(marked(t("cluster.changes_admin")));
  }
}

function note(text) {
  byId("morechanges").hidden = true;
  put("changes", el("tbody", {}, el("tr", {}, el("td", { class: "soft" }, text))));
}

function show(found, following) {
  [entries, next] = [found, following];
  if (!found.length) return note(t("cluster.changes_none"));
  const columns = ["time", "who", "from", "machine", "what"].map((name) => [t(`cluster.change_${name}`)]);
  table(
    "changes",
    columns,
    found.map((e) => [
      moment(e.time),
      e.by || e.key_id || "–",
      el("code", {}, e.address || "–"),
      e.machine_id ? el("a", { href: `/machines/${encodeURIComponent(e.machine_id)}` }, e.machine_id) : "–",
      el("span", { title: e.what_to_do }, e.sentence),
    ]),
  );
  byId("morechanges").hidden = !next;
}
