// The dashboard: who is logged in, what the event stream tells, and which part of the page shows it.

import { ask, session } from "./api.js";
import { byID, clock, el, numberOf, setText } from "./dom.js";
import { Editor } from "./editor.js";
import { explainForm } from "./explain.js";
import { Fleet } from "./fleet.js";
import { Revisions } from "./revisions.js";
import { Steering } from "./steering.js";
import { Targets } from "./targets.js";

/** Seconds without an event after which the page says so. */
const PATIENCE = 4;

class Board {
  constructor(who) {
    this.who = who;
    this.isWriter = who.role !== "viewer";
    this.targets = new Targets();
    this.steering = new Steering();
    this.fleet = new Fleet();
    this.editor = new Editor({ saved: (etag, catalog) => this.saved(etag, catalog) });
    this.revisions = new Revisions({ isWriter: this.isWriter, saved: (etag) => this.saved(etag), failed: (why) => setText(byID("message"), why) });
    explainForm();
    byID("edit").hidden = !this.isWriter;
    byID("edit").addEventListener("click", () => this.edit());
    setText(byID("who"), `${who.name} (${who.role})`);
    setInterval(() => this.showAge(), 1000);
    this.listen();
  }

  listen() {
    this.stream?.close();
    this.stream = new EventSource("/api/v1/events");
    this.stream.addEventListener("status", (event) => this.take(JSON.parse(event.data)));
    this.stream.addEventListener("error", () => this.listenAgain());
  }

  /** The stream broke, or all are taken. The browser tells neither why; asking for the status does. */
  listenAgain() {
    this.stream.close();
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      try {
        const { value } = await ask("GET", "/api/v1/status");
        this.take(value);
        this.listen();
      } catch (refused) {
        if (refused.status !== 401) this.listenAgain();
      }
    }, 2000);
  }

  stop() {
    this.stream.close();
    clearTimeout(this.timer);
  }

  take(status) {
    if (this.status?.time !== status.time) this.heard = performance.now();
    this.status = status;
    this.targets.take(status);
    this.steering.take(status);
    this.fleet.take(status);
    setText(byID("node"), status.node.name);
    document.title = `${status.node.name}: video-balancer`;
    setText(byID("state"), status.state);
    byID("state").className = `badge is-${status.state}`;
    setText(byID("revision"), `revision ${status.revision}`);
    this.showAge();
    this.showAlarms();
    const catalog = `${status.databaseID} ${status.revision} ${status.checksum}`;
    if (this.known !== catalog) {
      this.known = catalog;
      this.load();
    }
  }

  /** Reads what a new revision changed. */
  async load() {
    try {
      const { value, etag } = await ask("GET", "/api/v1/catalog");
      this.catalog = { value, etag };
      this.targets.takeCatalog(value);
      if (this.editor.isOpen && this.editor.etag !== etag) {
        setText(byID("message"), `Revision ${numberOf(etag)} came in while you edit; Save will show what it changed.`);
      }
      await this.revisions.load();
    } catch (refused) {
      // Tried again with the next event.
      this.known = undefined;
      setText(byID("message"), refused.message);
    }
  }

  async edit() {
    try {
      const { value, etag } = await ask("GET", "/api/v1/catalog");
      this.editor.open(value, etag);
    } catch (refused) {
      setText(byID("message"), refused.message);
    }
  }

  saved(etag, catalog) {
    if (catalog) this.targets.takeCatalog(catalog);
    this.known = undefined;
    setText(byID("message"), `Saved as revision ${numberOf(etag)}; it is live on this node.`);
  }

  showAge() {
    if (this.heard === undefined) return;
    const seconds = (performance.now() - this.heard) / 1000;
    const isStale = seconds > PATIENCE;
    setText(byID("live"), isStale ? `no news for ${Math.round(seconds)} s` : `${clock(this.status.time)} UTC`);
    byID("live").className = isStale ? "badge is-down" : "";
    byID("board").classList.toggle("is-stale", isStale);
  }

  showAlarms() {
    const { state, trouble, health, certificates, ticketKeys, mixedContent } = this.status;
    const alarms = [];
    if (state === "draining") alarms.push("This node is draining: it is being taken out.");
    if (trouble !== null) alarms.push(`Degraded: redirects go on by revision ${this.status.revision}. ${trouble}`);
    const down = health.targets.filter((target) => target.state === "down");
    for (const kind of ["cdn", ...new Set(down.map((target) => target.kind).filter((kind) => kind !== "cdn"))]) {
      const names = down.filter((target) => target.kind === kind).map((target) => target.name);
      if (names.length) alarms.push(`${kind === "cdn" ? "CDN" : kind} down, nothing new goes there: ${names.join(", ")}.`);
    }
    for (const { target, reason } of this.status.signing.leftOut) alarms.push(`Links to ${target} cannot be signed on this node, nothing goes there: ${reason}.`);
    if (health.panicking.length) alarms.push(`Too little of the weight works, so health is ignored: ${health.panicking.join(", ")}.`);
    if (health.failingOver.length) alarms.push(`Too little of the weight works: the origin takes the shares of CDNs that fail: ${health.failingOver.join(", ")}.`);
    for (const certificate of certificates) alarms.push(...certificateAlarms(certificate));
    if (ticketKeys?.trouble) alarms.push(`The file of ticket keys cannot be used, those loaded before stay until the next restart: ${ticketKeys.trouble}`);
    for (const { kind, name, certificate } of health.targets) {
      if (certificate?.state === "ending") alarms.push(`The certificate of ${kind} ${name} expires in ${days(certificate)}; have it renewed there.`);
      if (certificate?.state === "expired") alarms.push(`The certificate of ${kind} ${name} has expired: players by HTTPS refuse it.`);
    }
    if (mixedContent.length) alarms.push(`Pages by HTTPS refuse redirects to ${listed(mixedContent)}: the catalog has them by http alone. Add httpsUrl to a CDN, keepScheme to the origin.`);
    const shown = JSON.stringify(alarms);
    if (this.alarms === shown) return;
    this.alarms = shown;
    byID("alarms").replaceChildren(...alarms.map((alarm) => el("p", {}, alarm)));
  }
}

