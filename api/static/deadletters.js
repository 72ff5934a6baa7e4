// Windows that could not be diagnosed: why, and sending one again.

import { ago, byId, bytes, el, faultName, get, label, post, put } from "./common.js";
import { t } from "./texts.js";

const PART = 20;

let next = null;
let letters = [];

export function setUpLetters() {
  byId("moreletters")
    .querySelector("button")
    .addEventListener("click", async () => {
      const page = await get(next).catch(() => null);
      if (page) show([...letters, ...page.data], page.next);
    });
}

export async function drawLetters() {
  const page = await get(`/api/v1/dead-letters?limit=${PART}`);
  const oldest = page.data.at(-1)?.id;
  // Older ones that a reader has asked for stay.
  const older = oldest ? letters.slice(letters.findIndex((d) => d.id === oldest) + 1 || letters.length) : [];
  show([...page.data, ...older], older.length ? next : page.next);
}

// Each is kept as it is while it is there: opened ones stay open, and the focus stays.
function show(found, following) {
  [letters, next] = [found, following];
  const box = byId("letters");
  const old = new Map([...box.children].map((node) => [node.dataset.id, node]));
  const wanted = found.map((d) => old.get(d.id) ?? node(d));
  for (const n of old.values()) if (!wanted.includes(n)) n.remove();
  wanted.forEach((n, i) => {
    if (box.children[i] !== n) box.insertBefore(n, box.children[i] ?? null);
  });
  if (!found.length) put(box, el("li", { class: "blank" }, t("cluster.no_letters")));
  byId("moreletters").hidden = !next;
}

function node(d) {
  const facts = [
    [t("cluster.letter_code"), el("code", {}, d.code)],
    [t("cluster.letter_family"), d.family ? faultName(d.family) : t("cluster.before_families")],
    [t("cluster.letter_attempts"), String(d.attempts)],
    [t("cluster.letter_windows"), String(d.windows)],
    [t("cluster.letter_size"), bytes(d.entry_bytes)],
    [t("cluster.letter_entry"), el("code", {}, d.stream_id || "–")],
    [t("cluster.letter_time"), d.time ?? "–"],
  ];
  const answer = el("p", { class: "small", role: "status" });
  const button = el(
    "button",
    { type: "button", class: "go", disabled: !d.replayable, onclick: () => replay(d, button, answer) },
    t("cluster.replay"),
  );
  return el(
    "li",
    { "data-id": d.id },
    el(
      "details",
      {},
      el(
        "summary",
        {},
        el(
          "b",
          {},
          d.machine_id ? el("a", { href: `/machines/${encodeURIComponent(d.machine_id)}` }, d.machine_id) : "–",
        ),
        el("span", { class: "soft small" }, t("cluster.letter_seq", { seq: d.seq || "–" })),
        el("span", { class: "why" }, d.reason),
        el(
          "time",
          { class: "soft small", datetime: d.time ?? "", title: d.time ?? "" },
          d.t === null ? "" : ago(Math.max(Date.now() / 1000 - d.t, 0)),
        ),
      ),
      el(
        "div",
        { class: "letter" },
        el(
          "dl",
          { class: "facts" },
          facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
        ),
        el("p", { class: "soft small" }, t(d.replayable ? "cluster.replay_note" : "cluster.not_kept")),
        button,
        answer,
      ),
    ),
  );
}

async function replay(d, button, answer) {
  button.disabled = true;
  put(answer, t("cluster.sending"));
  try {
    const { data } = await post(`/api/v1/dead-letters/${d.id}/replay`);
    show(
      letters.filter((x) => x.id !== d.id),
      next,
    );
    put("replayed", t("cluster.replayed", { machine: d.machine_id, seq: d.seq, entry: data.stream_id }));
  } catch (error) {
    button.disabled = error.status === 403;
    put(answer, error.status === 403 ? t("cluster.read_only") : label(t("cluster.not_sent"), error.message));
  }
}
