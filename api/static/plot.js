// Draws values over frequency or time with uPlot: the curve, the noise floor, a second curve, bands of expected lines
// with their names, cursors. Knows nothing of where they come from.

import { el } from "./common.js";
import { colour } from "./trendplot.js";

const ROW = 15;
const MAX_ROWS = 5;
const HEIGHT = Math.min(380, Math.max(230, innerHeight - 640));
const NARROW_PX = 560,
  NARROW_HEIGHT = 210,
  NARROW_ROWS = 2;

export const TONES = { found: "fault-text", expected: "accent", other: "soft" };

// The range of y: all of it, with room above for the names of lines.
function yRange(d) {
  return (u, low, high) => {
    if (low === null) return [0, 1];
    const values = d.marks.flatMap((m) => [m.y, m.baseline]).filter((v) => v !== null && v !== undefined);
    // A dip between two bins of noise is no level: the axis begins a little below the floor.
    const floor = d.floor?.filter((v) => v !== null) ?? [];
    if (floor.length) low = Math.max(low, Math.min(...floor) - d.below);
    low = Math.min(low, ...values);
    high = Math.max(high, ...values);
    const span = high - low || Math.abs(high) || 1;
    const rows = d.marks.length ? Math.min(d.rows, 4) : 0;
    return [d.fromZero ? 0 : low - span * 0.04, high + span * (0.05 + ((rows * ROW) / d.height) * 1.3)];
  };
}

