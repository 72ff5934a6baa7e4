// The page of one machine: its nameplate and state, and for each fault the latest diagnosis.

import { ago, byId, byTime, el, exact, faultName, get, glyph, marked, named, num, outage, pill, poll, put, Refused, sentenceCase, span, UNLOCKS } from "./common.js";
import { follow, setStored, show, start } from "./bench.js";
import { LINK_TEXT, whereSeen } from "./evidence.js";
import { followTrends } from "./trends.js";

const id = decodeURIComponent(location.pathname.split("/").pop());
const address = `/api/v1/machines/${encodeURIComponent(id)}`;
const PLATE = { pole_pairs: ["Pole pairs", ""], supply_hz: ["Supply", "Hz"], rated_speed_rpm: ["Rated speed", "rpm"], rated_current_a: ["Rated current", "A"], rated_voltage_v: ["Rated voltage", "V"], rated_power_w: ["Rated power", "W"], rotor_bars: ["Rotor bars", ""], supply: ["Fed by", ""], site: ["Site", ""], asset_path: ["Part of", ""] };
const QUANTITY = { Hz: "frequency", dB: "level", dBc: "level" };
const NEEDS = { turn_short: "its three currents", insulation: "voltage and leakage current", bearing: "vibration, the bearing's geometry and a speed", eccentricity: "a current and its baseline", broken_bar: "ten seconds of a current" };

const KIND_OF_FAMILY = { turn_short: "phasors", bearing: "envelope", broken_bar: "demodulated" };
let lastNews = null;
let started = false;

