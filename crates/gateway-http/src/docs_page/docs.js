"use strict";
(() => {
  const base = location.pathname.replace(/\/docs\/?$/, "");
  const byId = (id) => document.getElementById(id);

  // Text from the document is only ever set as text.
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== null));
    return element;
  };

  const resolve = (api, schema) => {
    let at = schema ?? {};
    for (let step = 0; at.$ref && step < 8; step += 1) {
      at = at.$ref.slice(2).split("/").reduce((node, key) => node?.[key], api) ?? {};
    }
    return at;
  };

  const variants = (schema) => (schema.oneOf ?? schema.anyOf ?? []).filter((one) => one.type !== "null");

  const typeName = (api, schema) => {
    if (!schema) return "";
    if (schema.$ref) {
      const target = resolve(api, schema);
      return target.enum ? target.enum.join(" | ") : schema.$ref.split("/").pop();
    }
    if (schema.enum) return schema.enum.join(" | ");
    const choices = variants(schema);
    if (choices.length) return choices.map((one) => typeName(api, one)).join(" or ");
    const types = [schema.type ?? "any"].flat().filter((type) => type !== "null");
    if (types[0] === "array") return `list of ${typeName(api, schema.items)}`;
    return types.join(" or ") + (schema.format ? ` (${schema.format})` : "");
  };

  const fieldsTable = (api, schema) => {
    const choices = variants(schema ?? {});
    const target = resolve(api, choices[0] ?? schema);
    const properties = Object.entries(target.properties ?? {});
    if (!properties.length) return null;
    const head = make("tr", {}, ...["Field", "Type", "About"].map((name) => make("th", { scope: "col" }, name)));
    const rows = properties.map(([name, property]) =>
      make("tr", {},
        make("td", {}, make("code", {}, name), (target.required ?? []).includes(name) ? "" : " ?"),
        make("td", {}, typeName(api, property)),
        make("td", {}, property.description ?? "")));
    return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  };

  const credentials = () => {
    const token = byId("token").value.trim();
    const client = byId("client-id").value.trim();
    const account = byId("account-id").value.trim();
    const headers = {};
    const basic = () => {
      const bytes = new TextEncoder().encode(`${client}:${byId("client-secret").value}`);
      return `Basic ${btoa(String.fromCharCode(...bytes))}`;
    };
    return (path, accountHeader) => {
      if (client && (path.startsWith("/v1/am/") || !token)) headers.Authorization = basic();
      else if (token) headers.Authorization = `Bearer ${token}`;
      if (account && accountHeader) headers[accountHeader] = account;
      return headers;
    };
  };

  const show = async (answer, output, began) => {
    const type = answer.headers.get("content-type") ?? "";
    const took = Math.round(performance.now() - began);
    const lines = [`${answer.status} ${answer.statusText}   ${took} ms`];
    for (const name of ["x-request-id", "retry-after", "content-range", "content-type"]) {
      const value = answer.headers.get(name);
      if (value) lines.push(`${name}: ${value}`);
    }
    if (type.startsWith("application/octet-stream")) {
      const octets = await answer.blob();
      lines.push("", `${octets.size} octets`);
    } else {
      const text = await answer.text();
      let shown = text;
      if (type.includes("json")) {
        try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it came */ }
      }
      const most = 200000;
      lines.push("", shown.length > most ? `${shown.slice(0, most)}\n… cut` : shown);
    }
    output.textContent = lines.join("\n");
  };

  const send = async (api, operation, form, output, button) => {
    let path = operation.path;
    const query = new URLSearchParams();
    const header = api.components.securitySchemes.AccountIdHeader?.name;
    const headers = credentials()(operation.path, header);
    for (const input of form.querySelectorAll("[data-in]")) {
      if (input.value === "") continue;
      const { in: where, name } = input.dataset;
      if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(input.value));
      if (where === "query") query.append(name, input.value);
      if (where === "header") headers[name] = input.value;
    }
    const missing = path.match(/\{[^}]+\}/);
    if (missing) {
      output.textContent = `${missing[0]} is needed.`;
      return;
    }
    const body = form.querySelector("textarea")?.value.trim();
    if (body) headers["Content-Type"] = "application/json";
    const written = query.toString();
    const search = written ? `?${written}` : "";
    button.disabled = true;
    output.textContent = "…";
    const began = performance.now();
    try {
      // Without the browser's own credentials: a refusal must not open its sign-in window.
      const answer = await fetch(base + path + search, {
        method: operation.method.toUpperCase(), headers, body: body || undefined, credentials: "omit",
      });
      await show(answer, output, began);
    } catch (error) {
      output.textContent = `The request could not be sent: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  };

  const inputFor = (api, parameter) => {
    const schema = resolve(api, parameter.schema);
    const data = { "data-in": parameter.in, "data-name": parameter.name };
    const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
    const input = choices
      ? make("select", data, make("option", { value: "" }, "—"), ...choices.map((one) => make("option", { value: one }, one)))
      : make("input", { ...data, type: "text", spellcheck: "false" });
    const name = parameter.name + (parameter.required ? " *" : "");
    return make("label", {}, make("code", {}, name), ` ${typeName(api, parameter.schema)}`,
      make("span", { class: "about" }, parameter.description ?? ""), input);
  };

  const endpoint = (api, operation) => {
    const form = make("form", { autocomplete: "off" });
    if (operation.parameters?.length) {
      form.append(make("h3", {}, "Parameters"),
        make("div", { class: "fields" }, ...operation.parameters.map((one) => inputFor(api, one))));
    }
    const accepted = operation.requestBody?.content?.["application/json"]?.schema;
    if (accepted) {
      form.append(make("h3", {}, "Body"), fieldsTable(api, accepted) ?? "",
        make("label", {}, "JSON", make("textarea", { spellcheck: "false", placeholder: "{}" })));
    }
    const button = make("button", { type: "submit" }, "Send");
    const output = make("pre", { tabindex: "0", hidden: "" });
    const live = make("div", { role: "status", "aria-live": "polite" }, output);
    form.append(button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      output.hidden = false;
      send(api, operation, form, output, button);
    });
    const answers = Object.entries(operation.responses).map(([status, answer]) => {
      const schema = answer.content?.["application/json"]?.schema;
      return make("div", {},
        make("p", {}, make("code", {}, status), ` ${answer.description} `, make("em", {}, typeName(api, schema))),
        status.startsWith("2") ? fieldsTable(api, schema) : null);
    });
    return make("details", { id: operation.operationId },
      make("summary", {}, make("span", { class: "method" }, operation.method.toUpperCase()),
        make("span", { class: "path" }, operation.path),
        make("span", { class: "summary" }, operation.summary ?? "")),
      make("p", {}, operation.description ?? ""), form, live, make("h3", {}, "Answers"), ...answers);
  };

  const open = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (target?.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
    }
  };

  const render = (api) => {
    byId("title").textContent = `${api.info.title} ${api.info.version}`;
    byId("about").textContent = api.info.description ?? "";
    const operations = Object.entries(api.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ ...operation, path, method })));
    for (const tag of api.tags) {
      const own = operations.filter((operation) => operation.tags?.includes(tag.name));
      if (!own.length) continue;
      byId("contents").append(make("h2", {}, tag.name), make("ul", {}, ...own.map((operation) =>
        make("li", {}, make("a", { href: `#${operation.operationId}` }, operation.summary ?? operation.operationId)))));
      byId("endpoints").append(make("section", { "aria-label": tag.name },
        make("h2", {}, tag.name), make("p", {}, tag.description ?? ""), ...own.map((one) => endpoint(api, one))));
    }
    byId("sign-in").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", open);
    open();
  };

  fetch(`${base}/openapi.json`, { credentials: "omit" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
    .then(render)
    .catch((error) => { byId("about").textContent = `The description could not be loaded: ${error.message}`; });
})();
