// The page of the cluster: what the processes do now, how it was, and the windows that could not be diagnosed.

import { ago, byId, bytes, count, el, faultName, get, latency, num, poll, put, unbroken } from "./common.js";
import { figures, historyOf, RANGES } from "./clusterplots.js";
import { drawAudit, setUpAudit } from "./audit.js";
import { drawLetters, setUpLetters } from "./deadletters.js";
import { drawOutage, drawStatus, meter, table } from "./system.js";
import { hasText, locale, rich, t } from "./texts.js";

const LOOPBACK = /^(localhost|127\..*|\[::1\])$/;
const HISTORY_MS = 10_000;
const order = new Intl.Collator(locale, { numeric: true }).compare;

let drawnAt = -Infinity;
let lettersOf = null;

const limitName = (limit) =>
  hasText(`cluster.limit_${limit}`) ? t(`cluster.limit_${limit}`) : t("fleet.queue", { name: limit });

function drawFigures(s) {
  const p = s.performance_metrics;
  put("rate", num(p.throughput, 1));
  put(
    "source",
    p.throughput_source
      ? t("cluster.source_age", { source: t(`cluster.source_${p.throughput_source}`), age: ago(p.throughput_age_s) })
      : t("cluster.rate_unknown", { reason: p.throughput_reason }),
  );
  byId("source").title = p.throughput_reason;
  put("ingest", num(p.ingest_rate, 1));
  put("arrived", t("cluster.arrived", { n: p.windows_in }));
  const [median, unit] = latency(p.latency_p50_ms);
  put("p50", median);
  put("p50unit", unit);
  put(
    "p95",
    p.latency_p95_ms === null
      ? t("cluster.latency_unknown")
      : t("cluster.latency_p95", { latency: latency(p.latency_p95_ms).join("\u00a0") }),
  );
  put("backlog", count(p.backlog));
  const raw = s.streams.motor_raw_data;
  put(
    "lag",
    raw.lag === null ? t(raw.group ? "cluster.lag_unknown" : "cluster.nothing_read") : t("cluster.lag", { n: raw.lag }),
  );
  put("room", s.capacity.room === null ? "–" : `+${count(s.capacity.room)}`);
  put(
    "roomwhy",
    s.capacity.room === null
      ? s.capacity.reason
      : unbroken(
          t("cluster.room_limit", {
            limit: limitName(s.capacity.limit),
            share: num(100 * s.capacity.used[s.capacity.limit], 0),
          }),
        ),
  );
  byId("roomwhy").title = s.capacity.reason;
  put("memory", s.server ? bytes(s.server.used_memory_bytes) : "–");
  put(
    "limit",
    s.server?.maxmemory_bytes
      ? t("cluster.memory_limit", { limit: bytes(s.server.maxmemory_bytes) })
      : t(s.server ? "cluster.no_limit" : "cluster.limit_unknown"),
  );
  put(
    "foot",
    t("cluster.foot", {
      done: p.windows_done,
      duplicates: p.windows_duplicate,
      refused: p.windows_refused,
      letters: s.streams.dead_letters.length,
    }),
    s.server ? ` · ${s.server.product} ${s.server.version}` : "",
  );
  // It listens on the loopback of its own host.
  const flower = byId("flower");
  flower.href = `${location.protocol}//${location.hostname}:${s.flower_port}/`;
  flower.hidden = !LOOPBACK.test(location.hostname);
}

function drawQueues(queues, used) {
  const columns = [
    [t("cluster.column_queue")],
    [t("cluster.column_waiting"), 1],
    [t("cluster.column_in_flight"), 1],
    [t("cluster.column_done"), 1],
    [t("cluster.column_dead"), 1],
    [t("cluster.column_workers"), 1],
    [t("cluster.column_busy"), 1],
  ];
  table(
    "queues",
    columns,
    Object.entries(queues).map(([name, q]) => [
      el("code", {}, name),
      count(q.waiting),
      count(q.in_flight),
      count(q.done),
      count(q.dead),
      q.workers ? String(q.workers) : el("b", { class: "word fault" }, t("cluster.no_workers")),
      name in used ? meter(100 * used[name]) : "–",
    ]),
  );
}

