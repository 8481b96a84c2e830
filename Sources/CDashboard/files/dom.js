// Elements from values. Text goes in as text, never as markup: names in the catalog are foreign data.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}

export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byID = (id) => document.getElementById(id);

/** Writes only what differs, so that a screen reader's place and a selection stay. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Numbers and times as the page shows them. Times are UTC, as in the logs.

export const whole = (number) => number.toLocaleString("en");

export function rate(number) {
  if (number === 0) return "0";
  return number.toLocaleString("en", { maximumFractionDigits: number < 100 ? 1 : 0 });
}

export const percent = (part) => `${(part * 100).toFixed(1)} %`;

export const clock = (time) => `${new Date(time).toISOString().slice(11, 19)}`;

export const stamp = (time) => `${new Date(time).toISOString().slice(0, 16).replace("T", " ")}`;

export function span(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** The revision's number in an ETag. */
export const numberOf = (etag) => Number(etag.slice(1).split("-")[0]);

/** The class that gives a target its colour. */
export function colour(target, cdn, names) {
  if (target === "origin") return "of-origin";
  if (target === "none") return "of-none";
  const index = names.indexOf(cdn);
  return index < 0 ? "of-removed" : `of-cdn-${index % 8}`;
}

/** What a revision changed: pointer, before, after. */
export function changes(list, count = list.length) {
  const value = (side, mark) =>
    side === undefined || side === null ? null : el("span", { class: mark }, typeof side === "string" ? side : JSON.stringify(side));
  if (list.length === 0) return el("p", { class: "note" }, count === null ? "The differences are not known yet." : "No difference.");
  const rest = count - list.length;
  return el(
    "ul",
    { class: "changes" },
    list.map((change) =>
      el(
        "li",
        {},
        el("code", {}, change.pointer === "" ? "/" : change.pointer),
        " ",
        value(change.from, "from") ?? el("span", { class: "note" }, "new"),
        " → ",
        value(change.to, "to") ?? el("span", { class: "note" }, "removed"),
      ),
    ),
    rest > 0 ? el("li", { class: "note" }, `${rest} more are not shown.`) : null,
  );
}
