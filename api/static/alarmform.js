// The forms of the actions on alarms: what each asks for, and what it sends.

import { el } from "./common.js";
import { keepName, nameField, nameKept } from "./operator.js";
import { t } from "./texts.js";

const HOUR_S = 3600;
// The last one is the longest that the service takes.
const SHELVED_FOR_H = [1, 8, 24, 72, 168, 384];
const OUTCOMES = ["confirmed", "false_alarm", "other_cause", "not_inspected"];
const TEXT_MAX = 2000;

const field = (name, input) => el("label", { class: "field-of" }, el("span", {}, t(`alarms.${name}`)), input);
const text = (name, required) =>
  field(
    required ? name : `${name}_or_none`,
    el("textarea", { name, rows: 2, maxlength: TEXT_MAX, required: required ? "" : null }),
  );
const line = (label, name, most) => field(label, el("input", { name, maxlength: most, required: "" }));
const duration = (h) => (h < 24 ? t("common.hours", { n: h }) : t("common.days", { n: h / 24 }));

const FIELDS = {
  acknowledge: () => [text("comment", false)],
  comment: () => [text("comment", true)],
  shelve: () => [
    field(
      "shelve_for",
      el(
        "select",
        { name: "for_s" },
        SHELVED_FOR_H.map((h) => el("option", { value: h * HOUR_S, selected: h === 8 ? "" : null }, duration(h))),
      ),
    ),
    text("reason", true),
  ],
  assign: (alarm) => [
    field(
      "assignee",
      el("input", { name: "assignee", maxlength: 64, value: alarm?.assignee || nameKept(), autocomplete: "name" }),
    ),
    el("p", { class: "soft small" }, t("alarms.assign_help")),
  ],
  unshelve: () => [text("comment", false)],
  close: () => [
    field(
      "outcome",
      el(
        "select",
        { name: "outcome", required: "" },
        el("option", { value: "" }, t("alarms.choose")),
        OUTCOMES.map((o) => el("option", { value: o }, t(`words.outcome_${o}`))),
      ),
    ),
    text("comment", false),
  ],
  work_order: () => [
    line("system_name", "system", 64),
    line("reference", "reference", 64),
    field("url", el("input", { name: "url", type: "url", pattern: "https?://.*", maxlength: 1000 })),
  ],
  out_of_service: () => [text("reason", true)],
  in_service: () => [text("comment", false)],
  ungroup: () => [],
  end_dismissal: () => [],
};

function values(form, name) {
  // Left empty, it is nobody.
  const sent = name === "assign" ? { assignee: null } : {};
  for (const [field, value] of new FormData(form))
    if (field !== "by" && value.trim()) sent[field] = field === "for_s" ? Number(value) : value.trim();
  return sent;
}

// Shows the form of an action in `place`; `submit` gets what it sends and a place for messages.
export function openForm(place, name, { submit, close, alarm = null }) {
  const message = el("div", { role: "alert", class: "message" });
  const form = el(
    "form",
    {
      class: "act",
      "aria-label": t(`alarms.do_${name}`),
      onsubmit: (e) => {
        e.preventDefault();
        keepName(form);
        submit(values(form, name), message);
      },
      onkeydown: (e) => {
        if (e.key === "Escape") {
          e.stopPropagation();
          close();
        }
      },
    },
    FIELDS[name](alarm),
    nameField(),
    el(
      "div",
      { class: "tools" },
      el("button", { class: "go" }, t(`alarms.do_${name}`)),
      el("button", { type: "button", onclick: close }, t("alarms.cancel")),
    ),
    message,
  );
  place.replaceChildren(form);
  form.querySelector("select, textarea, input, button").focus();
}
