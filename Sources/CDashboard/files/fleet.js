// The balancers that share the database, and the origin's servers.

import { byID, el, setText, span, stamp } from "./dom.js";
import { showHealth } from "./targets.js";

export class Fleet {
  constructor() {
    this.rows = new Map();
    this.servers = new Map();
  }

  /** Called with each event. */
  take(status) {
    this.showNodes(status);
    this.showServers(status.health.targets.filter((target) => target.kind !== "cdn"));
  }

  showNodes({ fleet, node, time }) {
    setText(byID("fleet-note"), fleet === null ? "The database does not answer, so nobody knows of the others." : "");
    if (fleet === null) return;
    const body = byID("fleet").tBodies[0];
    for (const member of fleet) {
      if (!this.rows.has(member.id)) {
        const cells = ["Node", "State", "Revision", "Version", "Address", "Seen"].map((label, index) =>
          el(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: index === 2 ? "number" : null, "data-label": index === 0 ? null : label }));
        this.rows.set(member.id, { node: el("tr", { "data-node": member.id }, cells), cells });
        body.append(this.rows.get(member.id).node);
      }
      const { cells } = this.rows.get(member.id);
      setText(cells[0], member.id === node.id ? `${member.name} (this)` : member.name);
      if (cells[1].textContent !== member.state) cells[1].replaceChildren(el("span", { class: `badge is-${member.state}` }, member.state));
      setText(cells[2], String(member.revision));
      setText(cells[3], member.version);
      setText(cells[4], member.address);
      setText(cells[5], `${span((Date.parse(time) - Date.parse(member.seen)) / 1000)} ago`);
      cells[5].title = `started ${stamp(member.started)} UTC`;
    }
    for (const [id, row] of this.rows) {
      if (fleet.some((member) => member.id === id)) continue;
      row.node.remove();
      this.rows.delete(id);
    }
  }

  /** Those in trouble one by one, the others as a number: there may be ninety-nine. */
  showServers(reports) {
    const place = byID("servers");
    const troubled = reports.filter((report) => report.state !== "up");
    const good = reports.length - troubled.length;
    const state = JSON.stringify([reports.length, troubled]);
    if (this.shown === state) return;
    this.shown = state;
    if (reports.length === 0) return place.replaceChildren(el("p", { class: "note" }, "not probed"));
    const lines = troubled.map((report) => {
      const cell = el("div", { class: "health" });
      showHealth(cell, report);
      return el("div", { class: "server" }, el("b", {}, report.name), cell);
    });
    place.replaceChildren(el("p", {}, el("span", { class: `badge is-${troubled.length ? "unknown" : "up"}` }, `${good} of ${reports.length} up`)), ...lines);
  }
}
