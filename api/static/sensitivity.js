// When the faults of a machine alert: the setting in force, another one tried on what is recorded, and saving it.

import {
  ago,
  byId,
  el,
  ended,
  exact,
  faultName,
  get,
  label,
  num,
  put,
  Refused,
  sentenceCase,
  silenceText,
  span,
  stateWord,
} from "./common.js";
import { keepName, nameField, send } from "./operator.js";
import { t } from "./texts.js";

// The fields of a setting; a severity is shown in percent, as on the cards of the faults.
const FIELDS = {
  k: { min: 1, max: 20 },
  n: { min: 1, max: 20 },
  clear: { min: 1, max: 50 },
  days: { min: 1, max: 14 },
  of_days: { min: 1, max: 14 },
  min_severity: { min: 0, max: 100, step: 5, scale: 100 },
  min_confidence: { min: 0, max: 1, step: 0.05 },
};
const COUNTED = ["raised", "escalated", "cleared"];
const HOURS = ["raw", "quiet", "undecidable", "empty"];
const DAYS = 30;
let address = "";
let setting = null;
let fault = "";
let asked = 0;

const inputs = () => Object.fromEntries(Object.keys(FIELDS).map((name) => [name, byId(`sensitivity_${name}`)]));
const proposed = () =>
  Object.fromEntries(
    Object.entries(inputs()).map(([name, input]) => [name, input.valueAsNumber / (FIELDS[name].scale ?? 1)]),
  );
const same = (one, other) => Object.keys(FIELDS).every((name) => Math.abs(one[name] - other[name]) < 1e-9);

export async function showSensitivity(of, faults) {
  address = `${of}/sensitivity`;
  fault = faults[0];
  draw(faults);
  try {
    await read();
  } catch (error) {
    say(error instanceof Refused ? error.message : silenceText(error), "down");
  }
}

async function read() {
  setting = (await get(address)).data;
  fillIn(setting.in_force[fault]);
  drawVersions();
}

function draw(faults) {
  const choose = el(
    "select",
    {
      id: "sensitivity_fault",
      onchange: (e) => {
        fault = e.target.value;
        fillIn(setting.in_force[fault]);
        put("backtest");
        say("");
      },
    },
    faults.map((f) => el("option", { value: f }, faultName(f))),
  );
  const field = (name, text) =>
    el(
      "label",
      {},
      text,
      el("input", {
        id: `sensitivity_${name}`,
        type: "number",
        required: "",
        step: FIELDS[name].step ?? 1,
        min: FIELDS[name].min,
        max: FIELDS[name].max,
        oninput: changed,
      }),
    );
  const fields = Object.keys(FIELDS).map((name) => field(name, t(`sensitivity.${name}`)));
  const onsubmit = (e) => {
    e.preventDefault();
    keepName(e.target);
    save();
  };
  put(
    "sensitivityform",
    el(
      "form",
      { class: "tools", onsubmit },
      el("label", {}, t("sensitivity.fault"), choose),
      ...fields,
      nameField(),
      el(
        "span",
        { class: "group" },
        el("button", { type: "button", id: "sensitivity_try", onclick: tryIt }, t("sensitivity.try", { days: DAYS })),
        el(
          "button",
          {
            type: "button",
            onclick: () => {
              fillIn(setting.defaults[fault]);
            },
          },
          t("sensitivity.defaults"),
        ),
        el("button", { id: "sensitivity_save" }, t("sensitivity.save")),
      ),
    ),
  );
}

function fillIn(table) {
  for (const [name, input] of Object.entries(inputs()))
    input.value = Number((table[name] * (FIELDS[name].scale ?? 1)).toFixed(4));
  changed();
}

function changed() {
  const { k, n, days, of_days: ofDays } = inputs();
  k.setCustomValidity(k.valueAsNumber > n.valueAsNumber ? t("sensitivity.k_above_n") : "");
  days.setCustomValidity(days.valueAsNumber > ofDays.valueAsNumber ? t("sensitivity.days_above_of_days") : "");
  byId("sensitivity_save").disabled = !setting || same(proposed(), setting.in_force[fault]);
}

// Whoever only tries a setting needs no name.
const valid = () => Object.values(inputs()).every((input) => input.reportValidity());

function say(text, kind = "") {
  put("sensitivitynote", text ? el("p", { class: kind === "down" ? "word fault" : "soft" }, text) : "");
}

