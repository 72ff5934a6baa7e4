// What operators do with alarms: which actions an alarm offers, how they are sent, who acts.

import { el, Refused, sentenceCase, silenceText } from "./common.js";
import { nameKept, send } from "./operator.js";
import { hasText, t } from "./texts.js";

// Those that need nothing but a click.
export const AT_ONCE = new Set(["acknowledge", "unshelve", "ungroup"]);
export const addressOf = (a) => `/api/v1/alarms/${encodeURIComponent(a.id)}`;
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

// What a refusal says, in the reader's language where it has a code that the pages know.
export function refusal(error) {
  if (!(error instanceof Refused)) return silenceText(error);
  const key = `alarms.refused_${error.problem.code}`;
  return hasText(key) ? t(key) : sentenceCase(error.message);
}

// Sends an action; a request whose answer is lost is sent again as the same one.
export async function act(path, body, message, done, request = randomId()) {
  const again = () => act(path, body, message, done, request);
  message.replaceChildren();
  try {
    await done((await send("POST", path, { ...body, request_id: request })).data);
  } catch (error) {
    const retry = error instanceof Refused ? null : el("button", { type: "button", onclick: again }, t("alarms.again"));
    message.replaceChildren(el("p", { class: "word fault" }, refusal(error), " ", retry ?? ""));
  }
}

export function actionsFor(a) {
  const waits = a.state === "unacknowledged" || a.state === "returned_unacknowledged";
  return [
    waits && !a.outcome && "acknowledge",
    "comment",
    !a.outcome && "assign",
    a.active && !a.outcome && !a.shelved && "shelve",
    a.shelved && "unshelve",
    "work_order",
    !a.outcome && "close",
    a.group && "ungroup",
  ].filter(Boolean);
}

// Who acts, said once above a list; the name can be changed where no key has one.
export function drawAccess(place, access) {
  const name = access.name || nameKept();
  const text = !access.may_operate ? t("alarms.read_only") : name ? t("alarms.acting_as", { name }) : "";
  const change =
    access.name_needed && name
      ? el(
          "button",
          {
            type: "button",
            class: "link",
            onclick: () => {
              localStorage.removeItem("vtox_operator");
              drawAccess(place, access);
            },
          },
          t("alarms.another_name"),
        )
      : null;
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  place.replaceChildren(text, ...(change ? [" ", change] : []));
}