function pairs(list, cls) {
  return el("dl", { class: cls }, list.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// Why, what weakens it, and what to do; entries written before codes have a reason alone.
function explanation(d) {
  const advice = [...new Set([d.what_to_do, ...d.doubts.map((doubt) => doubt.what_to_do)])].filter(Boolean);
  return [
    el("p", { class: "why" }, sentenceCase(d.sentence || d.reason || "within its limits")),
    d.doubts.length ? el("ul", { class: "doubts", "aria-label": "Doubts" }, d.doubts.map((doubt) => el("li", {}, el("b", {}, "Doubt: "), doubt.sentence))) : null,
    advice.length ? el("div", { class: "todo" }, el("b", {}, "What to do"), advice.map((text) => el("p", {}, ...marked(sentenceCase(text))))) : null,
  ];
}

function card(fault, d, assessed, now) {
  if (!d) {
    return el("section", { id: fault, class: "panel card" }, el("div", { class: "title" }, el("h3", {}, faultName(fault)), pill("unknown", "no diagnosis yet")),
      el("p", { class: "soft" }, `It needs ${NEEDS[fault] ?? "a record of sufficient length"}.`));
  }
  // No percentage for confidence: a score by rule is not a probability (docs/faults/README.md).
  const percent = (v) => (v === null ? "–" : `${Math.round(v * 100)} %`);
  const shown = Object.entries(d.indicators).filter(([, v]) => v !== null);
  const stems = shown.map(([name]) => named(name)[0]);
  const values = shown.map(([name, v]) => {
    const [stem, unit] = named(name);
    // rotor_dbc beside rotor_hz: the unit alone does not tell them apart.
    const twice = stems.filter((s) => s === stem).length > 1;
    const text = twice && QUANTITY[unit] ? `${stem} ${QUANTITY[unit]}` : stem;
    return [text, typeof v === "number" ? `${exact(v)}${unit && ` ${unit}`}` : typeof v === "boolean" ? (v ? "yes" : "no") : String(v)];
  });
  const found = d.state === "warning" || d.state === "fault";
  const calm = found && assessed?.state === "normal";
  const open = assessed && assessed.state !== d.state && (assessed.state === "warning" || assessed.state === "fault");
  return el("section", { id: fault, class: `panel card ${d.state} ${location.hash === `#${fault}` ? "asked" : ""}`, "aria-label": faultName(fault) },
    el("div", { class: "title" }, el("h3", {}, faultName(fault)), pill(d.state)),
    ...explanation(d),
    open ? el("p", { class: `small word ${assessed.state}` }, `An alert (${assessed.state}) is open. It clears after several normal records.`) : null,
    calm ? el("p", { class: "small soft" }, "This is one record. The assessment above is normal; it takes several records to change.") : null,
    d.state === "unknown" && d.statistic === null ? null : pairs([["Severity", percent(d.severity)], ["Confidence", exact(d.confidence)], ["Statistic / threshold", d.statistic === null ? "–" : `${exact(d.statistic)} / ${exact(d.threshold)}`]], "triple"),
    values.length ? pairs(values, "values") : null,
    seenLink(d),
    el("p", { class: "soft small ended" }, d.end ? `Record of ${num(d.t_end - d.t_start, 1)} s, ended ${ago(Math.max(now - d.t_end, 0))}` : "", d.code ? [" · code ", el("code", {}, d.code)] : []));
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
  return el("p", { class: "small" }, el("a", { href: `?${new URLSearchParams(where)}#bench`, onclick, "data-fault": d.fault }, LINK_TEXT[d.fault]));
}

const parts = () => document.querySelectorAll("main > :not(#outage)");

// Of an unknown machine the rest of the page has nothing to show.
function drawNobody() {
  document.title = "No such machine · VTOX";
  for (const n of parts()) n.hidden = true;
  put("outage", el("div", { class: "panel body nobody", role: "status" }, el("h1", {}, "No such machine"),
    el("p", {}, el("b", {}, id), " has not sent a window, and no nameplate is registered under this name. It may have been retired."),
    el("p", { class: "soft" }, "This page shows it as soon as it sends. ", el("a", { href: "/" }, "All machines"))));
}

function drawMachine(m, now) {
  document.title = `${m.machine_id} · VTOX`;
  for (const n of parts()) n.hidden = false;
  put("name", m.machine_id);
  put("state", pill(m.state), m.silent ? " " : "", m.silent ? pill("warning", `silent for ${span(m.last_window_age_s)}`) : "");
  const bar = el("i");
  bar.style.width = `${m.health ?? 0}%`;
  put("health", ...(m.health === null ? ["health not known"] : [`health ${num(m.health, 0)} of 100 `, el("span", { class: "health", "aria-hidden": "true" }, bar)]));
  put("seen", m.last_window ? `last window ${ago(m.last_window_age_s)}` : "no window yet", m.vehicle_id ? ` · vehicle ${m.vehicle_id}` : "");
  put("reason", Object.keys(m.diagnoses).length ? "" : m.reason);
  const rank = (f) => ["fault", "warning", "normal", "unknown"].indexOf(m.diagnoses[f]?.state ?? "unknown");
  const faults = Object.keys(NEEDS).sort((a, b) => rank(a) - rank(b));
  const focused = document.activeElement?.dataset?.fault;
  put("faults", faults.map((f) => card(f, m.diagnoses[f], m.assessment?.faults?.[f], now)));
  if (focused) byId("faults").querySelector(`[data-fault="${focused}"]`)?.focus({ preventScroll: true });
  drawNameplate(m);
  followTrends(address);
  if (started) return follow();
  started = true;
  // The part of the page that the address names stands only now.
  if (location.hash) byId(location.hash.slice(1))?.scrollIntoView({ block: "start" });
  const worst = faults.map((f) => m.diagnoses[f]).find((d) => d && whereSeen(d) && d.state !== "unknown");
  const noCurrent = m.diagnoses.eccentricity?.code === "no_current";
  return start(id, worst ? whereSeen(worst) : noCurrent ? { kind: "vibration" } : {});
}

// The operating point, as the latest diagnoses measured it.
function measured(m) {
  const found = {};
  for (const d of Object.values(m.diagnoses)) for (const [k, v] of Object.entries(d.indicators)) if (v !== null) found[k] ??= v;
  const rated = m.nameplate?.rated_current_a;
  return [
    found.load_a !== undefined && ["Load now", `${exact(found.load_a)} A${rated ? `, ${num(100 * found.load_a / rated, 0)} % of rated` : ""}`],
    found.slip !== undefined && ["Slip now", `${num(100 * found.slip, 2)} %`],
    found.speed_rpm !== undefined && ["Speed now", `${num(found.speed_rpm, 0)} rpm`],
    found.negative_sequence_ratio !== undefined && ["Current unbalance I2/I1", `${num(100 * found.negative_sequence_ratio, 2)} %`],
  ].filter(Boolean);
}

function drawCoverage(c) {
  put("watched", c.watched === c.faults.length ? "Watched for all faults" : `Watched for ${c.watched} of ${c.faults.length} faults`);
  put("coverage", c.faults.map((f) => el("li", { class: f.status, title: f.status === "blind" ? `${sentenceCase(f.sentence)}. ${f.what_to_do}` : f.sentence },
    glyph(f.status === "watched" ? "normal" : "unknown"), el("b", {}, faultName(f.fault)), f.status === "watched" ? "watched" : `blind, needs ${UNLOCKS[f.unlock] ?? f.unlock}`)));
}

function drawNameplate(m) {
  const { state, records } = m.baseline_state;
  put("known", { none: "no baseline", learning: `baseline: learning, ${records} records so far`, ready: "baseline learnt", stale: "baseline is old" }[state] ?? "");
  if (!m.nameplate) {
    put("nameplate", el("p", { class: "soft" }, "Not registered. What needs rated values is answered “unknown”. Register the nameplate with ", el("code", {}, `PUT ${address}`), "."));
    return;
  }
  const rows = Object.entries(PLATE).filter(([k]) => m.nameplate[k] !== undefined).map(([k, [text, unit]]) => [text, `${typeof m.nameplate[k] === "number" ? m.nameplate[k].toLocaleString("en") : m.nameplate[k]} ${unit}`]);
  const bearing = m.nameplate.bearing;
  if (bearing?.orders) for (const [k, v] of Object.entries(bearing.orders)) rows.push([`Bearing ${k}`, `${exact(v)} orders`]);
  else if (bearing) rows.push(["Bearing", `${bearing.balls} balls of ${bearing.ball_diameter_mm} mm on ${bearing.pitch_diameter_mm} mm`]);
  const now = measured(m);
  put("nameplate", [...rows, ...now].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function drawAlerts(alerts, now) {
  if (!alerts.length) return put("alerts", el("li", { class: "blank" }, "None so far."));
  put("alerts", byTime(alerts).map((a) => el("li", {},
    el("div", { class: "line" }, el("span", { class: `state word ${a.event === "cleared" ? "normal" : a.level}` }, glyph(a.event === "cleared" ? "normal" : a.level), a.event === "cleared" ? "cleared" : a.event === "escalated" ? `now a ${a.level}` : a.level), faultName(a.fault),
      el("time", { datetime: a.time, title: a.time }, ago(Math.max(now - a.t, 0)))),
    el("p", {}, sentenceCase(a.reason)),
    a.what_to_do && a.event !== "cleared" ? el("p", {}, el("b", {}, "What to do: "), ...marked(a.what_to_do)) : null)));
}

// Waveforms are megabytes on the server: looked for when there is news, not at every poll.
async function drawEvidence() {
  const kept = (await get(`${address}/evidence?limit=10`)).data;
  setStored(kept);
  if (!kept.length) return put("evidence", el("li", { class: "blank" }, "None. The record behind each new warning or fault appears here."));
  put("evidence", kept.map((w) => el("li", {}, el("div", { class: "line" },
    el("a", { href: w.href, download: "" }, faultName(w.family)), el("a", { href: `?${new URLSearchParams({ record: w.record, kind: KIND_OF_FAMILY[w.family] ?? "current" })}#bench` }, "show"), el("span", { class: "soft" }, `${num(w.duration_s, 1)} s of ${w.channels.join(", ")} at ${num(w.fs_hz, 0)} Hz`),
    el("time", { datetime: w.start }, w.start.replace("T", " ").slice(0, 19))))));
}

poll(async () => {
  try {
    const [machine, covered, alerts] = await Promise.all([get(address), get(`${address}/coverage`), get(`/api/v1/alerts?machine_id=${encodeURIComponent(id)}&limit=30`)]);
    const now = Date.now() / 1000;
    drawMachine(machine.data, now);
    drawCoverage(covered.data);
    drawAlerts(alerts.data, now);
    const news = alerts.data[0]?.stream_id ?? "";
    if (news !== lastNews) await drawEvidence();
    lastNews = news;
    put("outage");
    for (const n of document.querySelectorAll("main > *")) n.classList.remove("stale");
  } catch (error) {
    // 422: no machine can have such a name.
    if (error instanceof Refused && [404, 422].includes(error.status)) return drawNobody();
    put("outage", outage(error));
    for (const n of document.querySelectorAll("main > *")) n.classList.toggle("stale", n.id !== "outage" && byId("name").textContent !== "");
  }
});
