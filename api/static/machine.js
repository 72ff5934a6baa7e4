// The page of one machine: its nameplate and state, and for each fault the latest diagnosis.

import {
  ago,
  byId,
  byTime,
  el,
  ended,
  eventWord,
  exact,
  faultName,
  get,
  glyph,
  linkTable,
  listed,
  marked,
  named,
  num,
  outage,
  pill,
  poll,
  put,
  Refused,
  sentenceCase,
  sentences,
  sourceWord,
  span,
  stateWord,
  unbroken,
  unlockWord,
} from "./common.js";
import { follow, setRated, setRecorded, setStored, show, start } from "./bench.js";
import { whereSeen } from "./evidence.js";
import { sizeOf, unitOf } from "./nameplateform.js";
import { FAULTS, hasText, language, locale, NAMEPLATE, rich, t, VIEWS } from "./texts.js";
import { showCommissioning } from "./commissioning.js";
import { energyRanges, showEnergy } from "./machineenergy.js";
import { showProfile } from "./machineprofile.js";
import { drawScalars, showTrials } from "./scalars.js";
import { showSensitivity } from "./sensitivity.js";
import { followAlarms } from "./machinealarms.js";
import { followTrends } from "./trends.js";

const id = decodeURIComponent(location.pathname.split("/").pop());
const address = `/api/v1/machines/${encodeURIComponent(id)}`;
const setupAddress = `/setup?machine=${encodeURIComponent(id)}`;
byId("editplate").href = setupAddress;
linkTable("/api/v1/diagnoses", { machine_id: id }, "diagnosescsv");
byId("report").href = `${address}/report?lang=${language}`;
// Of a record, what shows the first fault of its family.
const kindOf = (family) => Object.values(VIEWS).find((view) => view.family === family)?.kind ?? "current";
let lastNews = null;
let started = false;
let covered = {};
let grown = {},
  grownAt = -Infinity;