const days = ({ daysLeft }) => (daysLeft === 1 ? "1 day" : `${daysLeft} days`);

/** A long list ends with how many more there are. */
const listed = (names) => (names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", "));

/** What is wrong with a certificate of this node's own. */
function certificateAlarms(certificate) {
  const { file, port, names, state, ocsp, trouble, warnings } = certificate;
  const what = `The ${port === "admin-clients" ? "authority" : "certificate"} ${file} (${port}${names.length ? `: ${listed(names)}` : ""})`;
  const alarms = [];
  if (state === "ending") alarms.push(`${what} expires in ${days(certificate)} and was not renewed.`);
  if (state === "expired") alarms.push(`${what} has expired: clients refuse it. Renew it.`);
  if (state === "notYet") alarms.push(`${what} is not valid yet: is this node’s clock right?`);
  if (trouble !== null) alarms.push(`${what}: its newest files are not in use: ${trouble}`);
  if (ocsp !== null && !ocsp.shown) alarms.push(`${what} is shown without its OCSP response: ${ocsp.trouble}`);
  alarms.push(...warnings.map((warning) => `${what}: ${warning}.`));
  return alarms;
}

let board;

function showLogin() {
  board?.stop();
  byID("board").hidden = true;
  byID("login").hidden = false;
  byID("token").focus();
}

/** What was typed before a session ended is still there for the same key. */
function showBoard(who) {
  byID("login").hidden = true;
  byID("board").hidden = false;
  if (board && (board.who.name !== who.name || board.who.role !== who.role)) return location.reload();
  if (board) board.listen();
  else board = new Board(who);
}

byID("login").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = byID("token");
  setText(byID("token-fault"), "");
  try {
    const { value } = await ask("POST", "/dashboard/session", { token: input.value.trim() });
    input.value = "";
    showBoard(value);
  } catch (refused) {
    setText(byID("token-fault"), refused.message);
    input.focus();
  }
});

byID("logout").addEventListener("click", async () => {
  board.stop();
  try {
    await ask("DELETE", "/dashboard/session");
  } finally {
    // Nothing that was read stays in the page.
    location.reload();
  }
});

session.addEventListener("end", showLogin);

try {
  const { value } = await ask("GET", "/dashboard/session");
  if (value.name === null) showLogin();
  else showBoard(value);
} catch (refused) {
  setText(byID("token-fault"), refused.message);
  showLogin();
}
