// All containers: found by name, state, pipeline and node; one of them in detail; a new one.

import { attr, button, el, keyed, text } from "/web/dom.js";
import { detail } from "/web/detail.js";
import { live } from "/web/live.js";
import { choice, linkTo, noteOf, pill } from "/web/parts.js";
import { submitForm } from "/web/submit.js";
import { STATES, clock, count } from "/web/words.js";

export const title = "Containers";
/** Rows at once. */
const SHOWN = 500;
const FILTERS = ["q", "state", "pipeline", "node"];

export function show(main, name, query) {
  let filter = {};
  let open = null;
  const heading = el("h1", {}, "Containers");
  const search = el("input", { type: "search", placeholder: "name or image", on: { input: () => set("q", search.value) } });
  const choices = { state: choice("State", (word) => set("state", word)), pipeline: choice("Pipeline", (word) => set("pipeline", word)), node: choice("Node", (word) => set("node", word)) };
  const form = submitForm();
  const more = button("New container", () => {
    form.hidden = !form.hidden;
    attr(more, "aria-expanded", String(!form.hidden));
    if (!form.hidden) form.focusFirst();
  }, "main");
  attr(more, "aria-expanded", "false");
  const rows = el("tbody");
  const note = el("p", { class: "quiet" });
  const head = ["state", "name", "node", "what", "submitted"].map((word) => el("th", { scope: "col" }, word));
  const table = el("table", { class: "all" }, el("caption", { class: "unseen" }, "All containers"), el("thead", {}, el("tr", {}, head)), rows);
  const side = el("div", { class: "side" });
  main.append(
    el("div", { class: "hero" }, heading, more), form,
    el("search", { class: "filters" }, el("label", { class: "field" }, el("span", {}, "Search"), search), Object.values(choices)),
    el("div", { class: "withside" }, el("div", { class: "card scroll" }, table, note), side),
  );

  function set(key, value) {
    const wanted = { ...filter, [key]: value };
    const words = new URLSearchParams(FILTERS.filter((one) => wanted[one]).map((one) => [one, wanted[one]]));
    const path = open ? linkTo(open.name) : "#/containers";
    history.replaceState(null, "", words.size ? `${path}?${words}` : path);
    filter = wanted;
    if (live.now) view.update(live);
  }

  function openDetail(wanted) {
    if (open?.name === wanted) return;
    open?.close();
    open = wanted ? detail(wanted, () => { location.hash = back(); }) : null;
    side.replaceChildren(...(open ? [open.node] : []));
    if (open && live.now) open.update(live.now);
    open?.focus();
  }

  const back = () => {
    const words = new URLSearchParams(FILTERS.filter((one) => filter[one]).map((one) => [one, filter[one]]));
    return words.size ? `#/containers?${words}` : "#/containers";
  };

  const view = {
    go(wanted, words) {
      for (const key of FILTERS) if (words.has(key) || !wanted) filter[key] = words.get(key) ?? "";
      if (document.activeElement !== search) search.value = filter.q ?? "";
      openDetail(wanted);
    },
    update({ now }) {
      const all = now.containers;
      choices.state.update(STATES.filter((state) => all.some((c) => c.state === state)), filter.state);
      choices.pipeline.update([...new Set(all.map((c) => c.pipeline).filter(Boolean))], filter.pipeline);
      choices.node.update(now.nodes.map((node) => node.name), filter.node);
      const wanted = (filter.q ?? "").toLowerCase();
      const found = all.filter((c) =>
        (!wanted || c.name.toLowerCase().includes(wanted) || c.image.toLowerCase().includes(wanted)) &&
        (!filter.state || c.state === filter.state) && (!filter.pipeline || c.pipeline === filter.pipeline) &&
        (!filter.node || c.node === filter.node)).reverse();
      text(heading, count(all.length, "container"));
      keyed(rows, found.slice(0, SHOWN), (c) => c.id, makeRow, updateRow);
      const left = found.length > SHOWN ? `The newest ${SHOWN} of ${found.length}.` : `${found.length} of ${all.length} shown.`;
      text(note, all.length ? left : "There is none yet. Encode a film, or begin with a new container.");
      open?.update(now);
      for (const row of rows.children) row.classList.toggle("chosen", row.dataset.name === open?.name);
    },
    close: () => open?.close(),
  };
  view.go(name, query);
  return view;
}

function makeRow(c) {
  const row = el("tr", {}, el("td", {}, pill(c.state)), el("th", { scope: "row" }, el("a")), el("td"), el("td", { class: "note" }), el("td", { class: "quiet" }, clock(c.created_at)));
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a")) row.querySelector("a").click();
  });
  return row;
}

function updateRow(row, c) {
  row.dataset.name = c.name;
  row.firstChild.firstChild.update(c.state);
  const link = row.children[1].firstChild;
  text(link, c.name);
  attr(link, "href", linkTo(c.name));
  text(row.children[2], noteOf(c).startsWith("on ") ? c.node : "");
  text(row.children[3], noteOf(c).replace(/^on [^ ]+( · )?/, "") || c.image);
}
