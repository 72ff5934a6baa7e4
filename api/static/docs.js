// Shows /openapi.json: operations with their parameters, shapes and a way to try them. No other host.

import { el, get, marked, put } from "./common.js";
import { t } from "./texts.js";

let schemas = {};
const key = el("input", {
  class: "field",
  type: "password",
  placeholder: t("docs.key_if_required"),
  "aria-label": t("docs.key"),
  autocomplete: "off",
});

const named = (ref) => ref.split("/").pop();
const resolve = (s) => (s?.$ref ? (schemas[named(s.$ref)] ?? {}) : (s ?? {}));

// A schema as indented text a person can read, with the descriptions as comments.
function shape(schema, depth = 0, seen = []) {
  if (schema.$ref) {
    const name = named(schema.$ref);
    return seen.includes(name) ? name : shape(resolve(schema), depth, [...seen, name]);
  }
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map((o) => shape(o, depth, seen)).join(" | ");
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return schema.items ? `[${shape(schema.items, depth, seen)}, …]` : "[…]";
  if (schema.properties) {
    const pad = "  ".repeat(depth + 1);
    const required = schema.required ?? [];
    const lines = Object.entries(schema.properties).map(
      ([name, s]) =>
        `${pad}"${name}"${required.includes(name) || !schema.required ? "" : "?"}: ${shape(s, depth + 1, seen)},${s.description ? `  // ${s.description}` : ""}`,
    );
    return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  if (schema.type === "object")
    return schema.additionalProperties && schema.additionalProperties !== true
      ? `{"…": ${shape(schema.additionalProperties, depth, seen)}}`
      : "{…}";
  return schema.type ?? "any";
}

function example(body) {
  if (!body) return null;
  const media = body.content["application/json"] ?? {};
  const schema = resolve(media.schema);
  return media.example ?? Object.values(media.examples ?? {})[0] ?? schema.examples?.[0] ?? schema.example ?? {};
}

function tryForm(path, method, operation) {
  const inputs = {};
  const rows = (operation.parameters ?? [])
    .filter((p) => p.in === "path" || p.in === "query")
    .map((p) => {
      inputs[p.name] = {
        in: p.in,
        box: el("input", {
          placeholder: p.in === "path" ? t("docs.required_value") : String(p.schema?.default ?? ""),
          required: p.in === "path",
        }),
      };
      return el("label", {}, el("code", {}, p.name), inputs[p.name].box);
    });
  const given = example(operation.requestBody);
  const body = given === null ? null : el("textarea", { "aria-label": t("docs.body"), spellcheck: "false" });
  if (body) body.value = JSON.stringify(given, null, 2);
  const answer = el("pre", { class: "code", hidden: true, "aria-live": "polite" });
  const send = async (event) => {
    event.preventDefault();
    let url = path;
    const query = new URLSearchParams();
    for (const [name, { in: where, box }] of Object.entries(inputs)) {
      if (where === "path") url = url.replace(`{${name}}`, encodeURIComponent(box.value));
      else if (box.value) query.set(name, box.value);
    }
    if (query.size) url += `?${query}`;
    const headers = { Accept: "application/json" };
    if (key.value) headers["X-API-Key"] = key.value;
    if (body) headers["Content-Type"] = "application/json";
    answer.hidden = false;
    put(answer, "…");
    try {
      const reply = await fetch(url, { method: method.toUpperCase(), headers, body: body?.value });
      const text = await reply.text();
      put(
        answer,
        `${method.toUpperCase()} ${url}\n${reply.status} ${reply.headers.get("content-type") ?? ""}\n\n${pretty(text)}`,
      );
    } catch (error) {
      put(answer, `${method.toUpperCase()} ${url}\n${error.message}`);
    }
  };
  return el(
    "form",
    { class: "form", onsubmit: send },
    rows,
    body,
    el("button", { class: "go" }, t("docs.send")),
    answer,
  );
}
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function card(path, method, operation) {
  const good = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
  const schema = good?.[1].content?.["application/json"]?.schema;
  const scopes = Object.values(operation.security?.[0] ?? {}).flat();
  const parameters = (operation.parameters ?? []).filter((p) => p.in !== "cookie" && p.in !== "header");
  const sent = operation.requestBody?.content["application/json"]?.schema;
  return el(
    "details",
    { class: "panel operation", id: operation.operationId },
    el(
      "summary",
      {},
      el("span", { class: `method ${method}` }, method.toUpperCase()),
      el("code", {}, path),
      el("span", { class: "soft" }, operation.summary ?? ""),
    ),
    el(
      "div",
      { class: "body" },
      operation.description ? el("p", {}, marked(operation.description)) : null,
      scopes.length
        ? el(
            "p",
            { class: "soft small" },
            t("docs.scopes", { scopes: scopes.reduce((first, second) => t("docs.or", { first, second })) }),
          )
        : null,
      parameters.length
        ? el(
            "div",
            { class: "scroll" },
            el(
              "table",
              {},
              el(
                "tbody",
                {},
                parameters.map((p) =>
                  el(
                    "tr",
                    {},
                    el("td", {}, el("code", {}, p.name)),
                    el("td", { class: "soft" }, p.required ? t("docs.required", { place: p.in }) : p.in),
                    el("td", {}, el("code", {}, shape(p.schema))),
                    el("td", {}, p.description ?? p.schema?.description ?? ""),
                  ),
                ),
              ),
            ),
          )
        : null,
      sent ? [el("h3", {}, t("docs.body")), el("pre", { class: "code" }, shape(sent))] : null,
      schema
        ? [el("h3", {}, t("docs.answer", { status: good[0] })), el("pre", { class: "code" }, shape(schema))]
        : null,
      el("h3", {}, t("docs.try_it")),
      tryForm(path, method, operation),
    ),
  );
}

function problems(codes) {
  return el(
    "section",
    { class: "panel", id: "problems" },
    el(
      "div",
      { class: "head" },
      el("h2", {}, t("docs.problems")),
      el("span", { class: "soft" }, t("docs.problems_note")),
    ),
    el(
      "div",
      { class: "scroll" },
      el(
        "table",
        {},
        el(
          "tbody",
          {},
          Object.entries(codes).map(([code, title]) =>
            el("tr", { id: code }, el("td", {}, el("code", {}, code)), el("td", {}, title)),
          ),
        ),
      ),
    ),
  );
}

const api = await get("/openapi.json");
schemas = api.components?.schemas ?? {};
const groups = {};
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods))
    (groups[operation.tags?.[0] ?? t("docs.other")] ??= []).push([path, method, operation]);
}
const entries = Object.entries(groups);
put(
  "list",
  el("label", { class: "small" }, t("docs.key"), key),
  entries
    .map(([tag, list]) => [
      el("b", {}, tag),
      list.map(([, , o]) => el("a", { href: `#${o.operationId}` }, o.summary ?? o.operationId)),
    ])
    .flat(2),
  el("b", {}, t("docs.errors")),
  el("a", { href: "#problems" }, t("docs.problem_codes")),
);
put(
  "content",
  el(
    "div",
    { class: "intro" },
    el("h1", {}, `${api.info.title} ${api.info.version}`),
    el("p", { class: "soft" }, marked(api.info.description)),
    el("p", {}, el("a", { href: "/openapi.json" }, "openapi.json")),
  ),
  entries.map(([tag, list]) =>
    el(
      "section",
      { class: "group" },
      el("h2", {}, tag),
      list.map(([p, m, o]) => card(p, m, o)),
    ),
  ),
  problems(api["x-problem-codes"] ?? {}),
);

function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.tagName === "DETAILS") target.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