async function tryIt() {
  if (!valid()) return;
  const turn = ++asked;
  say(t("sensitivity.trying"));
  try {
    const { days, ...others } = proposed();
    const query = new URLSearchParams({ fault, days: DAYS, on_days: days, ...others });
    const found = (await get(`${address}/backtest?${query}`)).data;
    if (turn !== asked) return;
    say("");
    drawBacktest(found);
  } catch (error) {
    say(error instanceof Refused ? sentenceCase(error.message) : silenceText(error), "down");
  }
}

async function save() {
  if (!setting || !valid()) return;
  const faults = { ...setting.faults, [fault]: proposed() };
  if (same(faults[fault], setting.defaults[fault])) delete faults[fault];
  try {
    setting = (await send("PUT", address, { faults, version: setting.version })).data;
    fillIn(setting.in_force[fault]);
    drawVersions();
    put("backtest");
    say(t("sensitivity.saved", { version: setting.version }));
  } catch (error) {
    const stale = error instanceof Refused && error.problem.code === "setting_changed";
    if (stale) await read();
    say(
      stale
        ? t("sensitivity.changed_meanwhile")
        : error instanceof Refused
          ? sentenceCase(error.message)
          : silenceText(error),
      "down",
    );
  }
}

const words = (table) =>
  t("sensitivity.in_words", {
    k: table.k,
    n: table.n,
    clear: table.clear,
    days: table.days,
    of_days: table.of_days,
    severity: num(100 * table.min_severity, 0),
    confidence: exact(table.min_confidence),
  });

function drawVersions() {
  const row = (v) =>
    el(
      "li",
      {},
      el("b", {}, t("sensitivity.version", { version: v.version })),
      el(
        "span",
        { class: "soft" },
        t("sensitivity.set_by", { by: v.by, ago: ago(Math.max((Date.now() - Date.parse(v.set)) / 1000, 0)) }),
      ),
      el(
        "span",
        {},
        Object.entries(v.faults)
          .map(([f, table]) => label(faultName(f), words(table)))
          .join(" · ") || t("sensitivity.all_defaults"),
      ),
    );
  put(
    "sensitivityversions",
    setting.versions.length
      ? el(
          "details",
          { class: "small" },
          el("summary", {}, t("sensitivity.versions", { n: setting.versions.length })),
          el("ol", { class: "versions" }, setting.versions.map(row)),
        )
      : el("p", { class: "soft small" }, t("sensitivity.never_set")),
  );
}

function drawBacktest(b) {
  const columns = [
    [t("sensitivity.in_force"), b.in_force],
    [t("sensitivity.proposed"), b.proposed],
    [t("sensitivity.recorded"), b.recorded],
  ];
  const open = (of) =>
    of.open_s === undefined ? "–" : of.open_s < 1 ? t("common.seconds", { n: 0 }) : span(of.open_s);
  const end = (of) =>
    of.level_at_end === undefined ? "–" : of.level_at_end ? stateWord(of.level_at_end) : t("sensitivity.no_alarm");
  const row = (name, value) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      columns.map(([, of]) => el("td", { class: "n" }, value(of))),
    );
  const table = el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("td"),
        columns.map(([name]) => el("th", { scope: "col", class: "n" }, name)),
      ),
    ),
    el(
      "tbody",
      {},
      COUNTED.map((name) => row(t(`sensitivity.${name}`), (of) => num(of[name]))),
      row(t("sensitivity.open_for"), open),
      row(t("sensitivity.at_end"), end),
    ),
  );
  byId("backtest").replaceChildren(
    ...[
      el(
        "p",
        {},
        b.raw_from
          ? t("sensitivity.tried", {
              n: b.diagnoses,
              fault: faultName(b.fault),
              span: span((Date.parse(b.to) - Date.parse(b.raw_from)) / 1000),
            })
          : t("sensitivity.nothing_to_try"),
      ),
      b.raw_from && b.days_only ? el("p", { class: "soft small" }, t("sensitivity.days_only")) : null,
      b.raw_from
        ? el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("sensitivity.result") }, table)
        : null,
      el(
        "ul",
        { class: "hours", "aria-label": t("sensitivity.hours", { days: DAYS }) },
        HOURS.map((name) =>
          el(
            "li",
            { class: name },
            el("b", {}, t("sensitivity.hour_count", { n: num(b.hours[name], 1) })),
            el("span", {}, t(`sensitivity.hours_${name}`)),
          ),
        ),
      ),
      b.recorded_in_all.raised || b.recorded_in_all.cleared
        ? el(
            "p",
            { class: "soft small" },
            ended(
              t("sensitivity.recorded_in_all", {
                days: DAYS,
                raised: b.recorded_in_all.raised,
                cleared: b.recorded_in_all.cleared,
              }),
            ),
          )
        : null,
    ].filter(Boolean),
  );
}
