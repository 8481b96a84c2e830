// What goes where now, beside what the catalog asks for, and the two charts.

import { ask } from "./api.js";
import { Chart } from "./chart.js";
import { byID, clock, colour, el, percent, rate, setText, span, stamp, svg, whole } from "./dom.js";

const LIVE = 300_000;
/** Milliseconds that shares are taken over; shorter after a change of what is wanted. */
const WINDOW = 60_000;
/** Milliseconds that rates are taken over. */
const RECENT = 5_000;

/** How far back, and how finely; seconds. Minutes are kept for six hours, hours for two weeks. */
const SPANS = [
  { name: "1 h", seconds: 3600, step: 60, by: "minute" },
  { name: "6 h", seconds: 21_600, step: 60, by: "minute" },
  { name: "2 d", seconds: 172_800, step: 3600, by: "hour" },
  { name: "14 d", seconds: 1_209_600, step: 3600, by: "hour" },
];

const keyOf = ({ target, cdn }) => `${target}/${cdn}`;
const nameOf = ({ target, cdn }) => (target === "origin" ? "Origin" : target === "none" ? "Refused" : cdn);

export class Targets {
  constructor() {
    this.samples = [];
    this.points = [];
    this.rows = new Map();
    this.catalog = null;
    this.now = new Chart(byID("now-chart"), { label: "Moment of the last 5 minutes", time: clock });
    this.past = new Chart(byID("past-chart"), { label: "Moment of the history", time: (time) => this.pastTime(time) });
    this.chosen = SPANS[0];
    byID("spans").append(
      ...SPANS.map((choice) => {
        const input = el("input", { type: "radio", name: "span", value: choice.name, checked: choice === this.chosen });
        input.addEventListener("change", () => {
          this.chosen = choice;
          this.loadPast();
        });
        return el("label", {}, input, el("span", {}, choice.name));
      }),
    );
  }

  pastTime(time) {
    return this.chosen.seconds > 86_400 ? stamp(time).slice(5) : stamp(time).slice(11);
  }

  /** Called with each event. */
  take(status) {
    const time = Date.parse(status.time);
    const last = this.samples.at(-1);
    // While the database hangs, a node tells its last status again.
    if (last?.time === time) return;
    // Another process counts from zero again.
    if (last && (last.boot !== status.node.started || time < last.time)) this.samples = [];
    const wanted = JSON.stringify(status.answered.map((entry) => [entry.cdn, entry.wanted]));
    const isOther = last && last.wanted !== wanted;
    const counts = Object.fromEntries(status.answered.map((entry) => [keyOf(entry), entry.requests]));
    const sample = { time, counts, wanted, boot: status.node.started };
    const previous = this.samples.at(-1);
    if (previous) {
      const seconds = (time - previous.time) / 1000;
      const rates = {};
      for (const key of Object.keys(counts)) rates[key] = Math.max(0, counts[key] - (previous.counts[key] ?? 0)) / seconds;
      this.points.push({ time, rates });
    }
    this.points = this.points.filter((point) => point.time >= time - LIVE);
    this.samples = isOther ? [sample] : [...this.samples.filter((old) => old.time >= time - WINDOW), sample];
    this.status = status;
    this.showTable(time);
    this.showNow(time);
    const minute = Math.floor(time / 60_000);
    // The last minute is stored a few seconds after its end.
    if (this.minute === undefined || (minute !== this.minute && time % 60_000 > 5_000)) {
      this.minute = minute;
      this.loadPast();
    }
  }

  /** Called when the catalog has changed. */
  takeCatalog(catalog) {
    this.catalog = catalog;
    if (this.status) this.showTable(Date.parse(this.status.time));
    if (this.sums) this.showPast();
    setText(byID("policy"), describe(catalog));
  }

