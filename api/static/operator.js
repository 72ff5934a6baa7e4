// Who acts on this page. An API key has a name; where none is used, the page asks for one once and keeps it.

import { el, fetchAnswer, Refused } from "./common.js";
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

// Whether a request was refused for want of a name.
export const lacksName = (error) => error instanceof Refused && error.problem.errors?.some((e) => e.field === "by");

// Asks for the name in `place`, and goes on with `then`.
export function askName(place, then) {
  const input = el("input", { name: "by", required: "", maxlength: 64, autocomplete: "name" });
  const onsubmit = (e) => {
    e.preventDefault();
    if (!input.value.trim()) return;
    localStorage.setItem(NAME, input.value.trim());
    place.replaceChildren();
    then();
  };
  place.replaceChildren(el("form", { class: "tools", onsubmit }, el("label", {}, t("sensitivity.your_name"), input), el("button", {}, t("sensitivity.go_on")), el("span", { class: "soft small" }, t("sensitivity.why_name"))));
  input.focus();
}
