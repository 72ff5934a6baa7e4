// Who acts on this page. An API key has a name; where none is used, the form of the first action asks for one.

import { el, fetchAnswer, get, Refused } from "./common.js";
import { language, t } from "./texts.js";

const NAME = "vtox_operator";
export const nameKept = () => localStorage.getItem(NAME) ?? "";

// Sends JSON; an answer that is no success is thrown as `Refused`.
export async function send(method, path, body) {
  const named = nameKept() ? { ...body, by: nameKept() } : body;
  const headers = { Accept: "application/json", "Accept-Language": language, "Content-Type": "application/json" };
  const answer = await fetchAnswer(path, { method, headers, body: JSON.stringify(named) });
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  throw new Refused(answer.status, found);
}

const access = get("/api/v1/access").then(
  (a) => a.data,
  () => ({}),
);

// Whether an action needs the name of a person that the page does not know yet.
export const lacksName = async () => Boolean((await access).name_needed) && !nameKept();
export const mayEngineer = async () => (await access).may_engineer !== false;

// A part of the form of an action: it asks for the name where one is missing, else it is empty.
export function nameField() {
  const place = el("div", { class: "who" });
  lacksName().then((missing) => {
    if (!missing) return;
    const input = el("input", { name: "by", required: "", maxlength: 64, autocomplete: "name" });
    place.append(
      el("label", { class: "field-of" }, el("span", {}, t("sensitivity.your_name")), input),
      el("span", { class: "soft small" }, t("sensitivity.why_name")),
    );
    if (!place.closest("form")?.querySelector("select, textarea, input:not([name=by])")) input.focus();
  });
  return place;
}

// Keeps the name that a form asked for; called before the form is sent.
export function keepName(form) {
  const name = form.querySelector("[name=by]")?.value.trim();
  if (!name) return;
  localStorage.setItem(NAME, name);
  for (const place of document.querySelectorAll(".who")) place.replaceChildren();
}