  showTable(time) {
    const { answered, health } = this.status;
    // Without the database there is no catalog to read, but traffic and health go on.
    this.names = this.catalog?.cdns.map((cdn) => cdn.name) ?? answered.filter((entry) => entry.target === "cdn").map((entry) => entry.cdn);
    const first = this.samples[0];
    const seconds = (time - first.time) / 1000;
    const since = (entry) => Math.max(0, entry.requests - (first.counts[keyOf(entry)] ?? 0));
    const redirects = answered.filter((entry) => entry.target !== "none").reduce((sum, entry) => sum + since(entry), 0);
    setText(byID("window"), seconds > 0 ? `this node; shares of the last ${span(seconds)}` : "this node");
    const recent = this.points.filter((point) => point.time > time - RECENT);
    const rateOf = (key) => (recent.length ? recent.reduce((sum, point) => sum + (point.rates[key] ?? 0), 0) / recent.length : null);
    const wanted = new Set();
    for (const entry of answered) {
      // A removed CDN that gets nothing is no target.
      if (entry.target === "cdn" && !this.names.includes(entry.cdn) && since(entry) === 0) continue;
      const key = keyOf(entry);
      wanted.add(key);
      if (!this.rows.has(key)) this.rows.set(key, new Row(entry));
      const cdn = this.catalog?.cdns.find((candidate) => entry.target === "cdn" && candidate.name === entry.cdn);
      this.rows.get(key).show({
        entry,
        cdn,
        colour: colour(entry.target, entry.cdn, this.names),
        every: this.catalog?.origin.every,
        report: health.targets.find((report) => report.kind === "cdn" && entry.target === "cdn" && report.name === entry.cdn),
        isRemoved: entry.target === "cdn" && !this.names.includes(entry.cdn),
        rate: rateOf(key),
        share: redirects > 0 && entry.target !== "none" ? since(entry) / redirects : null,
      });
    }
    const body = byID("targets").tBodies[0];
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.node.remove();
      this.rows.delete(key);
    }
    answered.filter((entry) => wanted.has(keyOf(entry))).forEach((entry, index) => {
      const node = this.rows.get(keyOf(entry)).node;
      if (body.children[index] !== node) body.insertBefore(node, body.children[index] ?? null);
    });
  }

  series(entries) {
    return entries.map((entry) => ({ key: keyOf(entry), name: nameOf(entry), colour: colour(entry.target, entry.cdn, this.names ?? []) }));
  }

  showNow(time) {
    const used = this.status.answered.filter(
      (entry) => entry.wanted > 0 || this.points.some((point) => point.rates[keyOf(entry)] > 0));
    this.now.draw({ series: this.series(used), points: this.points, from: time - LIVE, to: time });
  }

  async loadPast() {
    const { seconds, by, step } = this.chosen;
    const to = Math.floor(Date.parse(this.status.time) / 60_000) * 60;
    const from = Math.ceil((to - seconds) / step) * step;
    const time = (value) => new Date(value * 1000).toISOString();
    try {
      const { value } = await ask("GET", `/api/v1/traffic?by=${by},target,cdn&from=${time(from)}&to=${time(to)}`);
      this.sums = { list: value.sums, by, step, from, to };
      this.showPast();
    } catch (refused) {
      setText(this.past.empty, refused.message);
      this.past.draw({ series: [], points: [], from: from * 1000, to: to * 1000 });
    }
  }

  showPast() {
    const { list, by, step, from, to } = this.sums;
    const points = [];
    for (let start = from; start < to; start += step) points.push({ time: start * 1000, rates: {} });
    const seen = new Map();
    for (const sum of list) {
      const start = Date.parse(sum[by]) / 1000;
      const point = points[Math.floor((start - from) / step)];
      if (!point) continue;
      seen.set(keyOf(sum), { target: sum.target, cdn: sum.cdn });
      // The present hour is not over.
      point.rates[keyOf(sum)] = sum.requests / (Math.min(to, start + step) - start);
    }
    const order = ["origin/", ...(this.names ?? []).map((name) => `cdn/${name}`)];
    const place = (entry) => {
      const index = order.indexOf(keyOf(entry));
      return entry.target === "none" ? order.length + 1 : index < 0 ? order.length : index;
    };
    const entries = [...seen.values()].sort((a, b) => place(a) - place(b));
    setText(this.past.empty, "No traffic is stored for this time; minutes are stored when they are over.");
    this.past.draw({ series: this.series(entries), points: entries.length ? points : [], from: from * 1000, to: to * 1000 });
  }
}

/** One target's line of the table. */
class Row {
  constructor(entry) {
    this.swatch = el("span", { class: "swatch" });
    this.sub = el("span", { class: "sub" });
    const cell = (label, name = "number") => el("td", { class: name, "data-label": label });
    this.health = cell("Health", "health");
    this.weight = cell(entry.target === "origin" ? "N" : "Weight");
    this.rate = cell("Requests/s");
    this.bar = el("td", { class: "share", "data-label": "Share" });
    this.share = cell("Now");
    this.wanted = cell("Wanted");
    this.total = cell("Since start");
    this.node = el(
      "tr",
      { "data-target": keyOf(entry) },
      el("th", { scope: "row" }, this.swatch, el("span", { class: "name" }, nameOf(entry)), this.sub),
      this.health, this.weight, this.rate, this.bar, this.share, this.wanted, this.total,
    );
  }

