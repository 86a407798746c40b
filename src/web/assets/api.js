// What the pages ask of the node that serves them.

/** An answer that is an error: its sentence, its code and the field at fault. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail?.message ?? `the node answered ${status}`);
    this.status = status;
    this.code = detail?.code;
    this.field = detail?.field;
  }
}

export async function refusal(response) {
  const body = await response.json().catch(() => null);
  return new Refused(response.status, body?.error);
}

async function ask(method, path, body, headers = {}) {
  const init = { method, headers, cache: "no-store" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, init).catch(() => {
    throw new Refused(0, { message: "this node does not answer", code: "away" });
  });
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

export const get = (path) => ask("GET", path);
export const post = (path, body, headers) => ask("POST", path, body, headers);
export const remove = (path) => ask("DELETE", path);

/** A name as part of a path. */
export const part = (name) => encodeURIComponent(name);

/** A key that nobody has used. (`crypto.randomUUID` is for pages over TLS only.) */
export function freshKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads a stream as text until it ends or `signal` says so. `opened` is called when it begins. */
export async function streamText(path, signal, heard, opened = () => {}) {
  const response = await fetch(path, { signal, cache: "no-store" });
  if (!response.ok) throw await refusal(response);
  opened();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard(value);
  }
}

const said = document.getElementById("said");
let fading;

/** Tells the result of a click, for eyes and ears. */
export function say(message, bad = false) {
  clearTimeout(fading);
  said.textContent = message;
  said.classList.toggle("bad", bad);
  fading = setTimeout(() => { said.textContent = ""; }, bad ? 12000 : 5000);
}

/** Runs `act`; what it is refused is said. True if it went well. */
export async function attempt(act, done) {
  try {
    await act();
    if (done) say(done);
    return true;
  } catch (error) {
    say(error.message, true);
    return false;
  }
}
