// What of the fleet is wanted, and in which order: it stands in the address, under the names that the API has.

import { byId, count, el, faultName, glyph, put, sentenceCase, stateWord } from "./common.js";
import { FAULTS, t } from "./texts.js";

export const STATES = ["fault", "warning", "unknown", "normal"];
const NAMES = [
  "search",
  "state",
  "fault",
  "seen",
  "blind",
  "watched",
  "site",
  "asset_path",
  "action",
  "sort",
  "group",
  "span",
];
// What is counted above the list: each is a filter too.
const COUNTED = [...["", ...STATES].map((state) => ["state", state]), ["seen", "any"]];
const countedWord = (name, value) => (name === "seen" ? t("fleet.seen") : value ? stateWord(value) : t("fleet.all"));
const DEFAULTS = { sort: "priority", span: "hour" };
const SEARCH_MS = 200;

export const wanted = Object.fromEntries(
  NAMES.map((name) => [name, new URLSearchParams(location.search).get(name) ?? DEFAULTS[name] ?? ""]),
);

const chosen = () => NAMES.filter((name) => wanted[name] && wanted[name] !== DEFAULTS[name]);

// The question to the API, without which part of the list.
export const query = () =>
  new URLSearchParams(
    chosen()
      .filter((name) => name !== "span")
      .map((name) => [name, wanted[name]]),
  );

// Whether anything is left out of the list.
export const isFiltered = () => chosen().some((name) => !["sort", "group", "span"].includes(name));

function keepInAddress() {
  const address = new URL(location.href);
  for (const name of NAMES) address.searchParams.delete(name);
  for (const name of chosen()) address.searchParams.set(name, wanted[name]);
  history.replaceState(null, "", address);
}

// Draws the controls once; `changed` is called with the name of what a reader has changed.
export function drawFilter(changed) {
  const change = (changes) => {
    Object.assign(wanted, changes);
    keepInAddress();
    show();
    changed(Object.keys(changes));
  };
  let typing = null;
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: t("fleet.find"),
    "aria-label": t("fleet.find_long"),
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => change({ search: search.value.trim() }), SEARCH_MS);
    },
  });
  search.value = wanted.search;
  const choice = (name, label, options) => {
    const box = el(
      "select",
      {
        id: `choose_${name}`,
        onchange: () => change(name === "coverage" ? coverageOf(box.value) : { [name]: box.value }),
      },
      options.map(([value, text]) => el("option", { value }, text)),
    );
    return el("label", {}, label, box);
  };
  const faults = FAULTS.map((f) => [f, faultName(f)]);
  const coverage = [
    ["", t("fleet.any_coverage")],
    ["blind:any", t("fleet.blind_any")],
    ...faults.map(([f, name]) => [`blind:${f}`, t("fleet.blind_to", { fault: name })]),
    ...faults.map(([f, name]) => [`watched:${f}`, t("fleet.watched_for", { fault: name })]),
  ];
  const orders = ["priority", "severity", "fault", "site", "name"].flatMap((o) => [
    [o, t(`fleet.sort_${o}`)],
    [`-${o}`, t("fleet.sort_reversed", { order: t(`fleet.sort_${o}`) })],
  ]);
  put(
    "tools",
    search,
    choice("fault", t("fleet.column_fault"), [["", t("fleet.any_fault")], ...faults]),
    choice("seen", sentenceCase(t("fleet.seen")), [["", t("fleet.seen_all")], ["any", t("fleet.seen_any")], ...faults]),
    choice("coverage", t("fleet.coverage"), coverage),
    choice(
      "action",
      t("fleet.action"),
      ["", "now", "next_stop"].map((v) => [v, v ? sentenceCase(t(`words.action_${v}`)) : t("fleet.action_any")]),
    ),
    choice("site", t("fleet.site"), [["", t("fleet.any_site")]]),
    choice("group", t("fleet.group"), [
      ["", t("fleet.no_group")],
      ["site", t("fleet.site")],
      ["asset_1", t("fleet.asset_levels", { n: 1 })],
      ["asset_2", t("fleet.asset_levels", { n: 2 })],
      ["asset_path", t("fleet.asset_path")],
    ]),
    choice("sort", t("fleet.sort"), orders),
    choice(
      "span",
      t("fleet.trend"),
      ["hour", "day", "week"].map((s) => [s, t(`fleet.span_${s}`)]),
    ),
    el("button", { type: "button", id: "path", onclick: () => change({ asset_path: "" }) }),
    el(
      "button",
      {
        type: "button",
        id: "clear",
        onclick: () => {
          search.value = "";
          change(Object.fromEntries(NAMES.filter((n) => !["sort", "group", "span"].includes(n)).map((n) => [n, ""])));
        },
      },
      t("fleet.clear"),
    ),
  );
  put(
    "counts",
    COUNTED.map(([name, value]) => {
      const kind = name === "seen" ? name : value;
      return el(
        "button",
        {
          type: "button",
          "data-name": name,
          "data-value": value,
          class: kind || "every",
          title: name === "seen" ? t("fleet.seen_help") : null,
          onclick: () => change({ [name]: wanted[name] === value ? "" : value }),
        },
        el("span", { class: "state" }, kind ? glyph(kind) : null, countedWord(name, value)),
        el("b", {}, "–"),
        el("span", { class: "silent small" }),
      );
    }),
  );
  for (const button of byId("columns").querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () =>
      change({ sort: wanted.sort === button.dataset.sort ? `-${button.dataset.sort}` : button.dataset.sort }),
    );
  }
  show();
  return change;
}