  show({ entry, cdn, colour, every, report, isRemoved, rate: now, share }) {
    this.swatch.setAttribute("class", `swatch ${colour}`);
    setText(this.sub, cdn ? (cdn.httpsUrl ? `${cdn.url}, ${cdn.httpsUrl}` : cdn.url) : isRemoved ? "removed from the catalog" : "");
    setText(this.weight, cdn ? (cdn.enabled ? String(cdn.weight) : "off") : entry.target === "origin" && every !== undefined ? `N = ${every}` : "");
    setText(this.rate, now === null ? "–" : rate(now));
    setText(this.share, share === null ? "–" : percent(share));
    setText(this.wanted, entry.wanted === null ? "" : percent(entry.wanted));
    setText(this.total, whole(entry.requests));
    if (entry.target === "none") {
      setText(this.share, "");
    } else {
      const state = `${share} ${entry.wanted} ${colour}`;
      if (this.drawn !== state) this.bar.replaceChildren(bar(share ?? 0, entry.wanted, colour));
      this.drawn = state;
    }
    if (entry.target === "cdn" && !isRemoved) showHealth(this.health, report);
    this.node.classList.toggle("is-off", cdn !== undefined && (!cdn.enabled || cdn.weight === 0));
  }
}

function bar(share, wanted, colour) {
  return svg(
    "svg",
    { class: "bar", viewBox: "0 0 1000 16", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", width: 1000, height: 16 }),
    svg("rect", { class: colour, y: 3, width: Math.round(share * 1000), height: 10 }),
    svg("rect", { class: "mark", x: Math.min(994, Math.max(0, Math.round(wanted * 1000) - 3)), width: 6, height: 16 }),
  );
}

/** State, the last verdicts (newest to the right) and what the newest probe found. */
export function showHealth(cell, report) {
  const state = JSON.stringify((report ?? null) && [report.state, report.verdicts, report.reason, report.latencyMilliseconds, report.certificate]);
  if (cell.dataset.state === state) return;
  cell.dataset.state = state;
  if (!report) {
    cell.replaceChildren(el("span", { class: "note" }, "not probed"));
    return;
  }
  const verdicts = [...report.verdicts.slice(0, 16)].reverse();
  const good = verdicts.filter((verdict) => verdict === "+").length;
  const answer = report.latencyMilliseconds === null ? report.reason : `${report.reason}, ${report.latencyMilliseconds} ms`;
  const found = report.certificate ? `${answer}, certificate for ${report.certificate.daysLeft} d` : answer;
  cell.replaceChildren(
    el("span", { class: `badge is-${report.state}` }, report.state),
    svg(
      "svg",
      { class: "verdicts", width: 16 * 4, height: 14, role: "img", "aria-label": `${good} of the last ${verdicts.length} probes were good` },
      verdicts.map((verdict, index) =>
        svg("rect", {
          class: verdict === "+" ? "good" : "bad",
          x: (16 - verdicts.length + index) * 4, y: verdict === "+" ? 2 : 7, width: 3, height: verdict === "+" ? 12 : 7,
        })),
    ),
    el("span", { class: "note" }, found ?? "not probed yet"),
  );
}

/** The policy in a sentence. */
function describe({ origin, selection, rules }) {
  const first = origin.every === 0 ? "No redirect goes to the origin"
    : origin.every === 1 ? "Every redirect goes to the origin" : `1 in ${origin.every} redirects goes to the origin`;
  const then = {
    weighted: "the others to the CDNs by weight",
    rotate: `the others to the CDNs in turn, ${selection.every} to each`,
    hash: `the others to the CDN that the ${selection.on === "both" ? "film and viewer" : selection.on} hashes to`,
    ordered: "the others to the first CDN that works",
  }[selection.strategy];
  const exceptions = rules.length === 0 ? "" : ` ${rules.length === 1 ? "1 rule decides" : `${rules.length} rules decide`} for some requests; the share wanted is what holds without.`;
  return `${first}, ${then}.${exceptions}`;
}
