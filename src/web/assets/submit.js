// A new container. What the node refuses stands beside the field that it names.

import { post, say } from "/web/api.js";
import { attr, el, text } from "/web/dom.js";
import { linkTo } from "/web/parts.js";

const words = (value) => value.split("\n").map((word) => word.trim()).filter(Boolean);

/** Splits as a shell would where there is nothing but words and quotes. */
function split(value) {
  const found = value.match(/"(?:\\.|[^"\\])*"|'[^']*'|\S+/g) ?? [];
  return found.map((word) => (/^"/.test(word) ? word.slice(1, -1).replace(/\\(.)/g, "$1") : /^'/.test(word) ? word.slice(1, -1) : word));
}

const FIELDS = [
  { name: "image", label: "Image", required: true, hint: "busybox:local" },
  { name: "name", label: "Name", hint: "one is made up without" },
  { name: "cmd", label: "Command", hint: 'sh -c "echo hello; sleep 5"', read: split },
  { name: "waitfor", label: "Waits for", hint: "container==split\none a line", lines: true, read: words },
  { name: "env", label: "Environment", hint: "KEY=value\none a line", lines: true, read: words },
  { name: "volumes", label: "Volumes", hint: "films:/films\none a line", lines: true, read: words },
  { name: "constraints", label: "Where", hint: "node==pi2\none a line", lines: true, read: words },
  { name: "network_mode", label: "Network", hint: "none, host, bridge" },
  { name: "cpus", label: "CPUs", hint: "0.5", read: Number },
  { name: "memory", label: "Memory", hint: "64m" },
  { name: "retries", label: "Retries", hint: "0", read: Number },
];

export function submitForm() {
  const inputs = new Map();
  const rows = FIELDS.map((field) => {
    const input = el(field.lines ? "textarea" : "input", { id: `new-${field.name}`, name: field.name, placeholder: field.hint, required: field.required, rows: field.lines ? 2 : null, autocomplete: "off", spellcheck: "false" });
    const wrong = el("span", { class: "wrong", id: `wrong-${field.name}` });
    inputs.set(field.name, { field, input, wrong });
    return el("label", { class: field.lines ? "field wide" : "field" }, el("span", {}, field.label), input, wrong);
  });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const send = el("button", { class: "main" }, "Submit");
  const form = el("form", { class: "card newone", hidden: true, novalidate: true, "aria-label": "New container" }, el("div", { class: "grid" }, rows), wrong, send);

  function refuse(error) {
    // A list names its place as well: `env[2]`.
    const at = inputs.get((error.field ?? "").replace(/\[.*$/, ""));
    text(at ? at.wrong : wrong, error.message);
    if (!at) return;
    attr(at.input, "aria-invalid", "true");
    attr(at.input, "aria-describedby", at.wrong.id);
    at.input.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    text(wrong, "");
    const body = {};
    for (const [name, { field, input, wrong: note }] of inputs) {
      text(note, "");
      attr(input, "aria-invalid", null);
      const value = input.value.trim();
      if (value) body[name] = field.read ? field.read(value) : value;
    }
    body.image ??= "";
    send.disabled = true;
    try {
      const made = await post("/api/v1/containers", body);
      say([`${made.name} is ${made.state}.`, ...made.warnings].join(" "));
      form.reset();
      location.hash = linkTo(made.name);
    } catch (error) {
      refuse(error);
    }
    send.disabled = false;
  });
  form.focusFirst = () => inputs.get("image").input.focus();
  return form;
}
