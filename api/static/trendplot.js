// Draws the trend of one quantity with uPlot: band from least to largest, mean, threshold, the state of each step
// below, marks, where nothing was recorded, and the mean of a second machine. Knows nothing of where it comes from.

import { t } from "./texts.js";
import { SHAPES } from "./trendmarks.js";

const STATES = {
  normal: ["normal-strip", 4],
  unknown: ["unknown-line", 2],
  warning: ["warning-line", 7],
  fault: ["fault-bg", 10],
};
const STRIP_PX = 14;
const HEIGHT = 224,
  NARROW_HEIGHT = 176,
  NARROW_PX = 400;
// Without a number there are states alone.
const STATES_HEIGHT = 100;
const MARK_PX = 11;
const FONT = "12px ui-sans-serif, system-ui, sans-serif";
// How the axis writes days, by the parts of a date that stand in the texts: D MMM YYYY.
const parts = (key) => t(key).replace(/[YMD]+/g, "{$&}");
const YEAR = parts("trends.axis_year"),
  MONTH = parts("trends.axis_month"),
  DAY = parts("trends.axis_day"),
  DAY_OF_YEAR = parts("trends.axis_day_of_year");
const TIMES = [
  [31_536_000, YEAR, null, null, null, null, null, null, 1],
  [2_419_200, MONTH, `\n${YEAR}`, null, null, null, null, null, 1],
  [86_400, DAY, `\n${YEAR}`, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `\n${DAY_OF_YEAR}`, null, `\n${DAY}`, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `\n${DAY_OF_YEAR}`, null, `\n${DAY}`, null, null, null, 1],
];

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Room for a tick: seconds and days are written longer than hours and minutes.
const tickRoom = (u, axis, from, to) => (to - from > 300 && to - from <= 172_800 ? 48 : 68);

// The part of the canvas between two times, within the plot; null outside.
function part(u, from, to) {
  const { bbox } = u;
  const left = Math.max(u.valToPos(from, "x", true), bbox.left),
    right = Math.min(u.valToPos(to, "x", true), bbox.left + bbox.width);
  return right > left ? [left, Math.max(right - left, devicePixelRatio)] : null;
}

function drawAbsence(u, d) {
  const { ctx, bbox } = u;
  ctx.save();
  for (const [absences, name] of [
    [d.gaps, "faint"],
    [d.missed, "warning-bg"],
  ]) {
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
    const place = state && part(u, from, to),
      [name, height] = STATES[state] ?? STATES.unknown;
    if (!place) continue;
    ctx.fillStyle = colour(name);
    ctx.fillRect(place[0], bbox.top + bbox.height + (STRIP_PX - height) * px, place[1], height * px);
  }
  ctx.restore();
}

// Means without a neighbour, which a line does not show.
function drawAlone(u, x, mean) {
  const { ctx, bbox } = u;
  mean.forEach((v, i) => {
    if (v === null || (mean[i - 1] ?? null) !== null || (mean[i + 1] ?? null) !== null) return;
    const at = u.valToPos(x[i], "x", true);
    if (at < bbox.left || at > bbox.left + bbox.width) return;
    ctx.beginPath();
    ctx.arc(at, u.valToPos(v, "y", true), 2 * devicePixelRatio, 0, 7);
    ctx.fill();
  });
}

// The threshold of each step, and means that stand alone.
function drawThreshold(u, d) {
  const { ctx } = u;
  const px = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour("fault-text");
  ctx.fillStyle = colour("accent");
  ctx.lineWidth = 1.2 * px;
  ctx.setLineDash([5 * px, 4 * px]);
  let run = null;
  const stroke = () => {
    const place = run && part(u, run.from, run.to),
      y = run && u.valToPos(run.threshold, "y", true);
    if (!place) return;
    const right = place[0] + place[1];
    ctx.beginPath();
    ctx.moveTo(Math.min(place[0], right - 4 * px), y);
    ctx.lineTo(right, y);
    ctx.stroke();
  };
  for (const c of d.cells) {
    if (run && c.threshold === run.threshold && c.from <= run.to) {
      run.to = c.to;
      continue;
    }
    stroke();
    run = c.threshold === null ? null : { ...c };
  }
  stroke();
  drawAlone(u, d.x, d.mean);
  if (d.other) {
    ctx.fillStyle = colour("second");
    drawAlone(u, d.other.x, d.other.mean);
  }
  ctx.restore();
}

