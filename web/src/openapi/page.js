// Makes the page of the API one that can be tried: a form in each operation, sent from here with the token above. Without
// this script the page is read as it is.
"use strict";

const token = document.querySelector("#token");
document.querySelector("#signed-in").hidden = false;

const made = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const field = (label, input) => made("label", {}, made("span", { textContent: label }), input);

const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/** The form of an operation, from what the server has written of it. */
function form(operation) {
  const { method, path, media } = operation.dataset;
  const inputs = [...operation.querySelectorAll("[data-in]")].map((row) => {
    const { name, in: place } = row.dataset;
    const isKey = name === "Idempotency-Key";
    const input = made("input", { name, required: row.dataset.required === "true" && !isKey, autocomplete: "off" });
    if (isKey) input.placeholder = "a new one each time";
    return { name, place, isKey, input };
  });
  const example = operation.querySelector(".request");
  const body = media ? made("textarea", { rows: 12, spellcheck: false, value: example?.textContent ?? "" }) : null;
  const send = made("button", { textContent: "Send" });
  const answer = made("output", { tabIndex: -1 });
  const whole = made("form", {}, made("h2", { textContent: "Try it" }));
  whole.append(...inputs.map(({ name, input }) => field(name, input)));
  if (body) whole.append(field("Body", body));
  whole.append(send, answer);
  whole.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await show(answer, await ask(method, path, inputs, body && { media, text: body.value }));
    } catch (error) {
      answer.replaceChildren(made("p", { textContent: `It could not be sent: ${error.message}` }));
    }
    send.disabled = false;
    answer.focus();
  });
  return whole;
}

/** Sends what the fields say. */
function ask(method, path, inputs, body) {
  const [headers, query] = [new Headers({ accept: "application/json" }), new URLSearchParams()];
  for (const { name, place, isKey, input } of inputs) {
    const value = input.value.trim() || (isKey ? unique() : "");
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (!value) continue;
    else if (place === "query") query.set(name, value);
    else headers.set(name, value);
  }
  if (token.value.trim()) headers.set("authorization", `Bearer ${token.value.trim()}`);
  const options = { method: method.toUpperCase(), headers, credentials: "omit", cache: "no-store" };
  if (body && body.text.trim()) {
    headers.set("content-type", body.media);
    options.body = body.text;
  }
  return fetch(query.size ? `${path}?${query}` : path, options);
}

/** Most characters of an answer that are shown. */
const MOST = 100_000;

async function show(answer, response) {
  const kind = response.headers.get("content-type") ?? "";
  const isStream = kind.startsWith("text/event-stream");
  let text = isStream ? "This does not end; follow it with a client of your own." : await response.text();
  if (isStream) await response.body?.cancel();
  let value;
  if (kind.includes("json")) {
    value = JSON.parse(text);
    text = JSON.stringify(value, null, 2);
  }
  const headers = ["etag", "location", "x-position", "idempotent-replayed", "retry-after", "x-request-id"]
    .filter((name) => response.headers.has(name))
    .map((name) => `${name}: ${response.headers.get(name)}`);
  const parts = [made("h2", { textContent: `${response.status} ${response.statusText}` })];
  parts.push(made("pre", { textContent: headers.join("\n"), tabIndex: 0 }));
  if (text) parts.push(made("pre", { textContent: text.slice(0, MOST), tabIndex: 0 }));
  if (typeof value?.token === "string") {
    const use = made("button", { type: "button", textContent: "Sign in with this token" });
    use.addEventListener("click", () => {
      token.value = value.token;
      use.textContent = "Signed in";
    });
    parts.push(use);
  }
  answer.replaceChildren(...parts);
}

for (const operation of document.querySelectorAll("details[data-path]")) {
  operation.addEventListener("toggle", () => operation.querySelector("form") ?? operation.append(form(operation)));
}
