// Now: what runs and what waits, by name, without a click; the films under way; the way to everything else.

import { el, fill, keyed, text } from "/web/dom.js";
import { films } from "/web/film.js";
import { line, pill } from "/web/parts.js";
import { ACTIVE, clock, count, isOpen } from "/web/words.js";

export const title = "Now";
/** Names in one list; the page of all containers has the rest. */
const SHOWN = 60;
const HAPPENED = 12;

export function show(main) {
  const headline = el("h1", {}, "…");
  const shelf = el("ul", { class: "shelf", "aria-label": "Nodes" });
  const filmList = films({ only: (film) => film.state === "queued" || film.state === "running", empty: null });
  const running = list("Running");
  const waiting = list("Waiting");
  const ended = list("Ended lately");
  const happened = el("ol", { class: "happened" });
  main.append(
    el("div", { class: "hero" }, headline, el("a", { class: "button main", href: "#/encode" }, "Encode a film")),
    shelf,
    filmList.node,
    el("div", { class: "columns" }, running.node, waiting.node),
    el("div", { class: "columns" }, ended.node, el("section", { class: "card" }, el("h2", {}, "What happens"), happened)),
  );
  return {
    update({ now, events }) {
      const open = now.containers.filter(isOpen);
      const active = open.filter((c) => ACTIVE.has(c.state));
      const rest = open.filter((c) => !ACTIVE.has(c.state));
      const up = now.nodes.filter((node) => node.state === "up").length;
      const nodes = up === now.nodes.length ? `${count(up, "node")} up` : `${up} of ${count(now.nodes.length, "node")} up`;
      text(headline, open.length ? `${active.length} running, ${rest.length} waiting, ${nodes}` : `All quiet, ${nodes}`);
      keyed(shelf, now.nodes, (node) => node.id, board, (item, node) => updateBoard(item, node, active));
      running.update(active, "Nothing runs.");
      waiting.update(rest, "Nothing waits.");
      ended.update(now.containers.filter((c) => !isOpen(c)).reverse().slice(0, HAPPENED), "Nothing has ended yet.");
      filmList.update(now);
      tellEvents(happened, events);
    },
    close: filmList.close,
  };
}

function list(name) {
  const heading = el("h2", {}, name);
  const rows = el("ul", { class: "rows" });
  const note = el("p", { class: "quiet" });
  return {
    node: el("section", { class: "card" }, heading, rows, note),
    update(containers, empty) {
      text(heading, containers.length ? `${name} · ${containers.length}` : name);
      keyed(rows, containers.slice(0, SHOWN), (c) => c.id, () => line(), (row, c) => row.update(c));
      if (!containers.length) text(note, empty);
      else if (containers.length > SHOWN) fill(note, el("a", { href: "#/containers" }, `and ${containers.length - SHOWN} more`));
      else text(note, "");
    },
  };
}

/** A node on the shelf: a light for each container that it runs. */
function board() {
  const name = el("strong");
  const lights = el("span", { class: "lights", "aria-hidden": "true" });
  const words = el("span", { class: "quiet" });
  const item = el("li", {}, el("a", { class: "board", href: "#/cluster" }, el("span", { class: "row" }, name, pill("up")), lights, words));
  return item;
}

function updateBoard(item, node, active) {
  const here = active.filter((c) => c.node === node.name);
  text(item.querySelector("strong"), node.name);
  item.querySelector(".pill").update(node.state);
  const lights = Array.from({ length: Math.min(node.slots || 1, 16) }, (_, at) => here[at]?.state ?? "free");
  keyed(item.querySelector(".lights"), lights.map((state, at) => ({ state, at })), (light) => light.at, () => el("i"),
    (light, { state }) => { light.className = state; });
  text(item.querySelector("a > .quiet"), here.length ? count(here.length, "container") : "idle");
}

function tellEvents(node, events) {
  const shown = events.slice(0, HAPPENED);
  keyed(node, shown, (event) => `${event.index} ${event.event} ${event.container ?? event.node}`, (event) =>
    el("li", {}, el("time", {}, clock(event.at)), " ",
      [event.container, event.event.replace("-", " "), event.node ? `on ${event.node}` : null, event.detail].filter(Boolean).join(" ")));
}
