// A film on its way to the cluster, in pieces: after a broken connection, another node or a new visit it goes on where
// it was, because the node is asked how far it is.

import { Refused, freshKey, get, part, post, remove } from "/web/api.js";
import { live } from "/web/live.js";

/** One piece, in bytes. */
const PIECE = 8 * 1024 * 1024;
/** Between two tries while the node is away, in milliseconds. */
const PAUSE = [300, 700, 1500, 3000, 5000];

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Films at once; a browser has six connections to a node, and the page needs some itself. */
const PLACES = 3;
let busy = 0;
const queue = [];

async function place() {
  if (busy >= PLACES) await new Promise((go) => queue.push(go));
  busy += 1;
}

function leavePlace() {
  busy -= 1;
  queue.shift()?.();
}

export class Upload {
  /** `tell` is called whenever something changed. */
  constructor(file, wishes, tell) {
    Object.assign(this, { file, wishes, tell, state: "waits", sent: 0, rate: 0, error: null, film: null, id: null, key: freshKey(), cancelled: false });
  }

  set(state, more = {}) {
    Object.assign(this, { state, ...more });
    this.tell(this);
  }

  async run() {
    await place();
    live.busy.add(this);
    try {
      if (!this.cancelled) await this.patiently(() => this.begin());
      while (!this.cancelled && this.sent < this.file.size) await this.patiently(() => this.piece());
      if (!this.cancelled) {
        this.set("checks");
        const film = await this.patiently(() => post(`/api/v1/uploads/${part(this.id)}/finish`));
        this.set("done", { film });
      }
    } catch (error) {
      this.set(this.cancelled ? "cancelled" : "failed", { error });
    } finally {
      if (this.state !== "done") taken.delete(this.id);
      live.busy.delete(this);
      leavePlace();
    }
  }

  /** Tries again for as long as the node is away; what it refuses is refused. */
  async patiently(act) {
    for (let tries = 0; ; tries += 1) {
      try {
        return await act();
      } catch (error) {
        const passing = error.status === 0 || error.status === 503 || error.status === 502 || error.status === 409;
        if (!passing || this.cancelled || (error.status === 409 && tries > 3)) throw error;
        this.set("broken", { error });
        await wait(PAUSE[Math.min(tries, PAUSE.length - 1)]);
        if (this.id && this.state !== "checks") await this.ask().catch(() => {});
      }
    }
  }

  /** Opens the upload, or finds the one that was left half-way. */
  async begin() {
    const { name, size, lastModified } = this.file;
    const left = (await get("/api/v1/uploads")).find((one) => one.file_name === name && one.size === size && one.modified === lastModified && !taken.has(one.id));
    const asked = { file_name: name, size, modified: lastModified, ...this.wishes };
    const opened = left ?? (await post("/api/v1/uploads", asked, { "Idempotency-Key": this.key }));
    taken.add(opened.id);
    this.set("sends", { id: opened.id, sent: opened.offset, resumed: Boolean(left) });
  }

  async ask() {
    const seen = await get(`/api/v1/uploads/${part(this.id)}`);
    this.set("sends", { sent: seen.offset, error: null });
  }

  piece() {
    const from = this.sent;
    const began = performance.now();
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open("PATCH", `/api/v1/uploads/${part(this.id)}`);
      request.setRequestHeader("Upload-Offset", String(from));
      request.setRequestHeader("Content-Type", "application/offset+octet-stream");
      request.upload.onprogress = (event) => {
        const rate = (event.loaded / (performance.now() - began)) * 1000;
        this.set("sends", { sent: from + event.loaded, rate, error: null });
      };
      request.onload = () => {
        if (request.status === 204) {
          this.set("sends", { sent: Number(request.getResponseHeader("Upload-Offset")), error: null });
          return done();
        }
        let detail = null;
        try {
          detail = JSON.parse(request.responseText).error;
        } catch {
          // Not ours; the status says enough.
        }
        this.sent = from;
        return fail(new Refused(request.status, detail));
      };
      request.onerror = request.onabort = () => {
        this.sent = from;
        fail(new Refused(0, { message: this.cancelled ? "stopped" : "the connection broke; it goes on as soon as the node answers" }));
      };
      request.send(this.file.slice(from, Math.min(this.file.size, from + PIECE)));
    });
  }

  async cancel() {
    this.cancelled = true;
    this.request?.abort();
    if (this.id) await remove(`/api/v1/uploads/${part(this.id)}`).catch(() => {});
    this.set("cancelled");
  }
}

/** Uploads of this visit: a half-way one belongs to one file only. */
const taken = new Set();
