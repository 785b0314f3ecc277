// Makes GitHub's OpenAPI description small: what is for readers (descriptions, examples, links) goes,
// what a validator needs stays, and of the schemas only those that can be reached.
//
//   node reduce.mjs IN OUT
//
// REST (`paths`):     {info, paths: {template: {method: operation}}, components}
// webhooks:           {info, webhooks: {name: {headers, schema}}, components}
import { readFileSync, writeFileSync } from "node:fs";

const [, , from, to] = process.argv;
const whole = JSON.parse(readFileSync(from, "utf8"));

// For readers only. `x-multi-segment` stays: it marks the parameters that may hold slashes.
const DROPPED = new Set([
  "description", "summary", "title", "example", "examples", "externalDocs", "tags", "headers", "servers",
  "deprecated", "x-github", "x-octokit", "x-github-breaking-changes", "x-deprecation-details",
]);
// The keys below these are names, not keywords.
const NAMES = new Set(["properties", "patternProperties", "schemas", "parameters", "responses", "content"]);

function strip(node, names = false) {
  if (Array.isArray(node)) return node.map((entry) => strip(entry));
  if (node === null || typeof node !== "object") return node;
  const kept = {};
  for (const [key, value] of Object.entries(node)) {
    if (!names && DROPPED.has(key)) continue;
    kept[key] = strip(value, !names && NAMES.has(key));
  }
  return kept;
}

// Follows `$ref`s from `roots`, and keeps of the components what they lead to.
function reachable(roots, components) {
  const kept = {};
  const waiting = [roots];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (node === null || typeof node !== "object") continue;
    if (typeof node.$ref === "string") {
      const [, , kind, name] = node.$ref.split("/");
      kept[kind] ??= {};
      if (!(name in kept[kind])) {
        kept[kind][name] = components[kind][name];
        waiting.push(kept[kind][name]);
      }
    }
    waiting.push(...Object.values(node));
  }
  return kept;
}

const METHODS = new Set(["get", "put", "post", "patch", "delete", "head"]);
const stripped = { components: strip(whole.components), info: { version: whole.info.version } };

if (whole.paths) {
  stripped.paths = {};
  for (const [path, item] of Object.entries(whole.paths)) {
    const shared = item.parameters ?? [];
    stripped.paths[path] = {};
    for (const [method, operation] of Object.entries(item)) {
      if (!METHODS.has(method)) continue;
      const { operationId, parameters = [], requestBody, responses } = operation;
      stripped.paths[path][method] = {
        operationId,
        parameters: strip([...shared, ...parameters]),
        ...(requestBody && { requestBody: strip(requestBody) }),
        responses: strip(responses, true),
      };
    }
  }
  stripped.components = reachable(stripped.paths, stripped.components);
} else {
  stripped.webhooks = {};
  for (const [name, item] of Object.entries(whole.webhooks)) {
    stripped.webhooks[name] = {
      headers: item.post.parameters.filter((p) => p.in === "header" && p.required).map((p) => p.name),
      schema: strip(item.post.requestBody.content["application/json"].schema),
    };
  }
  stripped.components = reachable(stripped.webhooks, stripped.components);
}

writeFileSync(to, JSON.stringify(stripped));
