// Films: each with its steps, its progress, and what can be done with it.

import { attempt, get, part, post } from "/web/api.js";
import { attr, button, el, keyed, text } from "/web/dom.js";
import { graphOf, linkTo, pill } from "/web/parts.js";
import { GLYPH, count, seconds, short } from "/web/words.js";

const address = (film) => `/api/v1/videos/${part(film.id)}`;

/** A list of films, those that `only` lets through. It asks for the films when the state of one of them changed. */
export function films({ only, empty }) {
  const list = el("ul", { class: "films" });
  const note = el("p", { class: "quiet" });
  const node = el("section", { class: "filmlist", "aria-label": "Films" }, list, note);
  let known = [];
  let seen = null;
  let asking = false;
  let closed = false;
  const draw = (now) => {
    const members = new Map();
    for (const c of now.containers) {
      if (!c.pipeline) continue;
      if (!members.has(c.pipeline)) members.set(c.pipeline, []);
      members.get(c.pipeline).push(c);
    }
    const shown = known.filter(only);
    keyed(list, shown, (film) => film.id, card, (item, film) => item.update(film, members.get(film.pipeline) ?? []));
    text(note, shown.length ? "" : (empty ?? ""));
    node.hidden = !shown.length && !empty;
  };
  return {
    node,
    close: () => { closed = true; },
    async update(now) {
      draw(now);
      const states = now.containers.filter((c) => c.pipeline?.startsWith("film-")).map((c) => c.id + c.state).join();
      if (asking || closed || states === seen) return;
      asking = true;
      try {
        known = (await get("/api/v1/videos?consistency=stale")).sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
        seen = states;
      } catch {
        seen = null;
      }
      asking = false;
      if (!closed) draw(now);
    },
  };
}

function card() {
  const name = el("h3");
  const state = pill("queued");
  const steps = el("ol", { class: "steps" });
  const words = el("p", { class: "quiet", "aria-live": "polite" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const graph = el("a", { class: "button" }, "Graph");
  const cancel = button("Cancel", () => attempt(() => post(`${address(item.film)}/cancel`), "The film is being stopped."));
  const retry = button("Try again", () => attempt(() => post(`${address(item.film)}/retry`), "What failed runs again."));
  const save = el("a", { class: "button main", download: "" }, "Download");
  const play = button("Play", () => item.play());
  const stage = el("div", { class: "stage" });
  const item = el("li", { class: "card film" }, el("div", { class: "row" }, name, state), steps, words, wrong,
    el("div", { class: "acts" }, play, save, graph, retry, cancel), stage);
  item.play = () => {
    if (stage.firstChild) return stage.replaceChildren();
    const video = el("video", { controls: true, preload: "metadata", src: `${address(item.film)}/result`, "aria-label": item.film.name });
    stage.append(video);
    video.play().catch(() => {});
  };
  item.update = (film, members) => {
    item.film = film;
    const under = film.state === "queued" || film.state === "running";
    text(name, film.name);
    state.update(film.state);
    keyed(steps, members, (c) => c.id, step, updateStep);
    text(words, said(film, members));
    text(wrong, film.state === "failed" ? (film.error ?? "It failed.") : "");
    attr(graph, "href", graphOf(film.pipeline));
    attr(save, "href", `${address(film)}/result?download=true`);
    save.hidden = play.hidden = film.state !== "succeeded";
    cancel.hidden = !under;
    retry.hidden = !members.length || (film.state !== "failed" && film.state !== "cancelled");
    graph.hidden = !members.length;
  };
  return item;
}

const step = () => el("li", {}, el("a", {}));

function updateStep(node, c) {
  const link = node.firstChild;
  attr(node, "class", c.state);
  attr(link, "href", linkTo(c.name));
  attr(link, "title", `${short(c)}: ${c.state}${c.node ? ` on ${c.node}` : ""}`);
  text(link, `${GLYPH[c.state]} ${short(c)}`);
}

function said(film, members) {
  const runs = members.filter((c) => c.state === "running").map((c) => `${short(c)} on ${c.node}`);
  if (film.state === "succeeded") {
    const frames = film.frames_out === null ? "" : `${count(film.frames_out, "frame")}, as many as the source has; `;
    return `${frames}${film.duration === null ? "" : `${seconds(film.duration)} of film`}`;
  }
  if (film.state === "failed" || film.state === "cancelled") return "";
  const parts = `${film.parts_done} of ${count(film.parts, "part")} encoded`;
  return runs.length && runs.length < 7 ? `${parts}; ${runs.join(", ")}` : `${parts}; ${count(runs.length, "step")} at work`;
}
