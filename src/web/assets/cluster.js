// The cluster: each machine, how it is, what runs there; who ran what when.

import { attempt, part, post, streamText } from "/web/api.js";
import { attr, button, el, keyed, text } from "/web/dom.js";
import { line, meter, pill } from "/web/parts.js";
import { timeline } from "/web/timeline.js";
import { ACTIVE, bytes, count } from "/web/words.js";

export const title = "Cluster";

export function show(main) {
  const heading = el("h1", {}, "Cluster");
  const words = el("p", { class: "quiet" });
  const cards = el("ul", { class: "machines" });
  const times = timeline();
  main.append(el("div", { class: "hero" }, heading), words, cards, times.node);
  let vitals = {};
  let latest = null;
  const draw = () => {
    if (!latest) return;
    keyed(cards, latest.nodes, (node) => node.id, machine, (item, node) => item.update(node, latest, vitals[node.name]));
  };
  const watch = watchVitals((seen) => {
    vitals = seen;
    draw();
  });
  return {
    update({ now }) {
      latest = now;
      text(heading, count(now.nodes.length, "node"));
      text(words, `Cluster ${now.cluster.slice(0, 8)}, led by ${now.leader ?? "nobody"}; entry ${now.index}; pinode ${now.version}`);
      draw();
      times.update(now);
    },
    close() {
      watch.end();
      times.close();
    },
  };
}

/** The machines' own figures, for as long as somebody looks. */
function watchVitals(heard) {
  let abort = null;
  async function follow() {
    abort?.abort();
    const mine = (abort = new AbortController());
    let rest = "";
    while (!mine.signal.aborted && !document.hidden) {
      try {
        await streamText("/web/vitals", mine.signal, (piece) => {
          const lines = (rest + piece).split("\n");
          rest = lines.pop();
          for (const one of lines) if (one.startsWith("data:")) heard(JSON.parse(one.slice(5)));
        });
      } catch {
        // The page says elsewhere that its node is silent.
      }
      if (!mine.signal.aborted) await new Promise((done) => setTimeout(done, 3000));
    }
  }
  const seen = () => (document.hidden ? abort?.abort() : follow());
  document.addEventListener("visibilitychange", seen);
  follow();
  return { end() { document.removeEventListener("visibilitychange", seen); abort?.abort(); } };
}

function machine(node) {
  const path = `/api/v1/nodes/${part(node.name)}`;
  const name = el("h2");
  const state = pill("up");
  const role = el("span", { class: "tag" });
  const problems = el("ul", { class: "wrong" });
  const facts = el("p", { class: "quiet" });
  const meters = { cpus: meter("CPUs"), memory: meter("Memory"), slots: meter("Slots") };
  const heat = el("p", { class: "heat" });
  const runs = el("ul", { class: "rows" });
  const drain = button("Drain", () => attempt(() => post(`${path}/drain`), `${node.name} takes no more work.`));
  const undrain = button("Undrain", () => attempt(() => post(`${path}/undrain`), `${node.name} takes work again.`));
  const item = el("li", { class: "card machine" }, el("div", { class: "row" }, name, role, state), facts, problems,
    Object.values(meters), heat, el("h3", {}, "Runs here"), runs, el("div", { class: "acts" }, drain, undrain));
  item.update = (seen, now, vitals) => {
    text(name, seen.name);
    state.update(seen.state);
    text(role, seen.role === "leader" ? "★ leader" : seen.role);
    const model = seen.labels.model ?? [seen.labels.os, seen.labels.arch].filter(Boolean).join(", ");
    text(facts, [model, `Docker ${seen.engine}`, `session ${seen.session}`, seen.address].filter(Boolean).join(" · "));
    const wrongs = seen.shared ? seen.problems : [...seen.problems, "it does not see the shared folder"];
    keyed(problems, wrongs, (one) => one, (one) => el("li", {}, one));
    const share = (part, whole) => (whole ? part / whole : 0);
    const used = (value, word) => (value === null || value === undefined ? "" : `, ${word} in use`);
    meters.cpus.update(share(seen.cpus_reserved, seen.cpus), `${seen.cpus_reserved} of ${seen.cpus} reserved${used(vitals?.cpus_used, vitals?.cpus_used?.toFixed(1))}`, share(vitals?.cpus_used ?? 0, seen.cpus));
    meters.memory.update(share(seen.memory_reserved, seen.memory), `${bytes(seen.memory_reserved)} of ${bytes(seen.memory)} reserved${used(vitals?.memory_used, bytes(vitals?.memory_used))}`, share(vitals?.memory_used ?? 0, seen.memory));
    meters.slots.update(share(seen.containers, seen.slots), `${seen.containers} of ${seen.slots}`);
    const warm = vitals?.celsius === null || vitals?.celsius === undefined ? null : `${vitals.celsius.toFixed(0)} °C`;
    text(heat, [warm, ...(vitals?.throttled ?? [])].filter(Boolean).join(" · "));
    attr(heat, "class", vitals?.throttled.length ? "heat wrong" : "heat");
    heat.hidden = !heat.textContent;
    const here = now.containers.filter((c) => c.node === seen.name && ACTIVE.has(c.state));
    keyed(runs, here.slice(0, 12), (c) => c.id, () => line(), (row, c) => row.update({ ...c, node: null }));
    const drained = /drain/.test(seen.state) || seen.drained === true;
    drain.hidden = drained || seen.state === "lost";
    undrain.hidden = !drained;
  };
  return item;
}
