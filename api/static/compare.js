// The record that is compared with the one in the spectrum bench: of this machine, or of the second one of the trends.

import { decibel } from "./lines.js";
import { el, faultName } from "./common.js";
import { t } from "./texts.js";

export const stamp = (r) => (r?.start ? r.start.replace("T", " ").slice(0, 19) : "–");
// A record has its family, machine and first entry in its name; no machine has such a one.
const isRecord = (name) => name.includes("|");

// Where a record is read: a stored one by its name, the latest one of a machine by that of the machine.
export const baseOf = (name) =>
  isRecord(name) ? `/api/v1/evidence/${encodeURIComponent(name)}` : `/api/v1/machines/${encodeURIComponent(name)}`;
export const familyOf = (name, family) => (name && isRecord(name) ? null : family);

// What can be compared, as [value, words].
export function choices({ machine, record, over, stored, second, secondStored }) {
  const named = (w) => [
    w.record,
    `${w.machine_id === machine ? "" : `${w.machine_id} · `}${stamp(w)} · ${faultName(w.family)}`,
  ];
  const found = [
    ["", t("bench.compare_none")],
    ...(record ? [[machine, t("bench.compare_latest", { machine })]] : []),
    ...stored.filter((w) => w.record !== record).map(named),
    ...(second ? [[second, t("bench.compare_latest", { machine: second })], ...secondStored.map(named)] : []),
  ];
  if (over && !found.some(([value]) => value === over))
    found.push([over, isRecord(over) ? over : t("bench.compare_latest", { machine: over })]);
  return found;
}

// The level nearest to a frequency or time; null outside of what is there.
export function nearest(s, x) {
  const at = s.hz ?? s.t_s,
    values = s.levels_db ?? s.values;
  let next = at.findIndex((v) => v >= x);
  if (next < 0) return null;
  if (next && x - at[next - 1] < at[next] - x) next -= 1;
  return values[next];
}

// Both curves by name, where there are two.
export const keys = (first, over) =>
  over
    ? [
        ["own", "accent", first.record],
        ["second", "second", over.record],
      ].map(([cls, tone, r]) => ({
        cls,
        tone,
        text: t("bench.key_record", { machine: r.machine_id, start: stamp(r) }),
      }))
    : [];
export const keyLine = (list) => list.map((k) => el("span", { class: `key ${k.cls}` }, k.text));

export const difference = (db) => `${db >= 0 ? "+" : ""}${decibel(db)}`;
export const sameLine = (over, line) => over?.lines?.find((m) => m.name === line.name) ?? null;
