// Elements, made and changed by hand. Text is only ever text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An element: el("p", {class: "x", on: {click: f}}, "text", child). */
export const el = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);

/** The same, of a picture. */
export const svg = (tag, attributes = {}, ...children) => dress(document.createElementNS(SVG, tag), attributes, children);

/** Changes a text where it is another one: selections and screen readers stay undisturbed. */
export function text(node, value) {
  const wanted = value ?? "";
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Sets an attribute where it is another one; null takes it away. */
export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Makes `parent` hold one child for each item, in their order. A child is made once for its key, and updated after. */
export function keyed(parent, items, keyOf, make, update) {
  const kept = parent.keyed ?? (parent.keyed = new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, node] of kept) {
    if (!wanted.has(key)) {
      node.remove();
      kept.delete(key);
    }
  }
  let place = null;
  for (const item of items) {
    const key = keyOf(item);
    let node = kept.get(key);
    if (!node) {
      node = make(item);
      kept.set(key, node);
    }
    const next = place ? place.nextSibling : parent.firstChild;
    if (node !== next) parent.insertBefore(node, next);
    if (update) update(node, item);
    place = node;
  }
}

/** A button. */
export const button = (label, act, kind = "") => el("button", { type: "button", class: kind, on: { click: act } }, label);

/** Empties `parent` and fills it anew. */
export const fill = (parent, ...children) => parent.replaceChildren(...children.flat().filter(Boolean));
