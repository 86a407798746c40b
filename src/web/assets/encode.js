// Encode a film: drop it in, watch it arrive, watch the cluster work, take it out.

import { attr, button, el, keyed, text } from "/web/dom.js";
import { films } from "/web/film.js";
import { refresh } from "/web/live.js";
import { Upload } from "/web/upload.js";
import { bytes, seconds } from "/web/words.js";

export const title = "Encode";
/** Of this visit; they go on while another page is shown. */
const uploads = [];
let view = null;

export function show(main) {
  const input = el("input", { type: "file", id: "film", multiple: true, accept: "video/*,.mkv,.avi,.mov,.mp4,.webm,.ts", class: "unseen", on: { change: () => take(input.files) } });
  const zone = el("label", { class: "drop", for: "film" }, el("strong", {}, "Drop films here"), el("span", {}, "or choose them from this device"));
  const pick = { name: field("name", "Name of the result", "as the file"), parts: field("parts", "Parts", "one a CPU", "number", { min: 1, max: 256 }) };
  const how = select("how", "How good", [["bitrate", "by bitrate"], ["quality", "by quality"]], () => swap());
  pick.bitrate = field("bitrate", "Bitrate", "2M");
  pick.quality = field("quality", "Quality, 0 best to 51", "23", "number", { min: 0, max: 51 });
  pick.codec = select("codec", "Codec", [["libx264", "H.264"], ["libx265", "H.265"]]);
  const swap = () => {
    pick.bitrate.node.hidden = how.value !== "bitrate";
    pick.quality.node.hidden = how.value !== "quality";
  };
  swap();
  const sending = el("ul", { class: "films" });
  const list = films({ only: () => true, empty: "No film yet. The first one starts with a drop." });
  const form = el("form", { class: "card options", on: { submit: (event) => event.preventDefault() } }, [pick.name.node, pick.parts.node, how.node, pick.bitrate.node, pick.quality.node, pick.codec.node]);
  main.append(el("div", { class: "hero" }, el("h1", {}, "Encode a film")), input, zone, form, el("section", { "aria-label": "On their way", "aria-live": "polite" }, sending), el("h2", {}, "Films"), list.node);

  function wishes(several) {
    const wanted = {};
    for (const key of ["name", "parts", how.value, "codec"]) {
      const value = pick[key].value.trim();
      if (value && !(key === "name" && several)) wanted[key] = key === "parts" || key === "quality" ? Number(value) : value;
    }
    return wanted;
  }

  function take(files) {
    for (const { wrong, input: one } of Object.values(pick)) {
      if (wrong) text(wrong, "");
      attr(one, "aria-invalid", null);
    }
    for (const file of files) {
      const upload = new Upload(file, wishes(files.length > 1), tell);
      uploads.unshift(upload);
      upload.run();
    }
    input.value = "";
    view.draw();
  }

  const over = (on) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    take(event.dataTransfer.files);
  });
  // A film that misses the zone would replace the page.
  const catchAll = (event) => event.preventDefault();
  addEventListener("dragover", catchAll);
  addEventListener("drop", catchAll);

  view = {
    update: ({ now }) => list.update(now),
    draw: () => keyed(sending, uploads.filter((one) => one.state !== "done"), (one) => one.key, card, (item) => item.update()),
    blame(error) {
      const at = pick[error.field];
      if (!at?.wrong) return;
      text(at.wrong, error.message);
      attr(at.input, "aria-invalid", "true");
    },
    close() {
      removeEventListener("dragover", catchAll);
      removeEventListener("drop", catchAll);
      list.close();
      view = null;
    },
  };
  view.draw();
  return view;
}

function tell(upload) {
  if (upload.state === "done") refresh();
  if (upload.state === "failed") view?.blame(upload.error);
  view?.draw();
}

function card(upload) {
  const name = el("h3", {}, upload.file.name);
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Upload of ${upload.file.name}` });
  const words = el("p", { class: "quiet" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const cancel = button("Cancel", () => upload.cancel());
  const again = button("Try again", () => {
    forget(upload);
    const next = new Upload(upload.file, upload.wishes, tell);
    uploads.unshift(next);
    next.run();
    view?.draw();
  });
  const close = button("Put away", () => {
    forget(upload);
    view?.draw();
  });
  const item = el("li", { class: "card film" }, name, bar, words, wrong, el("div", { class: "acts" }, cancel, again, close));
  item.update = () => {
    const { state, sent, file, rate, error } = upload;
    bar.value = file.size ? sent / file.size : 0;
    if (state === "checks") bar.removeAttribute("value");
    const left = rate > 0 ? `, ${bytes(rate)}/s, ${seconds((file.size - sent) / rate)} left` : "";
    text(words, {
      waits: "waits for its turn",
      sends: `${bytes(sent)} of ${bytes(file.size)}${left}${upload.resumed ? ", went on where it was" : ""}`,
      broken: `${bytes(sent)} of ${bytes(file.size)} are there`,
      checks: "all there; the cluster looks whether it is a film",
      failed: "refused", cancelled: "cancelled",
    }[state]);
    text(wrong, (state === "failed" || state === "broken") && error ? error.message : "");
    const over = state === "failed" || state === "cancelled";
    bar.hidden = over;
    cancel.hidden = over || state === "checks";
    again.hidden = close.hidden = !over;
  };
  return item;
}

function forget(upload) {
  uploads.splice(uploads.indexOf(upload), 1);
}

function field(name, label, hint, type = "text", more = {}) {
  const input = el("input", { type, name, placeholder: hint, autocomplete: "off", ...more });
  const wrong = el("span", { class: "wrong", role: "alert" });
  return { node: el("label", { class: "field" }, el("span", {}, label), input, wrong), input, wrong, get value() { return input.value; } };
}

function select(name, label, options, act = () => {}) {
  const input = el("select", { name, on: { change: act } }, options.map(([value, word]) => el("option", { value }, word)));
  const wrong = el("span", { class: "wrong", role: "alert" });
  return { node: el("label", { class: "field" }, el("span", {}, label), input, wrong), input, wrong, get value() { return input.value; } };
}
