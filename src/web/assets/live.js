// The state, kept fresh: the node tells what happens, and then it is asked once for all that the pages show. When the node
// falls silent the page moves to another one that it knows, and goes on there.

import { get, streamText } from "/web/api.js";

/** Shortest time between two looks, in milliseconds. */
const PACE = 150;
/** A look may take this share of the time, so that a slow machine is not kept busy. */
const SHARE = 5;
/** The node says something every few seconds, if only that it is there. */
const SILENCE = 13000;
/** A node that restarts is given so long before the page moves on. */
const PATIENCE = 1500;
const PROBE = 1500;
const EVENTS_KEPT = 40;

/** The latest look, null before the first; what happened lately; how the connection is. */
export const live = { now: null, events: [], link: "connecting", busy: new Set() };

const listeners = new Set();

/** Calls `act` after each look; call what it returns to end that. */
export function listen(act) {
  listeners.add(act);
  return () => listeners.delete(act);
}

function tell() {
  performance.mark("pinode-begin");
  for (const act of listeners) act(live);
  performance.measure("pinode-update", "pinode-begin");
  if (performance.getEntriesByName("pinode-update").length > 1000) performance.clearMeasures("pinode-update");
  performance.clearMarks("pinode-begin");
}

let wanted = false;
let looking = false;

/** Something changed: look soon. Many changes are one look. */
export async function refresh() {
  wanted = true;
  if (looking || document.hidden) return;
  looking = true;
  while (wanted && !document.hidden) {
    wanted = false;
    const began = performance.now();
    try {
      live.now = await get("/web/now");
      if (live.link === "live") link("live");
      tell();
    } catch {
      // The stream of events notices when the node is gone; a look that failed alone is made again.
      wanted = live.link === "live";
    }
    const cost = performance.now() - began;
    await pause(Math.max(PACE, cost * SHARE - cost));
  }
  looking = false;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function link(word) {
  live.link = word;
  const where = live.now ? `${live.now.node}` : location.host;
  const node = document.getElementById("link");
  node.className = `link ${word}`;
  node.textContent = { live: `on ${where}`, connecting: "connecting…", lost: `${where} is silent…` }[word];
}

function heard(lines) {
  for (const line of lines) {
    if (!line.startsWith("data:")) continue;
    try {
      const event = JSON.parse(line.slice(5));
      live.events.unshift(event);
    } catch {
      // A note that events were missed is a sentence: the look that follows shows what they did.
    }
    refresh();
  }
  live.events.length = Math.min(live.events.length, EVENTS_KEPT);
}

/** Follows the node's events until they end. */
async function follow() {
  const abort = new AbortController();
  let alarm;
  const alive = () => {
    clearTimeout(alarm);
    alarm = setTimeout(() => abort.abort(), SILENCE);
  };
  alive();
  let rest = "";
  try {
    await streamText("/api/v1/events", abort.signal, (piece) => {
      alive();
      const lines = (rest + piece).split("\n");
      rest = lines.pop();
      heard(lines);
    }, opened);
  } finally {
    clearTimeout(alarm);
  }
}

function opened() {
  link("live");
  refresh();
}

async function answers(base) {
  try {
    await fetch(`${base}/healthz`, { mode: "no-cors", cache: "no-store", signal: AbortSignal.timeout(PROBE) });
    return true;
  } catch {
    return false;
  }
}

/** Another node that answers, if there is one. */
async function another() {
  const others = (live.now?.nodes ?? []).filter((node) => node.state !== "lost" && node.name !== live.now.node);
  const tried = others.map(async (node) => {
    const base = `http://${node.address}`;
    if (await answers(base)) return base;
    throw new Error(`${node.name} does not answer`);
  });
  return Promise.any(tried).catch(() => null);
}

/** Follows this node for as long as it answers, then another one. An upload stays: its file is known to this page only. */
export async function start() {
  document.addEventListener("visibilitychange", () => wanted && refresh());
  for (;;) {
    const began = performance.now();
    try {
      await follow();
    } catch {
      // Said below.
    }
    link("lost");
    const since = performance.now();
    while (!(await answers(""))) {
      if (performance.now() - since > PATIENCE && live.busy.size === 0) {
        const base = await another();
        if (base) {
          location.replace(`${base}/?from=${encodeURIComponent(live.now.node)}${location.hash}`);
          return;
        }
      }
      await pause(500);
    }
    // One that answers and does not tell (it waits for its cluster, or has too many listeners) is not asked at once again.
    await pause(performance.now() - began < 2000 ? 1000 : 200);
  }
}
