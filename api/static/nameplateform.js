// The form of a nameplate: a field for each value that the server knows; those that matter most are first, others folded.

import { el, exact, named } from "./common.js";
import { hasText, locale, NAMEPLATE, t } from "./texts.js";

const key = (name) => name.replaceAll(".", "_");
export const plateName = (name) => {
  const part = name.match(/^bearing\.orders\.(\w+)$/)?.[1];
  return part ? t("machine.plate_bearing_order", { part }) : t(`machine.plate_${key(name)}`);
};
// The text for a field, or the one for all of its table.
export const plateHelp = (name) =>
  [`setup.help_${key(name)}`, `setup.help_${key(name.replace(/\.\w+$/, ""))}`].filter(hasText).map((k) => t(k))[0] ??
  "";
// A power is asked and shown in kW, as plates give it; the nameplate has W.
export const sizeOf = (f) => (f.kilo ? 1000 : 1);
export const unitOf = (f) => `${f.kilo ? "k" : ""}${named(f.name.split(".").at(-1))[1]}`;
const FIRST = ["pole_pairs", "supply_hz", "rated_speed_rpm", "rated_current_a"];
const limit = (value) => value.toLocaleString(locale, { maximumSignificantDigits: 6 });
const groupOf = (f) =>
  FIRST.includes(f.name)
    ? "rating"
    : f.name.includes(".")
      ? "table"
      : ["site", "asset_path", "feeder"].includes(f.name)
        ? "place"
        : "more";
// Ranges that tell a reader what is meant, as of a ratio or a degree; others are so wide that they appear in refusals only.
const isGuide = (f) => Boolean(f.choices) || (f.high <= 10 && !f.whole) || f.name.endsWith("_deg");

// What a field takes, as a reader sees it.
export function rangeText(f) {
  if (f.kind === "text" && f.choices) return t("setup.with_suffix", { count: f.choices.length });
  if (f.low === undefined) return f.length ? t("setup.characters", { n: f.length }) : "";
  const range = t(f.kind === "numbers" ? "setup.range_several" : "setup.range", {
    low: limit(f.low / sizeOf(f)),
    high: limit(f.high / sizeOf(f)),
  });
  return `${range} ${unitOf(f)}`.trim();
}

function input(f) {
  const about = { id: key(f.name), name: f.name, "aria-describedby": `${key(f.name)}_range` };
  if (f.kind === "choice") {
    const options = f.choices.map((c) =>
      el("option", { value: c }, hasText(`machine.${key(f.name)}_${c}`) ? t(`machine.${key(f.name)}_${c}`) : c),
    );
    return el("select", about, f.default ? null : el("option", { value: "" }, t("setup.not_known")), options);
  }
  if (f.kind === "number")
    return el("input", {
      ...about,
      type: "number",
      min: f.low / sizeOf(f),
      max: f.high / sizeOf(f),
      step: f.whole ? 1 : "any",
      inputmode: "decimal",
      placeholder: f.default ?? null,
    });
  const box = el("input", { ...about, maxlength: f.length ?? null, list: f.choices ? `${key(f.name)}_list` : null });
  if (!f.choices) return box;
  return el(
    "span",
    {},
    box,
    el(
      "datalist",
      { id: `${key(f.name)}_list` },
      f.choices.map((c) => el("option", { value: c })),
    ),
  );
}

// The groups of fields; `focused` gets the one that has the focus, `changed` is called at every change.
export function plateFields({ focused, changed }) {
  const field = (f) => {
    const held = input(f);
    const box = held.matches("input, select") ? held : held.querySelector("input");
    box.addEventListener("focus", () => focused(f));
    box.addEventListener("input", () => {
      box.setCustomValidity("");
      changed();
    });
    const unit = unitOf(f);
    return el(
      "label",
      { class: "field-of" },
      el("span", {}, plateName(f.name), unit ? ` (${unit})` : ""),
      held,
      el("span", { class: "small", id: `${key(f.name)}_range` }, isGuide(f) ? rangeText(f) : ""),
    );
  };
  const group = (name) => {
    const fields = el("div", { class: "grid" }, NAMEPLATE.filter((f) => groupOf(f) === name).map(field));
    const title = t(`setup.group_${name}`);
    if (name === "rating") return el("fieldset", {}, el("legend", {}, title), fields);
    return el(
      "details",
      {},
      el("summary", {}, title),
      name === "table" ? el("p", { class: "soft small" }, t("setup.table_note")) : null,
      fields,
    );
  };
  return ["rating", "more", "table", "place"].map(group);
}

const value = (f, text) =>
  f.kind === "number"
    ? Number((Number(text) * sizeOf(f)).toPrecision(12))
    : f.kind === "numbers"
      ? text
          .split(/[\s;]+/)
          .filter(Boolean)
          .map((x) => Number(x.replace(",", ".")))
      : text;

// The nameplate that is typed in: what is empty is not known.
export function plateOf(form) {
  const plate = {};
  for (const f of NAMEPLATE) {
    const text = form.elements[f.name].value.trim();
    if (!text) continue;
    const tables = f.name.split("."),
      last = tables.pop();
    let place = plate;
    for (const table of tables) place = place[table] ??= {};
    place[last] = value(f, text);
  }
  return plate;
}

export function fillIn(form, plate) {
  for (const f of NAMEPLATE) {
    const known = f.name.split(".").reduce((table, name) => table?.[name], plate);
    if (known !== undefined && known !== null && !(f.kind === "number" && known === f.default))
      form.elements[f.name].value = Array.isArray(known)
        ? known.join(" ")
        : f.kind === "number"
          ? known / sizeOf(f)
          : known;
  }
  for (const group of form.querySelectorAll("details"))
    group.open = [...group.querySelectorAll("input")].some((box) => box.value !== "");
}

// The label of each field that a refusal names, for the reader; the first gets the focus.
export function showErrors(form, errors) {
  const known = errors
    .map((e) => NAMEPLATE.find((f) => e.field === f.name || e.field.startsWith(`${f.name}[`)))
    .filter(Boolean);
  for (const f of known) form.elements[f.name].setAttribute("aria-invalid", "true");
  if (known.length) {
    form.elements[known[0].name].closest("details")?.setAttribute("open", "");
    form.elements[known[0].name].focus();
  }
  return known.map((f) => `${plateName(f.name)}: ${rangeText(f)}`);
}
export const clearErrors = (form) => {
  for (const box of form.querySelectorAll("[aria-invalid]")) box.removeAttribute("aria-invalid");
};
export const shownValue = (v) => (typeof v === "number" ? exact(v) : (v ?? ""));