// A line down from the shape of each mark, of those that would touch the worst with their number.
function drawEvents(u, d) {
  const { ctx, bbox } = u;
  const px = devicePixelRatio,
    rank = Object.keys(SHAPES),
    size = MARK_PX * px;
  const places = d.marks
    .map((m) => ({ ...m, x: u.valToPos(m.t, "x", true), n: 1 }))
    .filter((m) => m.x >= bbox.left && m.x <= bbox.left + bbox.width);
  const near = [];
  for (const m of places) {
    const last = near.at(-1);
    if (!last || m.x - last.x > size * 1.3) {
      near.push(m);
      continue;
    }
    last.n += 1;
    if (rank.indexOf(m.shape) < 2) last.shape = last.shape === "fault" ? "fault" : m.shape;
  }
  ctx.save();
  ctx.lineWidth = px;
  ctx.font = `${11 * px}px ${FONT.slice(FONT.indexOf(" ") + 1)}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const m of near) {
    const [path, tone] = SHAPES[m.shape],
      x = Math.round(m.x) + 0.5;
    ctx.strokeStyle = ctx.fillStyle = colour(tone);
    ctx.setLineDash([px, 3 * px]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.save();
    ctx.translate(x - size / 2, bbox.top - size - 3 * px);
    ctx.scale(size / 12, size / 12);
    ctx.fill(new Path2D(path));
    ctx.restore();
    if (m.n > 1) ctx.fillText(String(m.n), x + size * 0.7, bbox.top - size / 2 - 3 * px);
  }
  ctx.restore();
}

function yRange(d, low, high) {
  if (d.limits) return d.limits;
  if (low === null) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

// All that is drawn over one list of times: a second machine has its own.
function columnsOf(d) {
  const own = [d.x, d.max, d.min, d.mean, d.threshold];
  return d.other ? window.uPlot.join([own, [d.other.x, d.other.mean]]) : [...own, d.x.map(() => null)];
}

// `events.cursor(t)`: a time that is pointed at, null for none. `events.zoom(from, to)`: a time that is to fill the plot.
export function trendPlot(box, write, events) {
  let chart = null,
    data = null;

  function options() {
    const axis = {
      stroke: colour("soft"),
      grid: { stroke: colour("line"), width: 1 },
      font: FONT,
      labelFont: FONT,
      labelSize: 18,
      labelGap: 2,
    };
    // Drawn as the edges of a band, or by a hook; a scale is made of all.
    const unseen = { points: { show: false }, width: 0 };
    return {
      width: Math.max(box.clientWidth, 200),
      height: !data.numbers ? STATES_HEIGHT : box.clientWidth < NARROW_PX ? NARROW_HEIGHT : HEIGHT,
      padding: [MARK_PX + 7, MARK_PX, 0, null],
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, y: false, points: { size: 6, fill: colour("ink") } },
      scales: { x: { range: () => [data.from, data.to] }, y: { range: (u, low, high) => yRange(data, low, high) } },
      axes: [
        {
          ...axis,
          label: data.xName,
          ticks: { show: false },
          gap: STRIP_PX + 4,
          size: STRIP_PX + 36,
          space: tickRoom,
          values: TIMES,
        },
        {
          ...axis,
          label: data.numbers ? data.yName : null,
          ticks: { show: false },
          size: 48,
          space: 22,
          grid: { ...axis.grid, show: data.numbers },
          values: (u, splits) => splits.map((v) => (data.numbers ? write(v) : "")),
        },
      ],
      series: [
        {},
        unseen,
        unseen,
        { points: { show: false }, stroke: colour("accent"), width: 1.5 },
        unseen,
        { points: { show: false }, stroke: colour("second"), width: 2, dash: [2, 3] },
      ],
      bands: [{ series: [1, 2], fill: colour("accent-soft") }],
      hooks: {
        drawClear: [(u) => drawAbsence(u, data)],
        draw: [
          (u) => {
            drawThreshold(u, data);
            drawStates(u, data);
            drawEvents(u, data);
          },
        ],
        setCursor: [(u) => events.cursor(u.cursor.idx === null || u.cursor.left < 0 ? null : u.data[0][u.cursor.idx])],
        setSelect: [
          (u) => {
            if (u.select.width < 6) return;
            const [from, to] = [u.select.left, u.select.left + u.select.width].map((x) => u.posToVal(x, "x"));
            u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            events.zoom(from, to);
          },
        ],
      },
    };
  }

  function make() {
    chart?.destroy();
    chart = new window.uPlot(options(), columnsOf(data), box);
    chart.over.addEventListener("dblclick", () => events.zoom(null, null));
  }

  new ResizeObserver(() => chart && Math.abs(chart.width - box.clientWidth) > 1 && make()).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && make());

  return {
    show(next) {
      const same = data && data.numbers === next.numbers;
      data = next;
      if (!chart || !same) make();
      else chart.setData(columnsOf(data));
    },
    canvas: () => chart?.ctx.canvas ?? null,
    // Points at a time without an event.
    point(t) {
      chart?.setCursor(t === null ? { left: -10, top: -10 } : { left: chart.valToPos(t, "x"), top: 10 }, false);
    },
  };
}