function pairs(list, cls) {
  return el(
    "dl",
    { class: cls },
    list.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

// Why, what weakens it, and what to do; entries written before codes have a reason alone.
function explanation(d) {
  const advice = [...new Set([d.what_to_do, ...d.doubts.map((doubt) => doubt.what_to_do)])].filter(Boolean);
  return [
    el("p", { class: "why" }, sentenceCase(d.sentence || d.reason || t("machine.within_limits"))),
    d.doubts.length
      ? el(
          "ul",
          { class: "doubts", "aria-label": t("machine.doubts") },
          d.doubts.map((doubt) => el("li", {}, el("b", {}, t("machine.doubt")), unbroken(doubt.sentence))),
        )
      : null,
    advice.length
      ? el(
          "div",
          { class: "todo" },
          el("b", {}, t("machine.what_to_do")),
          advice.map((text) => el("p", {}, ...marked(sentenceCase(text)))),
        )
      : null,
  ];
}

// What the record said that the alert rests on, and when: the card is of the latest record.
const heldText = (f, now) =>
  f.held
    ? ` ${t("machine.alert_rests_on", { ago: ago(Math.max(now - f.held.t, 0)), reason: ended(f.held.reason) })}`
    : "";
// What records agree on and days have not confirmed yet.
const seenText = (f, now) =>
  t("machine.seen", {
    ago: ago(Math.max(now - f.seen.t, 0)),
    reason: ended(f.seen.needs.map((need) => need.sentence).join("; ")),
  });
// A record that ended long ago is not what the machine does now.
const OLD_S = 120;
const oldText = (d, now) =>
  d.t_end && now - d.t_end > OLD_S ? el("span", { class: "soft small" }, ago(now - d.t_end)) : null;

// What a reader has opened stays open when all is drawn anew.
const opened = new Set();
const folded = (key, attributes, ...children) =>
  el(
    "details",
    {
      ...attributes,
      open: opened.has(key) ? "" : null,
      ontoggle: (e) => {
        if (e.target.open) opened.add(key);
        else opened.delete(key);
      },
    },
    ...children,
  );
const isIll = (d, assessed) =>
  Boolean(d) && [d.state, assessed?.state].some((state) => state === "warning" || state === "fault");

const telephone = matchMedia("(max-width: 620px)");
// On a telephone spectrum and trend follow the finding at once: what is said of it is one touch away.
function onTelephone(fault, [why, ...rest]) {
  return telephone.matches
    ? [
        why,
        folded(
          `${fault} more`,
          { class: "more" },
          el("summary", { class: "small", "data-key": `${fault} more` }, t("machine.more")),
          el("div", { class: "stack" }, rest),
        ),
      ]
    : [why, ...rest];
}

// There the parts below the trends are folded too, until asked for.
for (const panel of document.querySelectorAll(".folds")) {
  const button = el(
    "button",
    {
      type: "button",
      class: "unfold link small",
      "aria-expanded": "false",
      "aria-describedby": panel.getAttribute("aria-labelledby"),
      onclick: () => unfold(panel, !panel.classList.contains("open")),
    },
    t("machine.unfold"),
  );
  panel.querySelector(".head").append(button);
}
function unfold(panel, open = true) {
  const button = panel?.querySelector(".unfold");
  if (!button) return;
  panel.classList.toggle("open", open);
  button.setAttribute("aria-expanded", String(open));
  button.textContent = t(open ? "machine.fold" : "machine.unfold");
}

// An ill fault is a card, any other one line that opens to what a card has.
function card(fault, d, assessed, now) {
  const asked = location.hash === `#${fault}` ? "asked" : "";
  if (isIll(d, assessed))
    return el(
      "section",
      { id: fault, class: `panel card ${d.state} ${asked}`, "aria-label": faultName(fault) },
      el("div", { class: "title" }, el("h2", {}, faultName(fault)), oldText(d, now), pill(d.state)),
      onTelephone(fault, cardParts(fault, d, assessed, now)),
    );
  const state = d?.state ?? "unknown",
    watch = covered[fault];
  const why = d ? sentenceCase(d.sentence || d.reason || t("machine.within_limits")) : t("machine.no_diagnosis");
  const line = el(
    "summary",
    { "data-key": fault },
    el("span", { class: `state word ${state}` }, glyph(state), faultName(fault)),
    el("span", { class: "why soft" }, why),
    el(
      "span",
      { class: "small soft watch" },
      !watch
        ? ""
        : watch.status === "watched"
          ? t("machine.watched")
          : t("machine.blind", { unlock: unlockWord(watch.unlock) }),
    ),
  );
  return folded(
    fault,
    { id: fault, class: `line1of ${asked}` },
    line,
    el(
      "div",
      { class: "card" },
      d ? cardParts(fault, d, assessed, now) : el("p", { class: "soft" }, t(`machine.needs_${fault}`)),
    ),
  );
}

function cardParts(fault, d, assessed, now) {
  // No percentage for confidence: a score by rule is not a probability (docs/faults/README.md).
  const percent = (v) => (v === null ? "–" : `${Math.round(v * 100)} %`);
  const shown = Object.entries(d.indicators).filter(([, v]) => v !== null);
  const stems = shown.map(([name]) => named(name)[0]);
  const values = shown.map(([name, v]) => {
    const [stem, unit] = named(name);
    // rotor_dbc beside rotor_hz: the unit alone does not tell them apart.
    const twice = stems.filter((s) => s === stem).length > 1;
    const text = twice && hasText(`machine.quantity_${unit}`) ? t(`machine.quantity_${unit}`, { name: stem }) : stem;
    return [
      text,
      typeof v === "number"
        ? `${exact(v)}${unit && ` ${unit}`}`
        : typeof v === "boolean"
          ? t(v ? "common.yes" : "common.no")
          : sourceWord(String(v)),
    ];
  });
  const found = d.state === "warning" || d.state === "fault";
  const calm = found && assessed?.state === "normal";
  const open = assessed && assessed.state !== d.state && (assessed.state === "warning" || assessed.state === "fault");
  const triple =
    d.state === "unknown" && d.statistic === null
      ? null
      : pairs(
          [
            [t("machine.severity"), percent(d.severity)],
            [t("machine.confidence"), exact(d.confidence)],
            [
              t("machine.statistic", { name: sentenceCase(t(`words.statistic_${fault}`)) }),
              d.statistic === null ? "–" : `${exact(d.statistic)} / ${exact(d.threshold)}`,
            ],
          ],
          "triple",
        );
  return [
    ...explanation(d),
    overTime(fault),
    open
      ? el(
          "p",
          { class: `small word ${assessed.state}` },
          t("machine.alert_open", { state: stateWord(assessed.state) }),
          heldText(assessed, now),
        )
      : null,
    assessed?.seen ? el("p", { class: `small word ${assessed.seen.level}` }, seenText(assessed, now)) : null,
    calm && !assessed.seen ? el("p", { class: "small soft" }, t("machine.one_record")) : null,
    el(
      "div",
      { class: "foot" },
      seenLink(d),
      triple || values.length
        ? folded(
            `${fault} numbers`,
            { class: "numbers" },
            el("summary", { class: "small", "data-key": `${fault} numbers` }, t("machine.numbers")),
            triple,
            values.length ? pairs(values, "values") : null,
          )
        : null,
    ),
    el(
      "p",
      { class: "soft small ended" },
      d.end
        ? t("machine.record_ended", { seconds: num(d.t_end - d.t_start, 1), ago: ago(Math.max(now - d.t_end, 0)) })
        : "",
      d.code ? [t("machine.code"), el("code", {}, d.code)] : [],
    ),
  ];
}

// A link with an address of its own, so that it can be copied; a plain click stays on the page.
function seenLink(d) {
  const where = whereSeen(d);
  if (!where || ["no_vibration_channel", "missing_channel", "no_current"].includes(d.code)) return null;
  const onclick = (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    show(where);
  };
  return el(
    "p",
    { class: "small" },
    el(
      "a",
      { href: `?${new URLSearchParams(where)}#bench`, onclick, "data-fault": d.fault, "data-key": `${d.fault} seen` },
      t(`machine.link_${d.fault}`),
    ),
  );
}

const parts = () => document.querySelectorAll("main > :not(#outage)");

// Of an unknown machine the rest of the page has nothing to show.
function drawNobody() {
  document.title = `${t("machine.no_such_machine")} · VTOX`;
  for (const n of parts()) n.hidden = true;
  put(
    "outage",
    el(
      "div",
      { class: "panel body nobody", role: "status" },
      el("h1", {}, t("machine.no_such_machine")),
      el("p", {}, rich("machine.unknown_machine", { name: el("b", {}, id) })),
      el(
        "p",
        { class: "soft" },
        t("machine.shown_when_it_sends"),
        el("a", { href: setupAddress }, t("setup.title")),
        " · ",
        el("a", { href: "/" }, t("common.all_machines")),
      ),
    ),
  );
}

// When the next window is due: of a machine that streams, that is now.
const STREAM_S = 60;
function due({ last_window_age_s: age, sending: { every_s: every, source } }) {
  if (source === "learning") return t("machine.interval_learning");
  if (!every || every < STREAM_S || age === null) return "";
  const words =
    age > every
      ? t("machine.next_overdue", { span: span(age - every) })
      : t("machine.next_due", { span: span(every - age) });
  return words + t("machine.sends_every", { span: span(every) });
}

function drawMachine(m, now) {
  document.title = `${m.machine_id} · VTOX`;
  for (const n of parts()) n.hidden = false;
  put("name", m.machine_id);
  put(
    "state",
    pill(m.state),
    m.silent ? " " : "",
    m.silent ? pill("warning", t("common.silent_for", { span: span(m.last_window_age_s) })) : "",
  );
  const bar = el("i");
  bar.style.width = `${m.health ?? 0}%`;
  put(
    "health",
    ...(m.health === null
      ? [t("machine.health_unknown")]
      : [
          t("machine.health", { health: num(m.health, 0) }),
          el("span", { class: "health", "aria-hidden": "true" }, bar),
        ]),
  );
  put(
    "seen",
    m.last_window ? t("machine.last_window", { ago: ago(m.last_window_age_s) }) : t("machine.no_window"),
    due(m),
    m.vehicle_id && m.vehicle_id !== m.machine_id ? t("machine.vehicle", { name: m.vehicle_id }) : "",
    placeOf(m.nameplate),
  );
  put("reason", Object.keys(m.diagnoses).length ? "" : m.reason);
  const rank = (f) => ["fault", "warning", "normal", "unknown"].indexOf(m.diagnoses[f]?.state ?? "unknown");
  const faults = [...FAULTS].sort((a, b) => rank(a) - rank(b));
  const focused = document.activeElement?.dataset?.key;
  const assessed = (f) => m.assessment?.faults?.[f];
  const ill = faults.filter((f) => isIll(m.diagnoses[f], assessed(f)));
  if (!started && location.hash) opened.add(location.hash.slice(1));
  put(
    "ill",
    ill.map((f) => card(f, m.diagnoses[f], assessed(f), now)),
  );
  put(
    "others",
    faults.filter((f) => !ill.includes(f)).map((f) => card(f, m.diagnoses[f], assessed(f), now)),
  );
  byId("others").parentElement.hidden = ill.length === faults.length;
  if (focused) document.querySelector(`.lead [data-key="${focused}"]`)?.focus({ preventScroll: true });
  drawNameplate(m);
  setRated(m.nameplate?.rated_current_a);
  setRecorded(Object.keys(m.diagnoses).length > 0);
  followTrends(address, ill[0] ?? "");
  showEnergy(id).catch(() => {});
  showProfile(address).catch(() => {});
  if (started) return follow();
  energyRanges(id);
  started = true;
  showCommissioning(address);
  showSensitivity(address, faults);
  // The part of the page that the address names stands only now.
  if (!location.hash) return begin(faults, m);
  const asked = byId(location.hash.slice(1));
  unfold(asked?.closest(".folds"));
  asked?.scrollIntoView({ block: "start" });
  return begin(faults, m);
}

// The spectrum begins with what the worst fault is seen in.
function begin(faults, m) {
  const worst = faults.map((f) => m.diagnoses[f]).find((d) => d && whereSeen(d) && d.state !== "unknown");
  const noCurrent = Object.values(m.diagnoses).some((d) => d.code === "no_current");
  return start(id, worst ? whereSeen(worst) : noCurrent ? { kind: "vibration" } : {});
}

// Where the machine is, as its nameplate says.
function placeOf(plate) {
  const names = [plate?.site, plate?.asset_path?.replaceAll("/", " / ")].filter(Boolean);
  return names.length ? ` · ${listed(names)}` : "";
}

// The operating point, as the latest diagnoses measured it.
function measured(m) {
  const found = {};
  for (const d of Object.values(m.diagnoses))
    for (const [k, v] of Object.entries(d.indicators)) if (v !== null) found[k] ??= v;
  const rated = m.nameplate?.rated_current_a;
  return [
    found.load_a !== undefined && [
      t("machine.load_now"),
      rated
        ? t("machine.load_of_rated", { load: exact(found.load_a), percent: num((100 * found.load_a) / rated, 0) })
        : `${exact(found.load_a)} A`,
    ],
    found.slip !== undefined && [t("machine.slip_now"), `${num(100 * found.slip, 2)} %`],
    found.speed_rpm !== undefined && [t("machine.speed_now"), `${num(found.speed_rpm, 0)} rpm`],
    found.negative_sequence_ratio !== undefined && [
      t("machine.unbalance_now"),
      `${num(100 * found.negative_sequence_ratio, 2)} %`,
    ],
  ].filter(Boolean);
}

// What the machine is watched for: said above the faults, and on the line of each.
function takeCoverage(c) {
  covered = Object.fromEntries(c.faults.map((f) => [f.fault, f]));
  put(
    "watched",
    c.watched === c.faults.length
      ? t("machine.watched_for_all")
      : t("machine.watched_for_some", { watched: c.watched, faults: c.faults.length }),
  );
  put(
    "needs",
    sentences(
      c.faults
        .filter((f) => f.unlock)
        .map((f) => t("machine.needs", { fault: faultName(f.fault), unlock: unlockWord(f.unlock) })),
    ),
  );
}

// How long a state has lasted, and how the level moves: of the history, which changes slowly.
const GROWN_MS = 60_000;
async function takeGrowth() {
  if (performance.now() - grownAt < GROWN_MS) return;
  grownAt = performance.now();
  get(`${address}/scalars?limit=500`)
    .then(({ data }) => drawScalars(data, Date.now() / 1000))
    .catch(() => {});
  grown = Object.fromEntries((await get(`${address}/growth`)).data.faults.map((f) => [f.fault, f]));
}
byId("trylimits").onclick = () => showTrials(address).catch(() => {});
const overTime = (fault) =>
  grown[fault]
    ? el(
        "p",
        { class: "small" },
        el("b", {}, t("machine.over_time")),
        sentenceCase(ended(grown[fault].held.sentence)),
        sentenceCase(ended(grown[fault].growth.sentence)),
      )
    : null;

const plateValue = (f, value) =>
  typeof value === "number"
    ? (value / sizeOf(f)).toLocaleString(locale)
    : Array.isArray(value)
      ? value.map(exact).join(", ")
      : hasText(`machine.${f.name}_${value}`)
        ? t(`machine.${f.name}_${value}`)
        : value;

function drawNameplate(m) {
  const { state, records } = m.baseline_state;
  put("known", hasText(`machine.baseline_${state}`) ? t(`machine.baseline_${state}`, { records }) : "");
  if (!m.nameplate) {
    put(
      "nameplate",
      el(
        "p",
        { class: "soft" },
        rich("machine.not_registered", { call: el("a", { href: setupAddress }, t("machine.register_it")) }),
      ),
    );
    return;
  }
  const rows = NAMEPLATE.filter((f) => m.nameplate[f.name] !== undefined).map((f) => [
    t(`machine.plate_${f.name}`),
    `${plateValue(f, m.nameplate[f.name])} ${unitOf(f)}`,
  ]);
  const bearing = m.nameplate.bearing;
  if (bearing?.designation) rows.push([t("machine.plate_bearing_designation"), bearing.designation]);
  if (bearing?.orders)
    for (const [k, v] of Object.entries(bearing.orders))
      rows.push([t("machine.plate_bearing_order", { part: k }), t("machine.orders", { value: exact(v) })]);
  else if (bearing?.balls)
    rows.push([
      t("machine.plate_bearing"),
      t("machine.bearing_geometry", {
        balls: bearing.balls,
        ball: bearing.ball_diameter_mm,
        pitch: bearing.pitch_diameter_mm,
      }),
    ]);
  const now = measured(m);
  const wrong = m.nameplate_warnings.map((w) =>
    el(
      "p",
      { class: "word warning" },
      sentenceCase(w.sentence),
      ". ",
      el("span", { class: "small" }, ...marked(w.what_to_do)),
    ),
  );
  byId("platewarnings").hidden = !wrong.length;
  put("platewarnings", wrong);
  put(
    "nameplate",
    [...rows, ...now].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function drawAlerts(alerts, now) {
  if (!alerts.length) return put("alerts", el("li", { class: "blank" }, t("machine.no_alerts")));
  put(
    "alerts",
    byTime(alerts).map((a) =>
      el(
        "li",
        {},
        el(
          "div",
          { class: "line" },
          el(
            "span",
            { class: `state word ${a.event === "cleared" ? "normal" : a.level}` },
            glyph(a.event === "cleared" ? "normal" : a.level),
            eventWord(a),
          ),
          faultName(a.fault),
          el("time", { datetime: a.time, title: a.time }, ago(Math.max(now - a.t, 0))),
        ),
        el("p", {}, sentenceCase(a.reason)),
        a.what_to_do && a.event !== "cleared"
          ? el("p", {}, el("b", {}, t("machine.what_to_do_is")), ...marked(a.what_to_do))
          : null,
      ),
    ),
  );
}

// Waveforms are megabytes on the server: looked for when there is news, not at every poll.
async function drawEvidence() {
  const kept = (await get(`${address}/evidence?limit=10`)).data;
  setStored(kept);
  if (!kept.length) return put("evidence", el("li", { class: "blank" }, t("machine.no_waveforms")));
  put(
    "evidence",
    kept.map((w) =>
      el(
        "li",
        {},
        el(
          "div",
          { class: "line" },
          el("a", { href: w.href, download: "" }, faultName(w.family)),
          el(
            "a",
            { href: `?${new URLSearchParams({ record: w.record, kind: kindOf(w.family) })}#bench` },
            t("machine.show"),
          ),
          el(
            "span",
            { class: "soft" },
            t("machine.waveform", {
              seconds: num(w.duration_s, 1),
              channels: listed(w.channels),
              rate: num(w.fs_hz, 0),
            }),
          ),
          el("time", { datetime: w.start }, w.start.replace("T", " ").slice(0, 19)),
        ),
      ),
    ),
  );
}

poll(async () => {
  try {
    const [machine, coverage, alerts] = await Promise.all([
      get(address),
      get(`${address}/coverage`),
      get(`/api/v1/alerts?machine_id=${encodeURIComponent(id)}&limit=30`),
    ]);
    const now = Date.now() / 1000;
    takeCoverage(coverage.data);
    await takeGrowth().catch(() => {});
    drawMachine(machine.data, now);
    drawAlerts(alerts.data, now);
    await followAlarms(id, machine.data.dismissals);
    const news = alerts.data[0]?.stream_id ?? "";
    if (news !== lastNews) await drawEvidence();
    lastNews = news;
    put("outage");
    for (const n of document.querySelectorAll("main > *")) n.classList.remove("stale");
  } catch (error) {
    // 422: no machine can have such a name.
    if (error instanceof Refused && [404, 422].includes(error.status)) return drawNobody();
    put("outage", outage(error));
    for (const n of document.querySelectorAll("main > *"))
      n.classList.toggle("stale", n.id !== "outage" && byId("name").textContent !== "");
  }
});
