// Draws the trend of one quantity with uPlot: band from least to largest, mean, threshold, the state of each step
// below, and where nothing was recorded. Knows nothing of where it comes from.

import { t } from "./texts.js";

const STATES = { normal: ["normal-strip", 4], unknown: ["unknown-line", 2], warning: ["warning-line", 7], fault: ["fault-bg", 10] };
const STRIP_PX = 14;
const HEIGHT = 170;
// Without a number there are states alone.
const STATES_HEIGHT = 64;
const FONT = "12px ui-sans-serif, system-ui, sans-serif";
// How the axis writes days, by the parts of a date that stand in the texts: D MMM YYYY.
const parts = (key) => t(key).replace(/[YMD]+/g, "{$&}");
const YEAR = parts("trends.axis_year"), MONTH = parts("trends.axis_month"), DAY = parts("trends.axis_day"), DAY_OF_YEAR = parts("trends.axis_day_of_year");
const TIMES = [
  [31_536_000, YEAR, null, null, null, null, null, null, 1],
  [2_419_200, MONTH, `\n${YEAR}`, null, null, null, null, null, 1],
  [86_400, DAY, `\n${YEAR}`, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `\n${DAY_OF_YEAR}`, null, `\n${DAY}`, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `\n${DAY_OF_YEAR}`, null, `\n${DAY}`, null, null, null, 1],
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// The part of the canvas between two times, within the plot; null outside.
function part(u, from, to) {
  const { bbox } = u;
  const left = Math.max(u.valToPos(from, "x", true), bbox.left), right = Math.min(u.valToPos(to, "x", true), bbox.left + bbox.width);
  return right > left ? [left, Math.max(right - left, devicePixelRatio)] : null;
}

function drawAbsence(u, d) {
  const { ctx, bbox } = u;
  ctx.save();
  for (const [absences, name] of [[d.gaps, "faint"], [d.missed, "warning-bg"]]) {
    ctx.fillStyle = colour(name);
    for (const [from, to] of absences) {
      const place = part(u, from, to);
      if (place) ctx.fillRect(place[0], bbox.top, place[1], bbox.height);
    }
  }
  ctx.restore();
}

// The worse, the higher: the strip is read without its colours too.
function drawStates(u, d) {
  const { ctx, bbox } = u;
  const px = devicePixelRatio;
  ctx.save();
  for (const { from, to, state } of d.cells) {
    // A scalar without limits has no state.
    const place = state && part(u, from, to), [name, height] = STATES[state] ?? STATES.unknown;
    if (!place) continue;
    ctx.fillStyle = colour(name);
    ctx.fillRect(place[0], bbox.top + bbox.height + (STRIP_PX - height) * px, place[1], height * px);
  }
  ctx.restore();
}

// The threshold of each step, and means without a neighbour, which a line does not show.
function drawThreshold(u, d) {
  const { ctx, bbox } = u;
  const px = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour("fault-text"); ctx.fillStyle = colour("accent");
  ctx.lineWidth = 1.2 * px;
  ctx.setLineDash([5 * px, 4 * px]);
  let run = null;
  const stroke = () => {
    const place = run && part(u, run.from, run.to), y = run && u.valToPos(run.threshold, "y", true);
    if (!place) return;
    const right = place[0] + place[1];
    ctx.beginPath(); ctx.moveTo(Math.min(place[0], right - 4 * px), y); ctx.lineTo(right, y); ctx.stroke();
  };
  for (const c of d.cells) {
    if (run && c.threshold === run.threshold && c.from <= run.to) { run.to = c.to; continue; }
    stroke();
    run = c.threshold === null ? null : { ...c };
  }
  stroke();
  d.mean.forEach((v, i) => {
    if (v === null || (d.mean[i - 1] ?? null) !== null || (d.mean[i + 1] ?? null) !== null) return;
    const x = u.valToPos(d.x[i], "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.beginPath(); ctx.arc(x, u.valToPos(v, "y", true), 2 * px, 0, 7); ctx.fill();
  });
  ctx.restore();
}

function yRange(d, low, high) {
  if (d.limits) return d.limits;
  if (low === null) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

// `events.cursor(t)`: a time that is pointed at, null for none.
export function trendPlot(box, write, events) {
  let chart = null, data = null;

  function options() {
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, font: FONT };
    // Drawn as the edges of a band, or by a hook; a scale is made of all.
    const unseen = { points: { show: false }, width: 0 };
    return {
      width: Math.max(box.clientWidth, 200), height: data.numbers ? HEIGHT : STATES_HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, y: false, points: { size: 6, fill: colour("ink") } },
      scales: { x: { range: () => [data.from, data.to] }, y: { range: (u, low, high) => yRange(data, low, high) } },
      axes: [
        { ...axis, ticks: { show: false }, gap: STRIP_PX + 4, size: STRIP_PX + 36, space: 64, values: TIMES },
        { ...axis, ticks: { show: false }, size: 52, space: 32, grid: { ...axis.grid, show: data.numbers }, values: (u, splits) => splits.map((v) => (data.numbers ? write(v) : "")) },
      ],
      series: [
        {},
        unseen,
        unseen,
        { points: { show: false }, stroke: colour("accent"), width: 1.5 },
        unseen,
      ],
      bands: [{ series: [1, 2], fill: colour("accent-soft") }],
      hooks: {
        drawClear: [(u) => drawAbsence(u, data)],
        draw: [(u) => { drawThreshold(u, data); drawStates(u, data); }],
        setCursor: [(u) => events.cursor(u.cursor.idx === null || u.cursor.left < 0 ? null : data.x[u.cursor.idx])],
      },
    };
  }

  const columns = () => [data.x, data.max, data.min, data.mean, data.threshold];

  function make() {
    chart?.destroy();
    chart = new window.uPlot(options(), columns(), box);
  }

  new ResizeObserver(() => chart && Math.abs(chart.width - box.clientWidth) > 1 && make()).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && make());

  return {
    show(next) {
      const same = data && data.numbers === next.numbers;
      data = next;
      if (!chart || !same) make(); else chart.setData(columns());
    },
    // Points at a time without an event.
    point(t) {
      chart?.setCursor(t === null ? { left: -10, top: -10 } : { left: chart.valToPos(t, "x"), top: 10 }, false);
    },
  };
}
