// Wiring and nameplate of the machine, compared with its signals on request, and the channel map that corrects them.

import { byId, el, get, listed, marked, num, pill, put, Refused, sentenceCase, silenceText } from "./common.js";
import { keepName, nameField, send } from "./operator.js";
import { t } from "./texts.js";

const STATE_OF = { sound: "normal", findings: "warning", unknown: "unknown" };
let address = "";

export function showCommissioning(of) {
  address = of;
  put(
    "commissioning",
    el(
      "p",
      {},
      el("button", { type: "button", class: "go", id: "commissioning_look", onclick: look }, t("commissioning.look")),
    ),
  );
}

const failure = (error) =>
  el("p", { class: "word fault" }, error instanceof Refused ? sentenceCase(error.message) : silenceText(error));

// Looks at once; false where no record is there yet.
export async function checkFirst(of) {
  address = of;
  try {
    draw((await get(`${address}/commissioning`)).data);
    return true;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return false;
    throw error;
  }
}

async function look() {
  put("commissioningnote", el("p", { class: "soft" }, t("commissioning.looking")));
  try {
    const found = (await get(`${address}/commissioning`)).data;
    put("commissioningnote");
    draw(found);
  } catch (error) {
    put("commissioningnote", failure(error));
  }
}

// `ia` from `ib`, reversed, times 0.5.
function source(name, s) {
  const parts = [t("commissioning.from", { name, channel: s.channel })];
  if (s.sign < 0) parts.push(t("commissioning.reversed"));
  if (s.ratio !== 1) parts.push(t("commissioning.times", { ratio: num(s.ratio, 4) }));
  return listed(parts);
}
const sources = (channels) =>
  el(
    "ul",
    { class: "sources" },
    Object.entries(channels).map(([name, s]) => el("li", {}, source(name, s))),
  );
const same = (one, other) =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

function finding(f) {
  return el(
    "li",
    {},
    el("p", {}, el("b", {}, sentenceCase(f.sentence))),
    f.what_to_do ? el("p", { class: "soft" }, ...marked(sentenceCase(f.what_to_do))) : "",
  );
}

function draw(c) {
  const { channel_map: present, proposed_channels: proposed } = c;
  const open = proposed && !same(proposed, present.channels);
  const parts = [
    el(
      "p",
      {},
      pill(STATE_OF[c.verdict], t(`commissioning.verdict_${c.verdict}`)),
      " ",
      el(
        "span",
        { class: "soft small" },
        c.checked.length
          ? t("commissioning.checked", { what: listed(c.checked.map((name) => t(`commissioning.check_${name}`))) })
          : t("commissioning.nothing_checked"),
      ),
    ),
    [...c.findings, ...c.unusable].length
      ? el("ul", { class: "installation" }, [...c.findings, ...c.unusable].map(finding))
      : null,
    open
      ? el(
          "div",
          { class: "todo" },
          el("b", {}, t("commissioning.proposed")),
          sources(proposed),
          applying(
            proposed,
            present.version,
            el("button", { class: "go", id: "commissioning_apply" }, t("commissioning.apply")),
          ),
          el("p", { class: "soft small" }, t("commissioning.consent")),
        )
      : null,
    present.version
      ? el(
          "div",
          { class: "small" },
          el("p", {}, t("commissioning.in_force", { version: present.version, by: present.by })),
          Object.keys(present.channels).length
            ? sources(present.channels)
            : el("p", { class: "soft" }, t("commissioning.as_sent")),
          Object.keys(present.channels).length
            ? applying({}, present.version, el("button", {}, t("commissioning.end")))
            : "",
        )
      : null,
    el(
      "p",
      {},
      el("button", { type: "button", id: "commissioning_look", onclick: look }, t("commissioning.look_again")),
    ),
  ];
  byId("commissioning").replaceChildren(...parts.filter(Boolean));
}

// The form of a change of the channel map: a button, and the name where it is missing.
function applying(channels, version, button) {
  const onsubmit = (e) => {
    e.preventDefault();
    keepName(e.target);
    apply(channels, version);
  };
  return el("form", { class: "tools", onsubmit }, nameField(), button);
}

async function apply(channels, version) {
  try {
    const { data } = await send("PUT", `${address}/channel-map`, { channels, version });
    showCommissioning(address);
    put("commissioningnote", el("p", { class: "soft" }, t("commissioning.applied", { version: data.version })));
  } catch (error) {
    put("commissioningnote", failure(error));
  }
}
