// Who ran what when: a row of lanes for each node, a bar for each attempt. Failures and second attempts catch the eye.

import { attr, el, keyed, svg, text } from "/web/dom.js";
import { choice, linkTo } from "/web/parts.js";
import { clock, moment, took } from "/web/words.js";

const SPANS = { "5 minutes": 300, "1 hour": 3600, "1 day": 86400 };
const LANE = 16;
const LANES_MAX = 12;
const LEFT = 72;
const TOP = 22;
/** Bars at once, the newest. */
const SHOWN = 600;
/** While something runs the picture moves. */
const TICK = 1000;

export function timeline() {
  let span = "5 minutes";
  let latest = null;
  let ticking;
  const pick = choice("Shows", (word) => {
    span = word;
    draw();
  });
  const canvas = svg("svg", { class: "timeline", role: "group", "aria-label": "Who ran what when" });
  const grid = svg("g");
  const rows = svg("g");
  const bars = svg("g");
  canvas.append(grid, rows, bars);
  const box = el("div", { class: "scroll" }, canvas);
  const node = el("section", { class: "card" }, el("div", { class: "row" }, el("h2", {}, "Who ran what when"), pick), box,
    el("p", { class: "legend quiet" }, [["running", "running"], ["succeeded", "succeeded"], ["failed", "failed or lost"], ["again", "a second attempt has a mark"]].map(([kind, word]) => el("span", { class: kind }, word))));

  function draw() {
    clearTimeout(ticking);
    if (!latest) return;
    pick.update(Object.keys(SPANS), span);
    const end = Date.now();
    const attempts = latest.containers.flatMap((c) => c.attempts.map((one, at) => ({
      c, one, from: moment(one.started_at),
      // Nobody saw the end of an attempt whose node was lost; it was over when the next one began.
      to: moment(one.finished_at) ?? (one.end ? moment(c.attempts[at + 1]?.started_at) : null),
    })));
    const known = attempts.filter((run) => run.from !== null).map((run) => ({ ...run, to: run.to ?? (run.one.end ? run.from : end), goes: !run.one.end && !run.to }));
    const oldest = known.reduce((least, run) => Math.min(least, run.from), end - 5000);
    const begin = SPANS[span] ? Math.max(end - SPANS[span] * 1000, oldest) : oldest;
    const runs = known.filter((run) => run.to >= begin).sort((a, b) => a.from - b.from).slice(-SHOWN);
    const width = Math.max(320, box.clientWidth);
    const x = (ms) => LEFT + ((Math.max(ms, begin) - begin) / (end - begin)) * (width - LEFT - 8);
    let top = TOP;
    const placed = [];
    const nodes = latest.nodes.map((machine) => {
      const lanes = [];
      for (const run of runs.filter((one) => one.one.node === machine.name)) {
        let lane = lanes.findIndex((until) => until <= run.from);
        if (lane < 0) lane = lanes.length < LANES_MAX ? lanes.length : LANES_MAX - 1;
        lanes[lane] = run.to;
        placed.push({ ...run, x: x(run.from), width: Math.max(3, x(run.to) - x(run.from) - 1), y: top + lane * LANE + 2 });
      }
      const row = { name: machine.name, top, height: Math.max(1, lanes.length) * LANE + 4 };
      top += row.height + 6;
      return row;
    });
    attr(canvas, "viewBox", `0 0 ${width} ${top}`);
    attr(canvas, "width", width);
    attr(canvas, "height", top);
    const steps = [0, 1, 2, 3].map((at) => begin + ((end - begin) * at) / 4);
    keyed(grid, steps.map((ms, at) => ({ ms, at })), (step) => step.at, () => svg("g", {}, svg("line", { y1: TOP - 4 }), svg("text", { y: 12 })), (item, { ms }) => {
      const [rule, words] = item.children;
      attr(rule, "x1", x(ms));
      attr(rule, "x2", x(ms));
      attr(rule, "y2", top);
      attr(words, "x", x(ms) + 3);
      text(words, clock(ms));
    });
    keyed(rows, nodes, (row) => row.name, (row) => svg("g", {}, svg("rect", { x: 0, rx: 6, class: "lane" }), svg("text", { x: 8 }, row.name)), (item, row) => {
      const [lane, words] = item.children;
      attr(lane, "y", row.top);
      attr(lane, "width", width);
      attr(lane, "height", row.height);
      attr(words, "y", row.top + 15);
    });
    keyed(bars, placed, (run) => `${run.c.id} ${run.one.number}`, makeBar, updateBar);
    if (placed.some((run) => run.goes)) ticking = setTimeout(draw, TICK);
  }

  return {
    node,
    update(now) {
      latest = now;
      draw();
    },
    close: () => clearTimeout(ticking),
  };
}

const makeBar = (run) => svg("a", { href: linkTo(run.c.name) }, svg("title"), svg("rect", { rx: 3, height: LANE - 3 }), svg("text"));

function updateBar(item, run) {
  const [title, box, words] = item.children;
  const word = run.one.went;
  attr(item, "class", `bar ${word}${run.one.number > 1 ? " again" : ""}`);
  text(title, `${run.c.name}, attempt ${run.one.number} on ${run.one.node}: ${run.one.end ?? "runs"}, ${took(run.one)}`);
  attr(box, "x", run.x);
  attr(box, "y", run.y);
  attr(box, "width", run.width);
  const mark = `${word === "failed" ? "✕ " : ""}${run.one.number > 1 ? `↻${run.one.number} ` : ""}`;
  const name = run.c.name.split(".").at(-1);
  const room = Math.floor((run.width - 6) / 6.5);
  const label = `${mark}${name}`;
  text(words, label.length <= room ? label : room > 3 ? `${label.slice(0, room - 1)}…` : mark && room > 0 ? mark[0] : "");
  attr(words, "x", run.x + 4);
  attr(words, "y", run.y + 10);
}
