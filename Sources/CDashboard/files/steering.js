// What steered players are told now: by first pathway, and who moves and why.

import { byID, el, percent, rate, setText, span, whole } from "./dom.js";

/** Milliseconds that rates are taken over: players ask every few minutes. */
const WINDOW = 60_000;

const WHY = {
  down: "their CDN is down",
  drained: "their CDN is drained",
  avoided: "they asked to avoid it",
  place: "their place is elsewhere",
};

const keyOf = ({ target, cdn }) => `${target}/${cdn}`;

export class Steering {
  constructor() {
    this.samples = [];
  }

  /** Called with each event. */
  take({ time: text, node, steering }) {
    byID("steering").hidden = steering === null;
    if (steering === null) {
      this.samples = [];
      return;
    }
    const time = Date.parse(text);
    const last = this.samples.at(-1);
    if (last?.time === time) return;
    // Another process counts from zero again.
    if (last && (last.boot !== node.started || time < last.time)) this.samples = [];
    this.samples = [...this.samples.filter((old) => old.time >= time - WINDOW), { time, boot: node.started, steering }];
    this.show(steering, this.samples[0], (time - this.samples[0].time) / 1000);
  }

  show({ answers, moves }, first, seconds) {
    const before = Object.fromEntries(first.steering.answers.map((entry) => [keyOf(entry), entry.answers]));
    const rows = answers.map((entry) => ({
      name: entry.target === "origin" ? "Origin" : entry.cdn,
      count: Math.max(0, entry.answers - (before[keyOf(entry)] ?? 0)),
    }));
    const all = rows.reduce((sum, row) => sum + row.count, 0);
    setText(byID("steering-window"), seconds > 0 ? `this node, last ${span(seconds)}` : "this node");
    byID("steering").querySelector("tbody").replaceChildren(
      ...rows.map(({ name, count }) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, name),
          el("td", { class: "number", "data-label": "Answers/s" }, seconds > 0 ? rate(count / seconds) : "–"),
          el("td", { class: "number", "data-label": "Share" }, all > 0 ? percent(count / all) : "–"),
        ),
      ),
    );
    const minutes = seconds / 60;
    const parts = Object.keys(WHY)
      .map((why) => ({ why, count: Math.max(0, moves[why] - (first.steering.moves[why] ?? 0)) }))
      .filter(({ count }) => count > 0)
      .map(({ why, count }) => `${whole(Math.round(count / Math.max(minutes, 1 / 60)))} because ${WHY[why]}`);
    setText(byID("steering-moves"), parts.length > 0 ? `Moves a minute: ${parts.join("; ")}.` : "Nobody moves.");
  }
}
