// One container: where it stands, why, each attempt, what it prints, and what can be done with it.

import { attempt, get, part, post, remove, streamText } from "/web/api.js";
import { attr, button, el, keyed, text } from "/web/dom.js";
import { graphOf, pill } from "/web/parts.js";
import { clock, isOpen, took } from "/web/words.js";

/** What is shown of the logs, in characters. */
const LOG_MAX = 200000;
/** Colours and cursor moves of terminals. */
const CONTROL = /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f]/g;

/** The panel of the container `name`; `leave` is called when it is closed. */
export function detail(name, leave) {
  const path = `/api/v1/containers/${part(name)}`;
  const heading = el("h2", { tabindex: "-1" }, name);
  const state = pill("created");
  const facts = el("dl", { class: "facts" });
  const why = el("p", { class: "why" });
  const because = el("ul", { class: "because" });
  const tries = el("tbody");
  const log = el("pre", { class: "log", tabindex: "0", "aria-label": "Logs" });
  const noteOfLog = el("p", { class: "quiet" });
  const act = (label, call, done, kind) => button(label, () => attempt(call, done), kind);
  const stop = act("Stop", () => post(`${path}/stop`), `${name} is being stopped.`);
  const kill = act("Kill", () => post(`${path}/kill`), `${name} is being killed.`, "danger");
  const retry = act("Run again", () => post(`${path}/retry`), `${name} runs again.`);
  const away = button("Remove", async () => {
    if (await attempt(() => remove(path), `${name} is removed.`)) leave();
  }, "danger");
  const graph = el("a", { class: "button" }, "Graph");
  const node = el("aside", { class: "card detail", "aria-label": `Container ${name}`, on: { keydown: (event) => event.key === "Escape" && leave() } },
    el("div", { class: "row" }, heading, state, button("✕", leave, "close")),
    el("div", { class: "acts" }, stop, kill, retry, away, graph), facts, why, because,
    el("h3", {}, "Attempts"),
    el("table", {}, el("thead", {}, el("tr", {}, ["#", "node", "started", "took", "end"].map((word) => el("th", { scope: "col" }, word)))), tries),
    el("h3", {}, "Logs"), log, noteOfLog);
  node.querySelector(".close").setAttribute("aria-label", "Close");

  let explained = null;
  async function explain(c) {
    const key = `${c.state} ${c.attempt} ${c.note}`;
    if (key === explained) return;
    explained = key;
    try {
      const told = await get(`${path}/why?consistency=stale`);
      text(why, told.summary);
      const lines = [...told.because, ...Object.entries(told.nodes).map(([where, lacks]) => `${where}: ${lacks}`)];
      keyed(because, lines, (line) => line, (line) => el("li", {}, line));
    } catch (error) {
      text(why, error.message);
    }
  }

  let abort = null;
  let read = null;
  async function follow(c) {
    const key = `${c.attempt} ${c.attempts.at(-1)?.started_at}`;
    if (key === read) return;
    read = key;
    abort?.abort();
    const mine = (abort = new AbortController());
    log.replaceChildren();
    text(noteOfLog, c.attempt ? "" : "It has not started yet; what it prints will appear here.");
    let length = 0;
    try {
      await streamText(`${path}/logs?follow=true`, mine.signal, (piece) => {
        const end = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
        const clean = piece.replace(CONTROL, "");
        length += clean.length;
        log.append(clean);
        while (length > LOG_MAX && log.childNodes.length > 1) {
          length -= log.firstChild.textContent.length;
          log.firstChild.remove();
        }
        text(noteOfLog, "");
        if (end) log.scrollTop = log.scrollHeight;
      });
      if (!length) text(noteOfLog, "It printed nothing.");
    } catch (error) {
      if (!mine.signal.aborted) text(noteOfLog, error.message);
    }
  }

  return {
    node,
    name,
    close: () => abort?.abort(),
    focus: () => heading.focus(),
    update(now) {
      const c = now.containers.find((one) => one.name === name || one.id === name);
      if (!c) {
        state.update("missing");
        text(why, `There is no container ${name} (any more).`);
        return;
      }
      state.update(c.state);
      const rows = [["node", c.node], ["image", c.image], ["pipeline", c.pipeline], ["attempt", c.attempt || null],
        ["exit code", c.exit_code], ["submitted", clock(c.created_at)], ["id", c.id.slice(0, 12)]];
      keyed(facts, rows.filter(([, value]) => value !== null && value !== undefined), ([key]) => key,
        ([key]) => el("div", {}, el("dt", {}, key), el("dd")), (row, [, value]) => text(row.lastChild, String(value)));
      keyed(tries, c.attempts, (one) => one.number, (one) => el("tr", {}, el("th", { scope: "row" }, one.number), el("td"), el("td"), el("td"), el("td")),
        (row, one) => [one.node, clock(one.started_at), took(one), one.end ?? "goes on"].forEach((value, at) => text(row.children[at + 1], value)));
      const open = isOpen(c);
      stop.hidden = kill.hidden = !open;
      retry.hidden = !["failed", "cancelled", "skipped"].includes(c.state);
      away.hidden = open;
      graph.hidden = !c.pipeline;
      if (c.pipeline) attr(graph, "href", graphOf(c.pipeline));
      explain(c);
      follow(c);
    },
  };
}
