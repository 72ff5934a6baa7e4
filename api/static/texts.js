// The words of the page in the reader's language, by key, the faults in their order, each with the view that shows it,
// and the fields of a nameplate: the server sends them with the page. No other script holds a text for people, or a list
// of faults or of fields.

const { texts: TEXTS, faults, nameplate } = JSON.parse(document.getElementById("texts").textContent);
const YEAR_S = 31_536_000;

export const language = document.documentElement.lang.split("-")[0];
// How numbers and times are written; the zone is that of the reader.
export const locale = TEXTS["language.locale"];
export const hasText = (key) => key in TEXTS;
export const keysFrom = (start) => Object.keys(TEXTS).filter((key) => key.startsWith(start));
export const VIEWS = faults;
export const NAMEPLATE = nameplate;
export const FAULTS = Object.keys(faults);

const PLACE = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g;
const shown = (value) => (typeof value === "number" ? value.toLocaleString(locale) : String(value ?? "–"));

// `{n}` is the value of that name; `{n|record|records}` the first word for one, the second for any other number.
export function t(key, values = {}) {
  const text = TEXTS[key] ?? key;
  return text.replace(PLACE, (_, name, one, several) =>
    one === undefined ? shown(values[name]) : values[name] === 1 ? one : several,
  );
}

// The text with elements in some places: a list of children; other values are put in as by `t`.
export function rich(key, values) {
  const nodes = Object.entries(values).filter(([, v]) => v instanceof Node);
  const marks = Object.fromEntries(nodes.map(([name], i) => [name, `\u0000${i}\u0000`]));
  return t(key, { ...values, ...marks })
    .split("\u0000")
    .map((part, i) => (i % 2 ? nodes[Number(part)][1] : part))
    .filter((part) => part !== "");
}

// The switch: the choice is kept for a year, and where the reader looks stays as it is.
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is absent where no TLS is.
    document.cookie = `vtox_language=${link.dataset.language}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
    const address = new URL(location.href);
    address.searchParams.delete("lang");
    history.replaceState(null, "", address);
    location.reload();
  });
}
