// Draws several curves over one axis, each on its own ground line, with uPlot: a waterfall. What is nearer covers what
// is behind it. Knows nothing of where they come from.

import { svg } from "./common.js";
import { TONES, placeNames } from "./plot.js";
import { colour } from "./trendplot.js";
import { t } from "./texts.js";

const FONT = "12px ui-sans-serif, system-ui, sans-serif";
const NAME_ROWS = 3,
  ROW_PX = 15;
const LABEL_PX = 15,
  NARROW_PX = 560;
// So high is one row, and what the highest peak reaches, in rows: few stand apart, many as a field.
const rowPx = (n) => Math.max(14, Math.min(n === 1 ? 170 : 90, 420 / n));
const reach = (n) => (n < 2 ? 1 : n < 5 ? 1.4 : n < 12 ? 2.2 : 3.5);
const MARGIN = 0.12;

export function waterfallPlot(box, events) {
  let chart = null,
    d = null,
    at = null,
    traced = null;

  const y = (r, level) => r + Math.max(level - d.base, 0) / d.perRow;

  function drawRows(u) {
    const { ctx, bbox } = u,
      px = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height);
    ctx.clip();
    d.rows.forEach((row, r) =>
      row.marks.forEach((m) => {
        const [x, top] = [u.valToPos(m.x, "x", true), u.valToPos(y(r, m.level), "y", true)];
        ctx.strokeStyle = ctx.fillStyle = colour(TONES[m.tone]);
        ctx.lineWidth = px;
        ctx.beginPath();
        ctx.arc(x, top, (m.tone === "found" ? 3.2 : 2.6) * px, 0, 7);
        m.tone === "found" ? ctx.fill() : ctx.stroke();
      }),
    );
    ctx.font = `${12 * px}px ${FONT.slice(FONT.indexOf(" ") + 1)}`;
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    placeNames(u, d.names, NAME_ROWS, ROW_PX, bbox.top - (NAME_ROWS * ROW_PX + 2) * px);
    ctx.restore();
    drawBar(u);
  }

  // How much a height is.
  function drawBar(u) {
    const { ctx, bbox } = u,
      px = devicePixelRatio;
    const high = Math.abs(u.valToPos(0, "y", true) - u.valToPos(d.bar / d.perRow, "y", true)),
      x = bbox.left + bbox.width + 7 * px,
      bottom = bbox.top + bbox.height;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("soft");
    ctx.lineWidth = px;
    ctx.beginPath();
    for (const [from, to] of [
      [
        [x, bottom],
        [x, bottom - high],
      ],
      [
        [x - 3 * px, bottom],
        [x + 3 * px, bottom],
      ],
      [
        [x - 3 * px, bottom - high],
        [x + 3 * px, bottom - high],
      ],
    ]) {
      ctx.moveTo(...from);
      ctx.lineTo(...to);
    }
    ctx.stroke();
    ctx.font = `${12 * px}px ${FONT.slice(FONT.indexOf(" ") + 1)}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.fillText(t("bench.scale_bar", { n: d.bar }), x + 6 * px, bottom - high / 2);
    ctx.restore();
  }

  // Labels of ground lines, of many each second or third one.
  const labelled = () => {
    const each = Math.ceil(LABEL_PX / rowPx(d.rows.length));
    return d.rows.map((_, r) => r).filter((r) => (d.rows.length - 1 - r) % each === 0);
  };

  function options() {
    const width = Math.max(box.clientWidth, 240),
      narrow = width < NARROW_PX,
      n = d.rows.length;
    const axis = {
      stroke: colour("soft"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: FONT,
      labelFont: FONT,
      labelSize: 18,
      labelGap: 2,
    };
    const top = Math.max(...d.rows.map((row, r) => y(r, row.highest))) + MARGIN;
    return {
      width,
      height: Math.round((top + MARGIN) * rowPx(n)) + NAME_ROWS * ROW_PX + 60,
      padding: [NAME_ROWS * ROW_PX + 6, 52, 0, null],
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, y: false, points: { show: false } },
      scales: { x: { time: false, range: () => [d.low, d.high] }, y: { range: () => [-MARGIN, top] } },
      axes: [
        { ...axis, label: d.xName, size: 34 },
        {
          ...axis,
          label: d.yName,
          size: narrow ? d.narrowPx : d.labelPx,
          grid: { ...axis.grid, show: false },
          splits: labelled,
          values: (u, splits) => splits.map((r) => (narrow ? d.rows[r].short : d.rows[r].label)),
        },
      ],
      // The uppermost first, so that each covers those behind it.
      series: [
        {},
        ...d.rows
          .map((_, i) => n - 1 - i)
          .map((r) => ({
            stroke: colour("accent"),
            width: 1,
            fill: colour("panel"),
            fillTo: () => r,
            points: { show: false },
          })),
      ],
      hooks: {
        draw: [drawRows],
        setCursor: [
          (u) => {
            const { idx, left, top: down } = u.cursor;
            if (idx === null || idx === undefined || left < 0) return focus(null);
            if (down >= 0) {
              const v = u.posToVal(down, "y");
              focus(nearest(idx, v));
            }
            return at !== null && events.read(at, idx);
          },
        ],
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

  function nearest(idx, v) {
    const far = (r) => Math.abs(y(r, d.rows[r].levels[idx] ?? d.base) - v);
    return d.rows.reduce((best, _, r) => (far(r) < far(best) ? r : best), 0);
  }

  // The curve that is read is drawn once more, over those before it.
  function focus(r) {
    if (r === at) return;
    at = r;
    let pen = "M";
    const place = (level, i) => {
      const path =
        level === null
          ? ""
          : `${pen}${chart.valToPos(d.x[i], "x").toFixed(1)} ${chart.valToPos(y(r, level), "y").toFixed(1)}`;
      pen = level === null ? "M" : "L";
      return path;
    };
    traced.setAttribute("d", r === null ? "" : d.rows[r].levels.map(place).join(""));
  }

  function make() {
    chart?.destroy();
    at = null;
    box.replaceChildren();
    const columns = d.rows.map((row, r) => row.levels.map((v) => (v === null ? null : y(r, v)))).reverse();
    chart = new window.uPlot(options(), [d.x, ...columns], box);
    chart.over.append(svg("svg", { class: "traced", "aria-hidden": "true" }, (traced = svg("path"))));
    chart.over.addEventListener("dblclick", () => events.zoom(null, null));
  }

  new ResizeObserver(() => chart && Math.abs(chart.width - box.clientWidth) > 1 && make()).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && make());

  return {
    show(next) {
      d = next;
      const highest = Math.max(...d.rows.map((row) => row.highest));
      d.perRow = Math.max((highest - d.base) / reach(d.rows.length), 1);
      d.bar = [60, 40, 20, 10, 5, 2, 1].find((v) => v / d.perRow <= Math.max(1, reach(d.rows.length) * 0.6)) ?? 1;
      make();
    },
    // Along the axis, and from curve to curve: by keys the cursor stays where it is in the other direction.
    move(step, rows) {
      if (!chart) return;
      const idx = Math.min(Math.max((chart.cursor.idx ?? Math.floor(d.x.length / 2)) + step, 0), d.x.length - 1);
      focus(Math.min(Math.max((at ?? d.rows.length) + rows, 0), d.rows.length - 1));
      chart.setCursor({ left: chart.valToPos(d.x[idx], "x"), top: -10 });
      events.read(at, idx);
    },
    canvas: () => chart?.ctx.canvas ?? null,
    clear() {
      chart?.destroy();
      chart = null;
    },
  };
}
