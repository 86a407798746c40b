// How states, times and amounts are said.

/** A glyph for each state: colour alone says nothing to many. */
export const GLYPH = {
  created: "○", blocked: "⋯", ready: "◌", claimed: "◔", running: "▶", backoff: "↻", unknown: "?",
  succeeded: "✓", failed: "✕", skipped: "⇥", cancelled: "■", missing: "∅",
};

/** States in which a container has ended for good. */
export const ENDED = new Set(["succeeded", "failed", "skipped", "cancelled"]);
/** States in which a node has it. */
export const ACTIVE = new Set(["claimed", "running", "unknown"]);
/** All states, as they follow each other. */
export const STATES = Object.keys(GLYPH).filter((state) => state !== "missing");

export const isOpen = (container) => !ENDED.has(container.state);

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** 1536000 → "1.5 MB". */
export function bytes(count) {
  let unit = 0;
  let amount = count ?? 0;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount >= 100 || unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** Seconds as people say them. */
export function seconds(count) {
  if (!Number.isFinite(count)) return "";
  if (count < 10) return `${Math.max(0, count).toFixed(1)} s`;
  if (count < 60) return `${Math.round(count)} s`;
  if (count < 3600) return `${Math.floor(count / 60)} min ${Math.round(count % 60)} s`;
  if (count < 86400) return `${Math.floor(count / 3600)} h ${Math.round((count % 3600) / 60)} min`;
  return `${Math.floor(count / 86400)} d`;
}

/** An engine's time; Docker writes the year 1 for "never". */
export function moment(value) {
  const ms = value ? Date.parse(value) : NaN;
  return ms > 0 ? ms : null;
}

export const clock = (value) => {
  const ms = typeof value === "number" ? value : moment(value);
  return ms ? new Date(ms).toLocaleTimeString() : "–";
};

/** How long an attempt took, or takes. */
export function took(attempt) {
  const from = moment(attempt?.started_at);
  return from ? seconds(((moment(attempt.finished_at) ?? Date.now()) - from) / 1000) : "";
}

export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** The name without its pipeline. */
export const short = (container) =>
  container.pipeline && container.name.startsWith(`${container.pipeline}.`)
    ? container.name.slice(container.pipeline.length + 1)
    : container.name;
