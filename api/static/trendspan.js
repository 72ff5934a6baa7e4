// Which time the trends show: a range that ends now, or one between two dates. It stands in the address, and so does a
// second machine.

import { byId, el, get, put } from "./common.js";
import { locale, t } from "./texts.js";

const MINUTE = 60,
  HOUR = 3600,
  DAY = 86_400;
const RANGES = { minutes: 10 * MINUTE, hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY };
const DEFAULT = "minutes";
// Up to so many steps; or records, where each is shown.
const STEPS = 500,
  RECORDS = 2000,
  RECORDS_S = 1800;
const LEAST_S = 1;
const PROPOSED = 30;

const asked = (name) => new URLSearchParams(location.search).get(name);
const seconds = (name) => {
  const ms = Date.parse(asked(name) ?? "");
  return Number.isNaN(ms) ? null : ms / 1000;
};
const iso = (s) => new Date(1000 * s).toISOString().replace(/\.\d+/, "");
// As the fields for dates have it: by the reader's clock, without its zone.
const local = (s) => {
  const d = new Date(1000 * s);
  d.setMinutes(d.getMinutes() - d.getTimezoneOffset());
  return d.toISOString().slice(0, 19);
};

// The dates of the address, null where it has none or they are in no order.
function dates() {
  const from = seconds("from"),
    to = seconds("to");
  return from !== null && to !== null && from >= 0 && to - from >= LEAST_S ? { from, to } : null;
}
const preset = () => (dates() ? "" : RANGES[asked("range")] ? asked("range") : DEFAULT);
export const second = (own) => {
  const name = asked("with");
  return name && name !== own ? name : "";
};

// The time that is shown now: from, to, how finely, and whether it ends now.
export function timeSpan() {
  const now = Date.now() / 1000;
  const found = dates() ?? { from: now - RANGES[preset()], to: now };
  const length = found.to - found.from;
  return { ...found, length, points: length <= RECORDS_S ? RECORDS : STEPS, live: !dates() || found.to >= now };
}

const written = (s) => new Date(1000 * s).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
// In words, behind "No record in the".
export const timeWords = () => {
  const d = dates();
  return d ? t("trends.last_dates", { from: written(d.from), to: written(d.to) }) : t(`trends.last_${preset()}`);
};

// Puts choices into the address: null takes one away.
export function choose(changes) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes))
    if (value) query.set(key, value);
    else query.delete(key);
  window.history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
}
const chooseDates = (from, to) =>
  choose({
    range: null,
    from: iso(Math.max(Math.floor(from), 0)),
    to: iso(Math.max(Math.ceil(to), Math.floor(from) + LEAST_S)),
  });

// Buttons, fields of dates and the second machine; `changed` is called after each choice.
export function setUpSpan(own, changed) {
  const set =
    (work) =>
    (...args) => {
      work(...args);
      changed();
    };
  const shift = (share) =>
    set(() => {
      const s = timeSpan();
      chooseDates(s.from + share * s.length, s.to + share * s.length);
    });
  put(
    "ranges",
    Object.keys(RANGES).map((name) =>
      el(
        "button",
        {
          type: "button",
          onclick: set(() => choose({ range: name === DEFAULT ? null : name, from: null, to: null })),
          "data-range": name,
        },
        t(`trends.range_${name}`),
      ),
    ),
  );
  const field = (id, label) =>
    el("label", {}, label, el("input", { type: "datetime-local", step: 1, id, required: "" }));
  const submit = (e) => {
    e.preventDefault();
    const [from, to] = ["trendfrom", "trendto"].map((id) => Date.parse(byId(id).value) / 1000);
    byId("trendto").setCustomValidity(to - from >= LEAST_S ? "" : t("trends.end_first"));
    if (e.target.reportValidity()) set(() => chooseDates(from, to))();
  };
  const machine = el("input", {
    type: "search",
    id: "trendwith",
    list: "othermachines",
    autocomplete: "off",
    oninput: propose,
    onchange: set((e) => choose({ with: e.target.value.trim() })),
  });
  put(
    "trendtools",
    el(
      "form",
      { class: "group", "aria-label": t("trends.dates"), onsubmit: submit, novalidate: "" },
      field("trendfrom", t("bench.from")),
      field("trendto", t("bench.to")),
      el("button", {}, t("trends.show")),
    ),
    el(
      "div",
      { class: "group", role: "group", "aria-label": t("trends.move") },
      el("button", { type: "button", onclick: shift(-1), id: "earlier" }, `← ${t("trends.earlier")}`),
      el("button", { type: "button", onclick: shift(1), id: "later" }, `${t("trends.later")} →`),
    ),
    el(
      "div",
      { class: "group" },
      el("label", {}, t("trends.second"), machine),
      el("datalist", { id: "othermachines" }),
    ),
  );
  for (const input of byId("trendtools").querySelectorAll("[type=datetime-local]"))
    input.addEventListener("input", () => byId("trendto").setCustomValidity(""));
  return { zoom: set((from, to) => (from === null ? choose({ from: null, to: null }) : chooseDates(from, to))) };

  async function propose(e) {
    const found = await get(`/api/v1/fleet?${new URLSearchParams({ search: e.target.value, limit: PROPOSED })}`).catch(
      () => ({ data: [] }),
    );
    put(
      "othermachines",
      found.data.filter((m) => m.machine_id !== own).map((m) => el("option", { value: m.machine_id })),
    );
  }
}

// What the controls say of the choice: fields that are being changed keep what is in them.
export function drawSpan(own) {
  for (const b of byId("ranges").children) b.setAttribute("aria-pressed", String(b.dataset.range === preset()));
  const { from, to, live } = timeSpan();
  const busy = byId("trendtools").querySelector("form").contains(document.activeElement);
  if (!busy) {
    byId("trendfrom").value = local(from);
    byId("trendto").value = local(to);
  }
  byId("later").disabled = live;
  if (document.activeElement !== byId("trendwith")) byId("trendwith").value = second(own);
}
