// Adds a machine, or changes the nameplate of one; then waits for its first record and checks the wiring.

import { byId, el, get, marked, poll, put, Refused, sentenceCase, silenceText } from "./common.js";
import { checkFirst } from "./commissioning.js";
import { clearErrors, fillIn, plateFields, plateHelp, plateOf, rangeText, showErrors } from "./nameplateform.js";
import { keepName, mayEngineer, nameField, send } from "./operator.js";
import { bearingPicture, clampsPicture, platePicture } from "./platepicture.js";
import { snippet } from "./snippet.js";
import { rich, t } from "./texts.js";

const ID = "[A-Za-z0-9._:\\-]{1,64}";
const asked = new URLSearchParams(location.search).get("machine") ?? "";
const form = byId("plateform");
const addressOf = (id) => `/api/v1/machines/${encodeURIComponent(id)}`;
let known = false,
  focused = "",
  waitingFor = "",
  checked = false,
  accepted = "";

const idBox = el("input", {
  id: "machine",
  required: "",
  pattern: ID,
  maxlength: 64,
  value: asked,
  autocomplete: "off",
  spellcheck: "false",
});
const message = el("div", { role: "alert", class: "message" });
const button = el("button", { class: "go" }, t("setup.save"));

function drawPicture() {
  const plate = plateOf(form);
  put(
    "picture",
    focused.startsWith("bearing.") ? bearingPicture(plate.bearing, focused) : platePicture(plate, focused),
  );
}

function focus(f) {
  focused = f.name;
  drawPicture();
  put("help", ...marked(plateHelp(f.name) || rangeText(f)));
}

function drawForm() {
  const id = el(
    "label",
    { class: "field-of idfield" },
    el("span", {}, t("setup.id")),
    idBox,
    el("span", { class: "small" }, t("setup.id_help")),
  );
  form.replaceChildren(
    id,
    ...plateFields({ focused: focus, changed: drawPicture }),
    nameField(),
    el(
      "div",
      { class: "tools" },
      button,
      el("span", { class: "soft small" }, rich("setup.many", { command: el("code", {}, "vtox machines import") })),
    ),
    message,
  );
  drawPicture();
  put("help", t("setup.picture_help"));
  put("clamps", clampsPicture());
}

const say = (...lines) =>
  put(
    message,
    lines.map((line) => el("p", { class: "word fault" }, ...marked(line))),
  );

const warn = (warnings, ...more) =>
  put(
    message,
    warnings.map((w) =>
      el(
        "p",
        { class: "word warning" },
        sentenceCase(w.sentence),
        ". ",
        el("span", { class: "small" }, ...marked(w.what_to_do)),
      ),
    ),
    more.map((line) => el("p", {}, line)),
  );

// Whether the plate may be stored: one that contradicts itself is shown first, and stored if it is sent again as it is.
async function isAccepted(id, plate) {
  const text = JSON.stringify([id, plate]);
  if (text === accepted) return true;
  const { warnings } = (await send("POST", `${addressOf(id)}/nameplate/check`, plate)).data;
  if (!warnings.length) return true;
  accepted = text;
  warn(warnings, t("setup.save_anyway"));
  message.scrollIntoView({ block: "nearest" });
  return false;
}

// The machine as it is known; null where nobody knows it.
async function found(id) {
  try {
    return (await get(addressOf(id))).data;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

async function save() {
  const id = idBox.value.trim();
  button.disabled = true;
  clearErrors(form);
  put(message);
  try {
    // Another machine of this name must not lose its nameplate to a slip.
    if (!known && (await found(id))?.nameplate)
      return put(
        message,
        el(
          "p",
          { class: "word fault" },
          rich("setup.there_already", { name: el("a", { href: `?machine=${encodeURIComponent(id)}` }, id) }),
        ),
      );
    const plate = plateOf(form);
    if (!(await isAccepted(id, plate))) return;
    await send("PUT", addressOf(id), plate);
    begin(id);
  } catch (error) {
    if (!(error instanceof Refused)) return say(silenceText(error));
    const fields = showErrors(form, error.problem.errors ?? []);
    say(sentenceCase(error.message), ...fields);
  } finally {
    button.disabled = false;
  }
}

// What follows once the nameplate is stored: windows, the first record, the check.
function begin(id) {
  known = true;
  checked = false;
  waitingFor = id;
  idBox.readOnly = true;
  history.replaceState(null, "", `?machine=${encodeURIComponent(id)}`);
  drawName(id);
  put(message, el("p", { class: "word normal" }, t("setup.saved")));
  byId("firstwindow").hidden = false;
  put("snippet", snippet(id));
  put("waiting", t("setup.waiting"));
  put("onwards", el("a", { href: `/machines/${encodeURIComponent(id)}` }, t("setup.to_machine", { name: id })));
  byId("firstwindow").scrollIntoView({ block: "nearest" });
}

function drawName(id) {
  put("name", id ? t("setup.plate_of", { name: id }) : t("setup.title"));
  document.title = `${byId("name").textContent} · VTOX`;
}

async function follow() {
  if (!waitingFor || checked) return;
  try {
    const machine = await found(waitingFor);
    if (!machine?.last_window) return put("waiting", t("setup.waiting"));
    byId("how").open = false;
    checked = await checkFirst(addressOf(waitingFor));
    put("waiting", checked ? t("setup.checked") : t("setup.waiting_record"));
  } catch (error) {
    put("waiting", error instanceof Refused ? sentenceCase(error.message) : silenceText(error));
  }
}

async function start() {
  drawForm();
  drawName("");
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    keepName(form);
    save();
  });
  if (!(await mayEngineer())) {
    button.disabled = true;
    say(t("setup.read_only"));
  }
  if (!asked) return idBox.focus();
  const machine = await found(asked).catch(() => null);
  if (!machine?.nameplate) return;
  known = true;
  idBox.readOnly = true;
  fillIn(form, machine.nameplate);
  warn(machine.nameplate_warnings);
  drawPicture();
  drawName(asked);
}

start();
poll(follow);
