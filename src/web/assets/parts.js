// Small things that several pages are made of.

import { attr, el, text } from "/web/dom.js";
import { ACTIVE, ENDED, GLYPH, took } from "/web/words.js";

/** A state, as a word with its colour and its glyph. */
export function pill(state) {
  const node = el("span", { class: "pill" });
  node.update = (word) => {
    attr(node, "class", `pill ${word}`);
    text(node, GLYPH[word] ? `${GLYPH[word]} ${word}` : word);
  };
  node.update(state);
  return node;
}

/** A container in a list: its state, its name, and what there is to say. */
export function line() {
  const state = pill("created");
  const name = el("a");
  const note = el("span", { class: "quiet" });
  const row = el("li", {}, state, name, note);
  row.update = (c) => {
    state.update(c.state);
    text(name, c.name);
    attr(name, "href", linkTo(c.name));
    text(note, noteOf(c));
  };
  return row;
}

export const linkTo = (name) => `#/containers/${encodeURIComponent(name)}`;
export const graphOf = (pipeline) => `#/graph/${encodeURIComponent(pipeline)}`;

/** What there is to say of a container, in a few words. */
export function noteOf(c) {
  const last = c.attempts.at(-1);
  const words = [];
  // What waits for its next attempt has no node; the last one is among its attempts.
  if (c.node && (ACTIVE.has(c.state) || ENDED.has(c.state))) words.push(`on ${c.node}`);
  if (c.attempt > 1) words.push(`attempt ${c.attempt}`);
  if (c.note) words.push(c.note);
  else if (c.exit_code) words.push(`code ${c.exit_code}`);
  if (!c.note && last?.finished_at) words.push(took(last));
  return words.join(" · ");
}

/** A bar for a share of a whole, with words. A second share, drawn thin, is what is really used. */
export function meter(label) {
  const words = el("span", { class: "quiet" });
  const bar = el("i");
  const thin = el("b");
  const track = el("span", { class: "track", role: "img" }, bar, thin);
  const node = el("div", { class: "meter" }, el("span", {}, label), track, words);
  node.update = (share, said, used) => {
    bar.style.width = `${Math.min(100, share * 100)}%`;
    thin.style.width = `${Math.min(100, (used ?? 0) * 100)}%`;
    text(words, said);
    attr(track, "aria-label", `${label}: ${said}`);
  };
  return node;
}

/** A labelled choice of words; the first is "all". */
export function choice(label, act) {
  const select = el("select", { on: { change: () => act(select.value) } });
  const node = el("label", { class: "field" }, el("span", {}, label), select);
  node.update = (words, chosen) => {
    const wanted = ["", ...words];
    if (chosen && !words.includes(chosen)) wanted.push(chosen);
    if (wanted.join("\n") !== node.words) {
      node.words = wanted.join("\n");
      select.replaceChildren(...wanted.map((word) => el("option", { value: word }, word || "all")));
    }
    select.value = chosen ?? "";
  };
  return node;
}
