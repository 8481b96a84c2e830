// Requests a second as stacked areas, with a slider that reads out one moment.

import { el, rate, setText, svg } from "./dom.js";

const HEIGHT = 190;
const LEFT = 44;
const BOTTOM = 20;
const TOP = 8;

export class Chart {
  /** `label`: what the slider chooses, for those who do not see it. `time`: how a moment is written. */
  constructor(place, { label, time }) {
    this.time = time;
    this.data = { series: [], points: [], from: 0, to: 1 };
    this.isAtEnd = true;
    this.drawing = svg("svg", { class: "chart", height: HEIGHT, "aria-hidden": "true" });
    this.slider = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": label });
    this.moment = el("span", { class: "moment" });
    this.legend = el("ul", { class: "legend" });
    this.empty = el("p", { class: "note empty" }, "Nothing to show yet.");
    place.append(this.empty, this.drawing, this.slider, el("div", { class: "readout" }, this.moment, this.legend));
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    this.drawing.addEventListener("pointermove", (event) => this.point(event));
    this.drawing.addEventListener("pointerleave", () => this.choose(this.data.points.length - 1));
    new ResizeObserver(() => this.redraw()).observe(place);
  }

  /**
   * `series`: key, name and class of each area, from below. `points`: by time, each `{ time, rates }` with rates by key; time and
   * `from`, `to` in milliseconds.
   */
  draw(data) {
    this.data = data;
    this.redraw();
  }

  choose(index) {
    const last = this.data.points.length - 1;
    this.isAtEnd = index >= last;
    this.slider.value = String(Math.max(0, Math.min(index, last)));
    this.read();
  }

  point(event) {
    const { points } = this.data;
    if (points.length === 0) return;
    const x = event.clientX - this.drawing.getBoundingClientRect().left;
    let nearest = 0;
    points.forEach((point, index) => {
      if (Math.abs(this.x(point.time) - x) < Math.abs(this.x(points[nearest].time) - x)) nearest = index;
    });
    this.choose(nearest);
  }

  x(time) {
    return LEFT + ((time - this.data.from) / (this.data.to - this.data.from)) * (this.width - LEFT - 2);
  }

  y(value) {
    return TOP + (1 - value / this.top) * (HEIGHT - BOTTOM - TOP);
  }

  redraw() {
    const { series, points, from, to } = this.data;
    this.width = Math.max(200, this.drawing.parentElement.clientWidth);
    this.drawing.setAttribute("width", this.width);
    this.drawing.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.empty.hidden = points.length > 0;
    const step = tick(Math.max(1, ...points.map((point) => series.reduce((sum, { key }) => sum + (point.rates[key] ?? 0), 0))));
    this.top = step * 4;
    const parts = [];
    for (let line = 0; line <= 4; line += 1) {
      const y = this.y(line * step);
      parts.push(svg("line", { class: "grid", x1: LEFT, x2: this.width, y1: y, y2: y }));
      parts.push(svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, rate(line * step)));
    }
    const columns = this.width < 420 ? 3 : 5;
    for (let column = 0; column <= columns; column += 1) {
      const time = from + ((to - from) * column) / columns;
      const anchor = column === 0 ? "start" : column === columns ? "end" : "middle";
      parts.push(svg("text", { x: this.x(time), y: HEIGHT - 4, "text-anchor": anchor }, this.time(time)));
    }
    const below = points.map(() => 0);
    for (const { key, colour } of series) {
      const lower = points.map((point, index) => `${this.x(point.time).toFixed(1)},${this.y(below[index]).toFixed(1)}`);
      points.forEach((point, index) => (below[index] += point.rates[key] ?? 0));
      const upper = points.map((point, index) => `${this.x(point.time).toFixed(1)},${this.y(below[index]).toFixed(1)}`);
      if (points.length > 0) parts.push(svg("polygon", { class: `area ${colour}`, points: [...upper, ...lower.reverse()].join(" ") }));
    }
    this.cursor = svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
    parts.push(this.cursor);
    this.drawing.replaceChildren(...parts);
    this.slider.max = String(Math.max(0, points.length - 1));
    if (this.isAtEnd) this.slider.value = this.slider.max;
    this.read();
  }

  /** What the slider stands on, in words. */
  read() {
    const { series, points } = this.data;
    const point = points[Number(this.slider.value)];
    const names = JSON.stringify(series);
    if (this.listed !== names) {
      this.listed = names;
      this.values = new Map(series.map(({ key }) => [key, el("b", {})]));
      this.legend.replaceChildren(
        ...series.map(({ key, name, colour }) => el("li", {}, el("span", { class: `swatch ${colour}` }), name, " ", this.values.get(key))),
      );
    }
    for (const { key } of series) setText(this.values.get(key), point ? rate(point.rates[key] ?? 0) : "–");
    setText(this.moment, point ? this.time(point.time) : "");
    this.cursor?.setAttribute("visibility", point ? "visible" : "hidden");
    if (!point) {
      this.slider.setAttribute("aria-valuetext", this.empty.textContent);
      return;
    }
    this.cursor?.setAttribute("x1", this.x(point.time));
    this.cursor?.setAttribute("x2", this.x(point.time));
    const spoken = series.map(({ key, name }) => `${name} ${rate(point.rates[key] ?? 0)}`).join(", ");
    this.slider.setAttribute("aria-valuetext", `${this.time(point.time)}: ${spoken} requests a second`);
  }
}

/** The least of 1, 2, 2.5, 5 times a power of ten that reaches `most` in four steps. */
function tick(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step * 4 >= most) ?? power * 10;
}