function drawWorkers(workers) {
  put("workercount", workers.length ? t("cluster.alive", { n: workers.length }) : "");
  if (!workers.length)
    return put(
      "workers",
      el(
        "tbody",
        {},
        el(
          "tr",
          {},
          el("td", { class: "soft" }, rich("cluster.no_worker_alive", { command: el("code", {}, "vtox up") })),
        ),
      ),
    );
  const columns = [
    [t("cluster.column_queue")],
    [t("cluster.column_host")],
    [t("cluster.column_pid"), 1],
    [t("cluster.column_cpu"), 1],
    [t("cluster.column_memory"), 1],
    [t("cluster.column_rate"), 1],
    [t("cluster.column_tasks"), 1],
    [t("cluster.column_last_task"), 1],
    [t("cluster.column_heartbeat"), 1],
  ];
  const rows = [...workers].sort((a, b) => order(a.queues.join() + a.name, b.queues.join() + b.name));
  table(
    "workers",
    columns,
    rows.map((w) => [
      el("code", { title: w.name }, w.queues.join(", ")),
      w.host,
      String(w.pid),
      meter(w.cpu_percent),
      bytes(w.memory_bytes),
      num(w.windows_per_s, 1),
      count(w.tasks_done),
      w.last_task_age_s === null
        ? t("cluster.no_task")
        : el(
            "span",
            { title: w.last_task },
            t("cluster.last_task", { family: faultName(w.last_family), age: ago(w.last_task_age_s) }),
          ),
      ago(w.last_seen_age_s),
    ]),
  );
}

// How it was: drawn anew every ten seconds, and at once when another time is chosen.
async function drawHistory() {
  drawnAt = performance.now();
  const { data, from, to } = await historyOf();
  put(
    "recorded",
    data.recorded_until_t === null
      ? t("cluster.no_history")
      : to - data.recorded_until_t > 60
        ? t("cluster.recorded_until", { time: new Date(1000 * data.recorded_until_t).toLocaleString(locale) })
        : "",
  );
  for (const figure of figures()) figure.show(data, from, to);
}

function drawRanges() {
  const chosen = new URLSearchParams(location.search).get("range") ?? "hour";
  put(
    "ranges",
    Object.keys(RANGES).map((name) =>
      el(
        "button",
        {
          type: "button",
          "data-range": name,
          "aria-pressed": String(name === chosen),
          onclick: (e) => {
            const address = new URL(location.href);
            address.searchParams.set("range", name);
            history.replaceState(null, "", address);
            for (const b of byId("ranges").children) b.setAttribute("aria-pressed", String(b === e.currentTarget));
            drawHistory().catch(() => {});
          },
        },
        t(`cluster.range_${name}`),
      ),
    ),
  );
}

drawRanges();
setUpLetters();
setUpAudit();
poll(async () => {
  try {
    const status = (await get("/api/v1/cluster/status")).data;
    const wrong = drawStatus(status);
    document.title = `${wrong ? "! " : ""}${t("cluster.title")} · VTOX`;
    drawFigures(status);
    drawQueues(status.queues, status.capacity.used);
    drawWorkers(status.workers);
    const letters = `${status.streams.dead_letters.length} ${status.performance_metrics.windows_dead} ${status.performance_metrics.windows_refused}`;
    if (letters !== lettersOf) {
      await drawLetters();
      lettersOf = letters;
    }
    if (performance.now() - drawnAt > HISTORY_MS) await Promise.all([drawHistory(), drawAudit()]);
    drawOutage(null);
  } catch (error) {
    lettersOf = null;
    drawOutage(error);
  }
});
