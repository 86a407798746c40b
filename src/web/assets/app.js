// The shell: which page is shown, and what all pages share.

import * as cluster from "/web/cluster.js";
import * as containers from "/web/containers.js";
import * as encode from "/web/encode.js";
import * as graph from "/web/graph.js";
import * as home from "/web/home.js";
import { say } from "/web/api.js";
import { fill } from "/web/dom.js";
import { listen, live, start } from "/web/live.js";

const PAGES = { "": home, encode, graph, cluster, containers };

let page = null;

/** "#/graph/film-1?node=n1" → the page, the rest of the path, the query. */
function where() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  return { name, rest: rest.map(decodeURIComponent).join("/"), query: new URLSearchParams(query) };
}

function show() {
  // A link inside the page ("skip to…") is no page.
  if (location.hash && !location.hash.startsWith("#/")) return;
  const { name, rest, query } = where();
  const wanted = PAGES[name] ?? home;
  const main = document.getElementById("main");
  if (page?.module === wanted && page.view.go) {
    page.view.go(rest, query);
  } else {
    page?.view.close?.();
    fill(main);
    page = { module: wanted, view: wanted.show(main, rest, query) };
    scrollTo(0, 0);
  }
  document.title = wanted === home ? "pinode" : `${wanted.title} · pinode`;
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#/${wanted === home ? "" : name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (live.now) page.view.update?.(live);
}

listen(() => page?.view.update?.(live));
addEventListener("hashchange", show);
const from = new URLSearchParams(location.search).get("from");
if (from) {
  say(`${from} fell silent; this page goes on here.`);
  history.replaceState(null, "", location.pathname + location.hash);
}
show();
start();
