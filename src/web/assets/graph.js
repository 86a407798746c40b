// The graph of a pipeline: the node gives every container its place, and the page draws it from the true state.

import { get } from "/web/api.js";
import { attr, el, keyed, svg, text } from "/web/dom.js";
import { detail } from "/web/detail.js";
import { live } from "/web/live.js";
import { graphOf } from "/web/parts.js";
import { GLYPH, isOpen } from "/web/words.js";

export const title = "Graph";
const MARGIN = 12;

export function show(main, pipeline, query) {
  let chosen = pipeline;
  let open = null;
  let drawn = null;
  let asking = false;
  let again = false;
  let closed = false;
  const heading = el("h1", {}, "Graph");
  const select = el("select", { id: "pipeline", on: { change: () => { location.hash = select.value ? graphOf(select.value) : "#/graph"; } } });
  const canvas = svg("svg", { class: "graph", role: "group", "aria-label": "Containers and what they wait for" });
  const lines = svg("g");
  const boxes = svg("g");
  canvas.append(lines, boxes);
  const note = el("p", { class: "quiet" });
  const paper = el("div", { class: "card paper" }, canvas, note);
  const side = el("div", { class: "side" });
  const legend = el("p", { class: "legend quiet" }, ["blocked", "running", "succeeded", "failed"].map((state) => el("span", { class: state }, `${GLYPH[state]} ${state}`)));
  main.append(el("div", { class: "hero" }, heading, el("label", { class: "field" }, el("span", {}, "Pipeline"), select)), legend, el("div", { class: "withside" }, paper, side));

  async function look() {
    again = true;
    if (asking) return;
    asking = true;
    while (again && !closed) {
      again = false;
      const words = new URLSearchParams({ width: Math.round(paper.clientWidth - 3 * MARGIN) });
      if (chosen) words.set("pipeline", chosen);
      try {
        drawn = await get(`/web/graph?${words}`);
        text(note, drawn.nodes.length ? "" : "Nothing that has not ended waits for anything. Choose a pipeline to see one that has ended.");
        if (!closed) draw();
      } catch (error) {
        text(note, error.message);
      }
    }
    asking = false;
  }

  function draw() {
    performance.mark("graph-begin");
    const byName = new Map(drawn.nodes.map((node) => [node.name, node]));
    attr(canvas, "viewBox", `${-MARGIN} ${-MARGIN} ${drawn.width + 2 * MARGIN} ${drawn.height + 2 * MARGIN}`);
    attr(canvas, "width", drawn.width + 2 * MARGIN);
    attr(canvas, "height", drawn.height + 2 * MARGIN);
    keyed(lines, drawn.lines, (line) => `${line.from} ${line.to} ${line.kind}`, makeLine, (node, line) => updateLine(node, line, drawn.groups));
    keyed(boxes, drawn.groups, (group) => group.members[0], () => svg("g", {}, svg("rect", { class: "group", rx: 12 }), svg("g")), (node, group) => updateGroup(node, group, byName));
    performance.measure("pinode-update", "graph-begin");
  }

  function updateGroup(node, group, byName) {
    attr(node, "transform", `translate(${group.x} ${group.y})`);
    const frame = node.firstChild;
    attr(frame, "width", group.width);
    attr(frame, "height", group.height);
    attr(frame, "class", group.members.length > 1 ? "group" : "group lone");
    const tiles = group.members.map((name, at) => ({ name, at, seen: byName.get(name) ?? { name, state: "missing", node: null } }));
    keyed(node.lastChild, tiles, (tile) => tile.name, (tile) => makeTile(tile.name), (item, tile) => updateTile(item, tile, group));
  }

  function makeTile(name) {
    const choose = () => openDetail(name);
    return svg("g", { tabindex: "0", role: "button", on: { click: choose, keydown: (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose();
      }
    } } }, svg("title"), svg("rect", { rx: 7 }), svg("text", { class: "glyph" }), svg("text", { class: "name" }), svg("text", { class: "node" }));
  }

  function updateTile(item, { name, at, seen }, group) {
    const [width, height] = group.tile;
    const x = group.gap + (at % group.columns) * (width + group.gap);
    const y = group.gap + Math.floor(at / group.columns) * (height + group.gap);
    attr(item, "transform", `translate(${x} ${y})`);
    attr(item, "class", `tile ${seen.state}${open?.name === name ? " chosen" : ""}`);
    const label = chosen && name.startsWith(`${chosen}.`) ? name.slice(chosen.length + 1) : name;
    const said = `${label}: ${seen.state}${seen.node ? ` on ${seen.node}` : ""}`;
    attr(item, "aria-label", said);
    const [title, box, glyph, words, where] = item.children;
    text(title, said);
    attr(box, "width", width);
    attr(box, "height", height);
    const narrow = width < 80;
    text(glyph, narrow ? "" : GLYPH[seen.state]);
    attr(glyph, "x", 10);
    attr(glyph, "y", height / 2 + 5);
    text(words, narrow ? (label.match(/\d+$/)?.[0] ?? label.slice(0, 4)) : cut(label, 18));
    attr(words, "x", narrow ? width / 2 : 30);
    attr(words, "text-anchor", narrow ? "middle" : "start");
    attr(words, "y", seen.node && !narrow ? height / 2 - 3 : height / 2 + 5);
    text(where, narrow ? "" : (seen.node ?? ""));
    attr(where, "x", 30);
    attr(where, "y", height / 2 + 14);
  }

  function openDetail(name) {
    open?.close();
    open = name ? detail(name, () => openDetail(null)) : null;
    side.replaceChildren(...(open ? [open.node] : []));
    const words = new URLSearchParams(open ? { container: name } : {});
    history.replaceState(null, "", (chosen ? graphOf(chosen) : "#/graph") + (words.size ? `?${words}` : ""));
    if (open && live.now) open.update(live.now);
    open?.focus();
    // The panel takes room from the graph, so its places may change.
    look();
  }

  addEventListener("resize", look);
  if (query.get("container")) openDetail(query.get("container"));
  return {
    go(wanted, words) {
      if (wanted === chosen && words.get("container") === (open?.name ?? null)) return;
      chosen = wanted;
      openDetail(words.get("container"));
      if (live.now) this.update(live);
    },
    update({ now }) {
      const pipelines = [...new Set(now.containers.map((c) => c.pipeline).filter(Boolean))].reverse();
      if (chosen && !pipelines.includes(chosen)) pipelines.push(chosen);
      const names = ["", ...pipelines];
      if (names.join() !== select.names) {
        select.names = names.join();
        select.replaceChildren(...names.map((name) => el("option", { value: name }, name || "all that has not ended")));
      }
      select.value = chosen;
      const members = chosen ? now.containers.filter((c) => c.pipeline === chosen) : now.containers;
      const left = members.filter(isOpen).length;
      text(heading, chosen ? `${members.length - left} of ${members.length} done` : "Graph");
      open?.update(now);
      look();
    },
    close() {
      closed = true;
      removeEventListener("resize", look);
      open?.close();
    },
  };
}

const cut = (label, length) => (label.length > length ? `${label.slice(0, length - 1)}…` : label);

const makeLine = () => svg("g", {}, svg("path"), svg("text", { "text-anchor": "middle" }));

function updateLine(node, line, groups) {
  const [from, to] = [groups[line.from], groups[line.to]];
  // A group of one has no frame that a line could end at.
  const inset = (group) => (group.members.length > 1 ? 0 : group.gap);
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height - inset(from)];
  const [x2, y2] = [to.x + to.width / 2, to.y + inset(to)];
  const bend = Math.max(20, (y2 - y1) / 2);
  attr(node, "class", line.met === line.all ? "line met" : "line");
  attr(node.firstChild, "d", `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`);
  const words = [line.kind === "container" ? "" : line.kind, line.all > 1 ? `${line.met}/${line.all}` : ""].filter(Boolean);
  const label = node.lastChild;
  text(label, words.join(" "));
  attr(label, "x", (x1 + x2) / 2);
  attr(label, "y", (y1 + y2) / 2 + 4);
}
