// Figures of the cluster over time, drawn with uPlot: two lines each, gaps as gaps.

import { byId, count, el, get, latency, num, put } from "./common.js";
import { locale, t } from "./texts.js";

const HOUR = 3600,
  DAY = 86_400;
const POINTS = 400;
const HEIGHT = 190;
// A pause longer than this many usual ones is a gap.
const GAP = 3;
export const RANGES = { hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY };
const SHOWN = [
  { name: "throughput", show: (v) => [num(v, 1), t("cluster.windows_per_s")], lines: ["throughput", "ingest_rate"] },
  {
    name: "latency_over_time",
    show: (v) => latency(v),
    tick: (v, longest) => latency(v, longest, 2),
    lines: ["latency_p50_ms", "latency_p95_ms"],
  },
  { name: "backlog", show: (v) => [count(Math.round(v)), t("cluster.windows")], lines: ["backlog", "in_flight"] },
];
const plain = (v) => [num(v, 2)];
const DASHES = [[], [6, 4]];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const range = () => {
  const name = new URLSearchParams(location.search).get("range");
  return RANGES[name] ? name : "hour";
};

export async function historyOf() {
  const to = Date.now() / 1000,
    from = to - RANGES[range()];
  const query = new URLSearchParams({ from_t: from.toFixed(3), to_t: to.toFixed(3), points: POINTS });
  const { data } = await get(`/api/v1/cluster/history?${query}`);
  return { data, from, to };
}

// Columns over all times at which one of the lines has a value; null in its gaps.
function columnsOf(data, lines) {
  const times = [...new Set(lines.flatMap((name) => data.series[name]?.t ?? []))].sort((a, b) => a - b);
  const values = lines.map((name) => {
    const s = data.series[name];
    const at = new Map(s ? s.t.map((x, i) => [x, s.mean[i]]) : []);
    return times.map((x) => (at.has(x) ? at.get(x) : undefined));
  });
  const pauses = times
    .slice(1)
    .map((x, i) => x - times[i])
    .sort((a, b) => a - b);
  const usual = pauses[pauses.length >> 1] ?? 1;
  const x = [],
    columns = values.map(() => []);
  times.forEach((time, i) => {
    if (i && time - times[i - 1] > GAP * usual) {
      x.push((time + times[i - 1]) / 2);
      for (const c of columns) c.push(null);
    }
    x.push(time);
    columns.forEach((c, k) => c.push(values[k][i]));
  });
  return [x, ...columns];
}

function figure({ name, show, tick = plain, lines }) {
  const read = el("p", { class: "trendread small" });
  const box = el("div", { class: "plot trend", role: "img" });
  byId("plots").append(el("figure", { class: "trendbox" }, el("h3", {}, t(`cluster.${name}`)), read, box));
  let chart = null,
    columns = null,
    span = [0, 1];

  const options = () => {
    const axis = {
      stroke: colour("soft"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "12px ui-sans-serif, system-ui, sans-serif",
    };
    const time = (v) =>
      new Date(1000 * v).toLocaleString(
        locale,
        range() === "hour" || range() === "day"
          ? { hour: "2-digit", minute: "2-digit" }
          : { day: "numeric", month: "short" },
      );
    return {
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, y: false, points: { size: 6 } },
      scales: { x: { range: () => span }, y: { range: (u, low, high) => [0, high ? high * 1.1 : 1] } },
      axes: [
        { ...axis, size: 30, space: 90, values: (u, splits) => splits.map(time) },
        {
          ...axis,
          size: 60,
          space: 32,
          values: (u, splits) => splits.map((v) => tick(v, splits.at(-1)).join("\u00a0")),
        },
      ],
      series: [
        {},
        ...lines.map((_, i) => ({
          stroke: colour(i ? "warning-ink" : "accent"),
          width: 1.6,
          dash: DASHES[i],
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [(u) => write(u.cursor.idx === null || u.cursor.left < 0 ? null : u.cursor.idx)] },
    };
  };

  // What the cursor stands on, or the last of all; the dash is that of the line.
  function write(at) {
    const i = at ?? columns[0].findLastIndex((_, k) => columns.slice(1).some((c) => typeof c[k] === "number"));
    const value = (v) => (v === null || v === undefined ? "–" : show(v).join("\u00a0"));
    put(
      read,
      i < 0
        ? t("cluster.nothing_recorded")
        : [
            el(
              "span",
              { class: "soft" },
              `${new Date(1000 * columns[0][i]).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" })} · `,
            ),
            lines.flatMap((line, k) => [
              k ? " · " : "",
              el("span", { class: k ? "line2" : "line1" }, `${k ? "┄" : "─"} ${t(`cluster.line_${line}`)}: `),
              el("b", {}, value(columns[k + 1][i])),
            ]),
          ].flat(),
    );
    box.setAttribute("aria-label", read.textContent);
  }

  const make = () => {
    chart?.destroy();
    chart = new window.uPlot(options(), columns, box);
  };
  new ResizeObserver(() => chart && Math.abs(chart.width - box.clientWidth) > 1 && make()).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && make());
  return {
    show(data, from, to) {
      columns = columnsOf(data, lines);
      span = [from, to];
      if (chart) chart.setData(columns);
      else make();
      if (chart.cursor.idx === null || chart.cursor.left < 0) write(null);
    },
  };
}

let made = null;
export const figures = () => (made ??= SHOWN.map(figure));
