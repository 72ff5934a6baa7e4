// The phasors of currents and voltages as they are wired, drawn in one circle each, and what they say.

import { exact, listed, svg } from "./common.js";
import { facts } from "./lines.js";
import { t } from "./texts.js";

const SIZE = 360,
  RADIUS = 132,
  HEAD = 9;

function arrow(p, longest, cls) {
  const size = (RADIUS * p.rms) / longest,
    angle = (-p.angle_deg * Math.PI) / 180;
  const [x, y] = [size * Math.cos(angle), size * Math.sin(angle)];
  const wing = (turn) =>
    `${(x - HEAD * Math.cos(angle + turn)).toFixed(1)} ${(y - HEAD * Math.sin(angle + turn)).toFixed(1)}`;
  const away = Math.max(size, 14) + 15;
  return svg(
    "g",
    { class: cls },
    svg("path", {
      d: `M0 0L${x.toFixed(1)} ${y.toFixed(1)}M${wing(0.4)}L${x.toFixed(1)} ${y.toFixed(1)}L${wing(-0.4)}`,
    }),
    svg(
      "text",
      { x: (away * Math.cos(angle)).toFixed(1), y: (away * Math.sin(angle) + 4).toFixed(1), "text-anchor": "middle" },
      p.channel,
    ),
  );
}

export function phasorDiagram(d) {
  const longest = {};
  for (const p of d.phasors) longest[p.unit] = Math.max(longest[p.unit] ?? 0, p.rms, 1e-12);
  const half = SIZE / 2;
  return svg(
    "svg",
    { class: "phasors", viewBox: `${-half} ${-half} ${SIZE} ${SIZE}`, "aria-hidden": "true" },
    svg("circle", { r: RADIUS }),
    [0, 60, 120].map((a) => svg("line", { x1: -RADIUS, x2: RADIUS, transform: `rotate(${a})` })),
    d.phasors.map((p) => arrow(p, longest[p.unit], p.unit === "V" ? "voltage" : "current")),
  );
}

const percent = (ratio) => (ratio === null ? t("bench.not_measured") : `${(100 * ratio).toFixed(2)} %`);
const degrees = (v) => `${(Math.round(v * 10) / 10 + 0).toFixed(1).replace("-", "−")}°`;

export function phasorFacts(d) {
  return facts([
    ...d.phasors.map((p) => [p.channel, `${exact(p.rms)} ${p.unit}, ${degrees(p.angle_deg)}`]),
    [t("bench.current_unbalance"), percent(d.negative_sequence_ratio)],
    [t("bench.voltage_unbalance"), percent(d.voltage_unbalance_ratio)],
    [t("bench.zero_sequence"), percent(d.zero_sequence_ratio)],
    [t("bench.lag"), d.lag_deg === null ? t("bench.not_measured") : degrees(d.lag_deg)],
  ]);
}

export const phasorLabel = (d) =>
  t("bench.label_phasors", {
    phasors: listed(
      d.phasors.map((p) =>
        t("bench.phasor_at", { channel: p.channel, rms: exact(p.rms), unit: p.unit, angle: degrees(p.angle_deg) }),
      ),
    ),
  });
