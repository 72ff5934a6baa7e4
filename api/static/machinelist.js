// The list of the fleet: of thousands of machines only those in sight are in the document, and are asked for.

import { byId, count, el, glyph, put } from "./common.js";
import { fillRow, trendOf, trendText } from "./machinerow.js";
import { STATES, wanted } from "./fleetfilter.js";
import { t } from "./texts.js";

const BEYOND = 6;
const MOST = 100;
const GROUP_HEIGHT = 36;

const rows = new Map();
const nodes = new Map();
const trends = new Map();
let total = 0;
let groups = [];
let rowHeight = 58;
let ask = () => {};
let choosePath = () => {};

// Where in the list a machine or a group stands, in pixels.
const top = (index) => index * rowHeight + groupsUntil(index) * GROUP_HEIGHT;
const groupsUntil = (index) => {
  let low = 0,
    high = groups.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (groups[middle].start <= index) low = middle + 1;
    else high = middle;
  }
  return low;
};
function indexAt(y) {
  let low = 0,
    high = total;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (top(middle) + rowHeight <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inSight() {
  const list = byId("list");
  const y = Math.max(list.scrollTop, 0);
  return [indexAt(y), Math.min(indexAt(y + list.clientHeight) + 1, total)];
}

// Which part of the list is in sight, with some rows beyond.
export function part() {
  const list = byId("list");
  const fits = Math.ceil((list.clientHeight || innerHeight) / rowHeight);
  const offset = Math.max(inSight()[0] - BEYOND, 0);
  return { offset, limit: Math.min(fits + 2 * BEYOND + 1, MOST) };
}

export const idsInSight = () => {
  const [first, end] = inSight();
  return Array.from({ length: end - first }, (_, i) => rows.get(first + i)?.machine_id).filter(Boolean);
};

export function setUp(options) {
  ({ ask, choosePath } = options);
  const list = byId("list");
  list.addEventListener(
    "scroll",
    () => {
      draw();
      if (hasHoles()) ask();
    },
    { passive: true },
  );
  list.addEventListener("keydown", moveFocus);
  new ResizeObserver(() =>
    requestAnimationFrame(() => {
      measure();
      draw();
      if (hasHoles()) ask();
    }),
  ).observe(list);
  measure();
}
const measure = () => {
  rowHeight = parseFloat(getComputedStyle(byId("list")).getPropertyValue("--row")) || rowHeight;
};

const hasHoles = () => {
  const [first, end] = inSight();
  for (let i = first; i < end; i += 1) if (!rows.has(i)) return true;
  return false;
};

export function showPart(fleet) {
  total = fleet.matching;
  groups = fleet.groups;
  rows.clear();
  fleet.rows.forEach((m, i) => rows.set(fleet.offset + i, m));
  byId("list").setAttribute("aria-rowcount", String(total + 1));
  for (const hole of byId("rows").querySelectorAll(".first")) hole.remove();
  draw();
  return hasHoles();
}

// To the beginning: what is wanted has changed, and with it the list.
export function toBeginning() {
  byId("list").scrollTop = 0;
}

export function showTrends(found) {
  for (const [id, trend] of Object.entries(found)) trends.set(id, trend);
  draw();
}
export const forgetTrends = () => trends.clear();

// Nodes are kept and moved as little as may be, so that focus and hover survive.
function draw() {
  const body = byId("rows");
  body.style.height = `${total ? top(total - 1) + rowHeight : 0}px`;
  const [first, end] = inSight();
  const from = Math.max(first - BEYOND, 0),
    until = Math.min(end + BEYOND, total);
  const kept = new Set();
  const inOrder = [];
  groups.forEach((g, i) => {
    if (g.start + g.machines > from && g.start < until)
      inOrder.push(
        place(
          `group ${g.name}`,
          g.start * rowHeight + i * GROUP_HEIGHT,
          (node) => fillGroup(node, g),
          kept,
          JSON.stringify(g),
        ),
      );
    for (let k = Math.max(from, g.start); k < Math.min(until, g.start + g.machines); k += 1)
      inOrder.push(placeRow(k, kept));
  });
  if (!groups.length) for (let k = from; k < until; k += 1) inOrder.push(placeRow(k, kept));
  const focused = document.activeElement?.closest?.("[role=row]");
  for (const [key, node] of nodes) {
    if (kept.has(key)) continue;
    // Who reads a machine keeps it, wherever the order has taken it meanwhile.
    if (node === focused) {
      node.classList.add("away");
      continue;
    }
    node.remove();
    nodes.delete(key);
  }
  inOrder.forEach((node, i) => {
    node.classList.remove("away");
    if (node === focused) return;
    const after = inOrder[i - 1];
    if (after ? after.nextSibling !== node : body.firstChild !== node) after ? after.after(node) : body.prepend(node);
  });
}

function place(key, y, fill, kept, shown) {
  kept.add(key);
  let node = nodes.get(key);
  if (!node) nodes.set(key, (node = el("div", { role: "row" })));
  if (node.dataset.shown !== shown) {
    node.dataset.shown = shown;
    fill(node);
  }
  node.style.transform = `translateY(${y}px)`;
  return node;
}

function placeRow(index, kept) {
  const m = rows.get(index);
  const y = top(index);
  if (!m)
    return place(
      `hole ${index}`,
      y,
      (node) => {
        node.className = "machine hole";
        node.setAttribute("aria-busy", "true");
      },
      kept,
      "",
    );
  const node = place(m.machine_id, y, (n) => fillRow(n, m, choosePath), kept, JSON.stringify(m));
  node.setAttribute("aria-rowindex", String(index + 2));
  node.dataset.index = index;
  const trend = trends.get(m.machine_id),
    cell = node.querySelector(".trendcell");
  if (cell.trend !== trend) {
    cell.trend = trend;
    put(cell, trend ? trendOf(trend, trendText(trend, wanted.span)) : []);
  }
  return node;
}

function fillGroup(node, g) {
  const key = wanted.group === "site" ? "fleet.no_site" : "fleet.no_path";
  node.className = "group";
  put(
    node,
    el(
      "div",
      { role: "rowheader" },
      el("b", {}, g.name ? g.name.replaceAll("/", " / ") : t(key)),
      el("span", { class: "soft small" }, count(g.machines)),
      g.silent ? el("span", { class: "state word warning small" }, t("fleet.silent_count", { n: g.silent })) : null,
      STATES.filter((s) => g.states[s] && s !== "normal").map((s) =>
        el("span", { class: `state word small ${s}` }, glyph(s), count(g.states[s])),
      ),
    ),
  );
}

function moveFocus(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  const node = document.activeElement?.closest?.(".machine");
  if (!(event.key in steps) || !node || event.target.tagName !== "A") return;
  const index = Number(node.dataset.index) + steps[event.key];
  if (index < 0 || index >= total) return;
  event.preventDefault();
  const list = byId("list"),
    room = list.clientHeight - rowHeight - byId("columns").offsetHeight;
  if (top(index) < list.scrollTop) list.scrollTop = top(index) - GROUP_HEIGHT;
  else if (top(index) > list.scrollTop + room) list.scrollTop = top(index) - room;
  draw();
  nodes.get(rows.get(index)?.machine_id)?.querySelector("a").focus({ preventScroll: true });
}