function drawBands(u, d) {
  const { ctx, bbox } = u;
  ctx.save();
  for (const m of d.marks) {
    const from = u.valToPos(m.low, "x", true),
      to = u.valToPos(m.high, "x", true);
    const left = Math.max(from, bbox.left),
      right = Math.min(Math.max(to, from + devicePixelRatio), bbox.left + bbox.width);
    if (right <= left) continue;
    ctx.globalAlpha = m.tone === "other" ? 0.1 : 0.2;
    ctx.fillStyle = colour(TONES[m.tone]);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

// A vertical line inside the plot; false where it lies outside.
function vertical(u, x, dash) {
  const { ctx, bbox } = u;
  const at = Math.round(u.valToPos(x, "x", true)) + 0.5;
  if (at < bbox.left || at > bbox.left + bbox.width) return false;
  ctx.setLineDash(dash.map((n) => n * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  return true;
}

// The names of lines, the first ones first, in rows from `top` on: what has no room in them has none.
export function placeNames(u, marks, rows, rowPx, top) {
  const { ctx, bbox } = u,
    px = devicePixelRatio,
    ends = [];
  for (const m of [...marks].sort((a, b) => a.rank - b.rank || a.x - b.x)) {
    const x = u.valToPos(m.x, "x", true),
      wide = ctx.measureText(m.name).width;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const left = Math.min(Math.max(x - wide / 2, bbox.left + 2 * px), bbox.left + bbox.width - wide - 2 * px);
    const row = [...Array(rows).keys()].find((r) => !(ends[r] ?? []).some(([a, b]) => left < b && left + wide > a));
    if (row === undefined) continue;
    (ends[row] ??= []).push([left - 9 * px, left + wide + 9 * px]);
    ctx.fillStyle = colour(TONES[m.tone]);
    ctx.fillText(m.name, left, top + row * rowPx * px);
  }
}

function drawMarks(u, d) {
  const { ctx, bbox } = u;
  const px = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${12 * px}px ui-sans-serif, system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  for (const m of [...d.marks].sort((a, b) => a.rank - b.rank || a.x - b.x)) {
    ctx.strokeStyle = ctx.fillStyle = colour(TONES[m.tone]);
    ctx.lineWidth = px;
    if (m.y !== null && m.foundX !== null) {
      const x = u.valToPos(m.foundX, "x", true),
        y = u.valToPos(m.y, "y", true);
      ctx.setLineDash([]);
      ctx.beginPath();
      ctx.arc(x, y, (m.tone === "found" ? 4.5 : 3.5) * px, 0, 7);
      m.tone === "found" ? ctx.fill() : ctx.stroke();
      if (m.baseline !== null) {
        const base = u.valToPos(m.baseline, "y", true);
        ctx.lineWidth = 2 * px;
        ctx.beginPath();
        ctx.moveTo(x - 8 * px, base);
        ctx.lineTo(x + 8 * px, base);
        ctx.stroke();
        ctx.lineWidth = px;
      }
    }
  }
  placeNames(u, d.marks, d.rows, ROW, bbox.top + 3 * px);
  ctx.strokeStyle = colour("ink");
  ctx.lineWidth = px;
  ctx.globalAlpha = 0.75;
  for (const c of d.cursors) vertical(u, c.x, c.strong ? [] : [4, 3]);
  ctx.restore();
}

export function plot(box, events) {
  let chart = null,
    data = null,
    drawn = "";

  function options() {
    const width = Math.max(box.clientWidth, 240);
    const narrow = width < NARROW_PX;
    [data.height, data.rows] = narrow ? [NARROW_HEIGHT, NARROW_ROWS] : [HEIGHT, MAX_ROWS];
    const axis = {
      stroke: colour("soft"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { stroke: colour("line"), width: 1 },
      font: "12px ui-sans-serif, system-ui, sans-serif",
      labelFont: "12px ui-sans-serif, system-ui, sans-serif",
      labelSize: 18,
      labelGap: 2,
    };
    return {
      width,
      height: data.height,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, y: false, points: { size: 8, fill: colour("ink") } },
      select: { show: true },
      scales: {
        x: { time: false, range: (u, low, high) => [data.low ?? low, data.high ?? high] },
        y: { range: (u, low, high) => yRange(data)(u, low, high) },
      },
      axes: [
        { ...axis, label: data.xName, size: 34 },
        { ...axis, label: data.yName, size: narrow ? 44 : 56 },
      ],
      series: [
        {},
        { stroke: colour("accent"), width: 1, points: { show: false } },
        { stroke: colour("soft"), width: 1, dash: [5, 4], points: { show: false } },
        { stroke: colour("second"), width: 1, points: { show: false } },
      ],
      hooks: {
        drawClear: [(u) => drawBands(u, data)],
        draw: [(u) => drawMarks(u, data)],
        setCursor: [(u) => events.read(own(u.cursor.idx))],
        setSelect: [
          (u) => {
            if (u.select.width < 4) return;
            const [low, high] = [u.select.left, u.select.left + u.select.width].map((x) => u.posToVal(x, "x"));
            u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            events.zoom(low, high);
          },
        ],
      },
    };
  }

  function make() {
    chart?.destroy();
    chart = new window.uPlot(options(), columns(), box);
    chart.over.addEventListener("dblclick", () => events.zoom(null, null));
    chart.over.addEventListener(
      "click",
      () => (chart.cursor.idx ?? null) !== null && events.pick(own(chart.cursor.idx)),
    );
  }

  // All is drawn over one list of x: a second curve has its own.
  const none = () => data.x.map(() => null);
  const columns = () => {
    const first = [data.x, data.y, data.floor ?? none()];
    return data.over ? window.uPlot.join([first, [data.over.x, data.over.y]]) : [...first, none()];
  };
  // The point of the first curve that is nearest to one of that list.
  function own(idx) {
    if (idx === null || idx === undefined || !data.over) return idx;
    const x = chart.data[0][idx],
      next = data.x.findIndex((v) => v >= x);
    if (next <= 0) return next ? data.x.length - 1 : 0;
    return x - data.x[next - 1] < data.x[next] - x ? next - 1 : next;
  }

  function move(step) {
    if (!chart || !data.x.length) return;
    const at = own(chart.cursor.idx) ?? Math.floor(data.x.length / 2);
    const idx = Math.min(Math.max(at + step, 0), data.x.length - 1);
    chart.setCursor({ left: chart.valToPos(data.x[idx], "x"), top: 10 });
  }

  new ResizeObserver(() => chart && Math.abs(chart.width - box.clientWidth) > 1 && make()).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && make());

  return {
    move,
    show(next) {
      data = { ...next, height: data?.height, rows: data?.rows };
      const frame = [data.xName, data.yName].join("|");
      if (!chart || frame !== drawn) {
        drawn = frame;
        make();
      } else chart.setData(columns());
    },
    clear(text) {
      chart?.destroy();
      chart = null;
      drawn = "";
      box.replaceChildren(el("p", { class: "blank" }, text));
    },
    replace(node) {
      chart?.destroy();
      chart = null;
      drawn = "";
      box.replaceChildren(node);
    },
    canvas: () => chart?.ctx.canvas ?? null,
    ready() {
      if (!chart) box.replaceChildren();
    },
  };
}