const coverageOf = (value) => {
  const [kind, fault] = value.split(":");
  return { blind: kind === "blind" ? fault : "", watched: kind === "watched" ? fault : "" };
};

function show() {
  for (const name of ["fault", "seen", "action", "site", "group", "sort", "span"])
    byId(`choose_${name}`).value = wanted[name];
  byId("choose_coverage").value = wanted.blind
    ? `blind:${wanted.blind}`
    : wanted.watched
      ? `watched:${wanted.watched}`
      : "";
  byId("clear").hidden = !isFiltered();
  byId("path").hidden = !wanted.asset_path;
  put("path", t("fleet.part_of", { path: wanted.asset_path }), " ×");
  for (const button of byId("counts").children)
    button.setAttribute("aria-pressed", String(wanted[button.dataset.name] === button.dataset.value));
  for (const button of byId("columns").querySelectorAll("[data-sort]")) {
    const own = wanted.sort.replace("-", "") === button.dataset.sort;
    button.parentElement.setAttribute(
      "aria-sort",
      own ? (wanted.sort.startsWith("-") ? "descending" : "ascending") : "none",
    );
  }
}

// How many machines there are, and which sites: of the whole fleet, whatever is filtered.
export function showFleet(fleet) {
  for (const button of byId("counts").children) {
    const { name, value: state } = button.dataset;
    if (name === "seen") {
      button.querySelector("b").textContent = count(fleet.seen);
      continue;
    }
    button.querySelector("b").textContent = count(state ? fleet.states[state] : fleet.machines);
    const silent = state ? fleet.silent[state] : Object.values(fleet.silent).reduce((a, b) => a + b, 0);
    button.lastChild.textContent = silent ? t("fleet.silent_count", { n: silent }) : "";
  }
  const box = byId("choose_site");
  const sites = wanted.site && !fleet.sites.includes(wanted.site) ? [wanted.site, ...fleet.sites] : fleet.sites;
  if (box.options.length !== sites.length + 1 || sites.some((s, i) => box.options[i + 1].value !== s)) {
    put(
      box,
      box.options[0],
      sites.map((s) => el("option", { value: s }, s)),
    );
    box.value = wanted.site;
  }
  box.parentElement.hidden = !sites.length;
  byId("choose_group").parentElement.hidden = !sites.length && !wanted.group;
}
