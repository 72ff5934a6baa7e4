// Pictures beside the form: the plate as it is typed in, the bearing, and the clamps on their phases.

import { svg } from "./common.js";
import { shownValue } from "./nameplateform.js";
import { t } from "./texts.js";

const text = (x, y, cls, content, anchor = "start") =>
  svg("text", { x, y, class: cls, "text-anchor": anchor }, content);

// Where a value stands on most plates; `of` makes what the plate has of what the form has.
const PLACES = [
  { name: "ie_class", x: 252, y: 42, w: 88, sign: "" },
  { name: "rated_power_w", x: 20, y: 78, w: 100, sign: "kW", of: (w) => w / 1000 },
  { name: "rated_voltage_v", x: 130, y: 78, w: 100, sign: "V" },
  { name: "rated_current_a", x: 240, y: 78, w: 100, sign: "A" },
  { name: "supply_hz", x: 20, y: 114, w: 100, sign: "Hz" },
  { name: "rated_speed_rpm", x: 130, y: 114, w: 100, sign: "min⁻¹" },
  { name: "rated_power_factor", x: 240, y: 114, w: 100, sign: "cos φ" },
  { name: "rated_efficiency", x: 20, y: 150, w: 100, sign: "η %", of: (r) => 100 * r },
];

export function platePicture(plate, focused) {
  const places = PLACES.map((p) => {
    const known = plate[p.name];
    return svg(
      "g",
      { class: p.name === focused ? "at" : "" },
      svg("rect", { x: p.x - 6, y: p.y - 24, width: p.w, height: 34, rx: 4 }),
      text(p.x, p.y - 12, "sign", p.sign),
      text(
        p.x + p.w - 14,
        p.y + 4,
        "value",
        known === undefined ? "" : String(shownValue(p.of ? p.of(known) : known)),
        "end",
      ),
    );
  });
  const poles = plate.pole_pairs ? `${2 * plate.pole_pairs}p` : "";
  return svg(
    "svg",
    { viewBox: "0 0 360 174", class: "picture", role: "img", "aria-label": t("setup.picture_plate") },
    svg("rect", { class: "sheet", x: 2, y: 2, width: 356, height: 170, rx: 10 }),
    ...[
      [10, 10],
      [350, 10],
      [10, 164],
      [350, 164],
    ].map(([cx, cy]) => svg("circle", { class: "rivet", cx, cy, r: 3 })),
    text(20, 38, "value", "3~ M"),
    text(150, 38, "value", poles),
    places,
  );
}

export function bearingPicture(bearing, focused) {
  const balls = Math.min(bearing?.balls ?? 9, 24),
    R = 58;
  const size =
    bearing?.ball_diameter_mm && bearing?.pitch_diameter_mm
      ? Math.min((R * bearing.ball_diameter_mm) / bearing.pitch_diameter_mm, (Math.PI * R) / balls)
      : 14;
  const around = Array.from({ length: balls }, (_, i) => (2 * Math.PI * i) / balls - Math.PI / 2);
  const at = (name) => (focused === `bearing.${name}` ? "at" : "");
  return svg(
    "svg",
    { viewBox: "0 0 360 190", class: "picture", role: "img", "aria-label": t("setup.picture_bearing") },
    svg(
      "g",
      { transform: "translate(110 95)" },
      svg("circle", { class: "ring", r: R + 26 }),
      svg("circle", { class: "ring", r: R + 15 }),
      svg("circle", { class: "ring", r: R - 15 }),
      svg("circle", { class: "ring", r: R - 26 }),
      svg("circle", { class: `pitch ${at("pitch_diameter_mm")}`, r: R }),
      svg(
        "g",
        { class: at("balls") },
        around.map((a) => svg("circle", { class: "ball", cx: R * Math.cos(a), cy: R * Math.sin(a), r: size })),
      ),
      svg("path", { class: `measure ${at("ball_diameter_mm")}`, d: `M${-size} ${-R}H${size}` }),
      svg("path", { class: `measure ${at("pitch_diameter_mm")}`, d: `M0 ${-R}V${R}` }),
    ),
    text(124, 62, `sign ${at("ball_diameter_mm")}`, "d"),
    text(118, 100, `sign ${at("pitch_diameter_mm")}`, "D"),
    svg(
      "g",
      { transform: "translate(280 95)", class: at("contact_angle_deg") },
      svg("path", { class: "ring", d: "M-34 -50H34V-18H-34ZM-34 18H34V50H-34Z" }),
      svg("circle", { class: "ball", r: 17 }),
      svg("path", { class: "measure", d: "M0 -62V62" }),
      svg("path", { class: "measure", d: "M-22 -58 22 58" }),
      text(-16, -66, "sign", "α"),
    ),
  );
}

export function clampsPicture() {
  const phase = (y, name, channel) => [
    svg("path", { class: "wire", d: `M30 ${y}H262` }),
    text(6, y + 5, "value", name),
    svg("ellipse", { class: "clamp", cx: 140, cy: y, rx: 8, ry: 15 }),
    svg("path", { class: "arrow", d: `M158 ${y - 10}h34m-8 -6 8 6 -8 6` }),
    text(128, y - 20, "sign", channel, "end"),
  ];
  return svg(
    "svg",
    { viewBox: "0 0 360 170", class: "picture", role: "img", "aria-label": t("setup.clamps") },
    phase(40, "L1", "ia"),
    phase(85, "L2", "ib"),
    phase(130, "L3", "ic"),
    svg("circle", { class: "sheet", cx: 305, cy: 85, r: 46 }),
    text(305, 82, "value", "M", "middle"),
    text(305, 102, "value", "3~", "middle"),
  );
}
