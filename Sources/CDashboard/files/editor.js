// Editing CDNs, weights and N: one form, one revision. The API validates; its faults appear at their fields.

import { ask } from "./api.js";
import { byID, changes, el, numberOf, setText } from "./dom.js";

let numbers = 0;

/** Inputs by the JSON Pointer of what they hold, each with a label and a place for its fault. */
export class Fields {
  constructor() {
    this.inputs = new Map();
  }

  /** A labelled input. */
  field(pointer, label, attributes = {}) {
    const id = `field-${(numbers += 1)}`;
    const input = el("input", { id, "aria-describedby": `${id}-fault`, ...attributes });
    const fault = el("p", { class: "fault", id: `${id}-fault` });
    this.inputs.set(pointer, { input, fault });
    return el("div", { class: `field ${attributes.type === "checkbox" ? "check" : ""}` }, el("label", { for: id }, label), input, fault);
  }

  value(pointer) {
    return this.inputs.get(pointer).input.value;
  }

  clear() {
    for (const { input, fault } of this.inputs.values()) {
      input.removeAttribute("aria-invalid");
      setText(fault, "");
    }
  }

  /** Shows each fault at its field; gives what is left for the form as a whole. */
  mark(refused) {
    const rest = [];
    let first;
    for (const { pointer, message } of refused.faults) {
      // A fault inside what one field holds belongs to the field.
      const place = this.inputs.get(pointer) ?? this.inputs.get([...this.inputs.keys()].find((known) => pointer.startsWith(`${known}/`)));
      if (!place) {
        rest.push(el("li", {}, pointer === "" ? null : el("code", {}, pointer), " ", message));
        continue;
      }
      place.input.setAttribute("aria-invalid", "true");
      setText(place.fault, [place.fault.textContent, message].filter(Boolean).join("; "));
      first ??= place.input;
    }
    first?.focus();
    if (first && rest.length === 0) return [el("p", { class: "fault" }, refused.message)];
    return [el("p", { class: "fault" }, refused.message), rest.length ? el("ul", { class: "fault" }, rest) : ""];
  }
}

/** What is typed for a whole number; anything else goes as it is, for the API to refuse. */
const number = (text) => (/^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text);

export class Editor {
  /** `saved(etag, catalog)`: told when the API has taken a change. */
  constructor({ saved }) {
    this.saved = saved;
    this.place = byID("editor");
  }

  get isOpen() {
    return !this.place.hidden;
  }

  /** Begins from a catalog as it was read with this ETag. */
  open(catalog, etag) {
    this.base = structuredClone(catalog);
    this.etag = etag;
    this.every = String(catalog.origin.every);
    this.why = "";
    this.cdns = catalog.cdns.map((cdn) => edited(cdn));
    this.place.hidden = false;
    byID("edit").hidden = true;
    byID("targets").hidden = true;
    this.render();
    this.place.querySelector("input")?.focus();
  }

  close() {
    this.place.hidden = true;
    this.place.replaceChildren();
    byID("targets").hidden = false;
    byID("edit").hidden = false;
    byID("edit").focus();
  }

  render() {
    this.fields = new Fields();
    const rows = this.cdns.map((cdn, index) => this.row(cdn, index));
    const origin = this.fields.field("/origin/every", "N: every N-th redirect goes to the origin (1 always, 0 never)", {
      value: this.every, inputmode: "numeric", autocomplete: "off", class: "short",
    });
    const why = this.fields.field("", "Why (stands in the history)", { value: this.why, autocomplete: "off", maxlength: 500 });
    this.notes = el("div", { class: "form-notes", role: "alert" });
    this.conflict = el("div", { class: "conflict", role: "alert", hidden: true });
    this.preview = el("div", { role: "status" });
    this.save = el("button", { type: "submit", class: "primary" }, "Save");
    const form = el(
      "form",
      { novalidate: true, "aria-label": "Edit the catalog" },
      origin,
      el("div", { class: "cdns" }, rows),
      el("button", { type: "button", class: "small", onclick: () => this.add() }, "Add a CDN"),
      why,
      this.conflict,
      this.notes,
      this.preview,
      el(
        "div",
        { class: "actions" },
        this.save,
        el("button", { type: "button", onclick: () => this.send(true) }, "Preview"),
        el("button", { type: "button", onclick: () => this.close() }, "Cancel"),
      ),
    );
    form.addEventListener("input", () => this.keep());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(false);
    });
    this.place.replaceChildren(form);
  }

  row(cdn, index) {
    const at = (member) => `/cdns/${index}/${member}`;
    const plain = { autocomplete: "off", spellcheck: "false" };
    const title = cdn.name === "" ? "new CDN" : cdn.name;
    const fields = [
      this.fields.field(at("name"), "Name", { ...plain, value: cdn.name, readonly: cdn.before !== null }),
      this.fields.field(at("url"), "URL", { ...plain, value: cdn.url, inputmode: "url", placeholder: "http://cdn.example.com" }),
      this.fields.field(at("httpsUrl"), "HTTPS address", { ...plain, value: cdn.httpsUrl, inputmode: "url", placeholder: "none of its own" }),
      this.fields.field(at("weight"), "Weight", { ...plain, value: cdn.weight, inputmode: "numeric", class: "short" }),
      this.fields.field(at("enabled"), "Enabled", { type: "checkbox", checked: cdn.enabled }),
    ];
    const remove = el(
      "button",
      { type: "button", class: "small", "aria-label": `${cdn.removed ? "Keep" : "Remove"} ${title}`, onclick: () => this.toggle(index) },
      cdn.removed ? "Keep" : "Remove",
    );
    const node = el("fieldset", { class: `cdn ${cdn.removed ? "is-removed" : ""}` }, el("legend", { class: "unseen" }, title), fields, remove);
    for (const input of node.querySelectorAll("input")) input.disabled = cdn.removed;
    if (cdn.note) node.append(el("p", { class: "note" }, cdn.note));
    return node;
  }

  /** Takes what is typed out of the inputs. */
  keep() {
    this.every = this.fields.value("/origin/every");
    this.why = this.fields.value("");
    this.cdns.forEach((cdn, index) => {
      for (const member of ["name", "url", "httpsUrl", "weight"]) cdn[member] = this.fields.value(`/cdns/${index}/${member}`);
      cdn.enabled = this.fields.inputs.get(`/cdns/${index}/enabled`).input.checked;
    });
  }

  add() {
    this.cdns.push({ before: null, name: "", url: "", httpsUrl: "", weight: "0", enabled: true, removed: false });
    this.render();
    this.fields.inputs.get(`/cdns/${this.cdns.length - 1}/name`).input.focus();
  }

  toggle(index) {
    const cdn = this.cdns[index];
    if (cdn.before === null) this.cdns.splice(index, 1);
    else cdn.removed = !cdn.removed;
    this.render();
    (this.place.querySelectorAll(".cdn button")[index] ?? this.save).focus();
  }

  /** The catalog as it would be; everything that the form does not show stays as it was read. */
  document() {
    const kept = this.cdns.filter((cdn) => !cdn.removed);
    const cdns = kept.map(({ before, name, url, httpsUrl, weight, enabled }) => {
      const { httpsUrl: _, ...rest } = before ?? {};
      return { ...rest, name, url, ...(httpsUrl.trim() === "" ? {} : { httpsUrl }), weight: number(weight), enabled };
    });
    return { ...this.base, origin: { ...this.base.origin, every: number(this.every) }, cdns };
  }

  async send(isPreview) {
    this.keep();
    this.fields.clear();
    this.notes.replaceChildren();
    this.preview.replaceChildren();
    const body = this.document();
    this.save.disabled = true;
    try {
      if (isPreview) {
        const { value, etag } = await ask("PUT", "/api/v1/catalog?validate=true", { body });
        if (etag !== this.etag) await this.collide();
        this.preview.replaceChildren(el("p", {}, "The API accepts this. Against the newest revision it changes:"), changes(value.changes, value.changeCount));
      } else {
        const query = this.why === "" ? "" : `?comment=${encodeURIComponent(this.why)}`;
        const answer = await ask("PUT", `/api/v1/catalog${query}`, { body, etag: this.etag });
        this.close();
        this.saved(answer.etag, answer.value);
      }
    } catch (refused) {
      if (refused.status === 412) await this.collide();
      else this.notes.replaceChildren(...this.fields.mark(this.placed(refused)));
    } finally {
      this.save.disabled = false;
    }
  }

  /** Faults point into what was sent, where removed CDNs are left out; inputs are known by their row. */
  placed(refused) {
    const rows = this.cdns.flatMap((cdn, index) => (cdn.removed ? [] : [index]));
    refused.faults = refused.faults.map(({ pointer, message }) => ({
      pointer: pointer.replace(/^\/cdns\/(\d+)/, (all, sent) => (rows[sent] === undefined ? all : `/cdns/${rows[sent]}`)), message,
    }));
    return refused;
  }

  /** Another revision came since this edit began: says whose and what, touches nothing that is typed. */
  async collide() {
    let newest, catalog;
    try {
      [newest, catalog] = await Promise.all([ask("GET", "/api/v1/revisions?limit=20"), ask("GET", "/api/v1/catalog")]);
    } catch (refused) {
      this.notes.replaceChildren(el("p", { class: "fault" }, refused.message));
      return;
    }
    if (catalog.etag === this.etag) return;
    const since = numberOf(this.etag);
    const between = newest.value.revisions.filter((revision) => revision.id > since);
    const last = newest.value.revisions[0];
    this.conflict.hidden = false;
    this.conflict.replaceChildren(
      el("p", {}, el("b", {}, "Not saved: another revision came in between."), " What you typed is all here."),
      ...between.map(({ id, author, comment, changes: list }) =>
        el("div", {}, el("p", {}, `r${id} by ${author}${comment === "" ? "" : `: ${comment}`}`), changes(list))),
      el(
        "div",
        { class: "actions" },
        el("button", { type: "button", onclick: () => this.rebase(catalog) }, `Keep mine on top of r${last.id}`),
        el("button", { type: "button", onclick: () => this.open(catalog.value, catalog.etag) }, "Discard mine"),
      ),
    );
    this.conflict.querySelector("button").focus();
  }

  /** What was changed here is laid over the newer catalog, member by member; the rest is taken from it. */
  rebase({ value, etag }) {
    this.keep();
    if (this.every === String(this.base.origin.every)) this.every = String(value.origin.every);
    const known = new Set(this.base.cdns.map((cdn) => cdn.name));
    const mine = this.cdns.map((cdn) => {
      if (cdn.before === null) return cdn;
      const theirs = value.cdns.find((candidate) => candidate.name === cdn.name);
      if (!theirs) return { ...cdn, note: "The newer revision removed this CDN; saving adds it again." };
      const old = edited(cdn.before);
      const result = edited(theirs);
      for (const member of ["url", "httpsUrl", "weight", "enabled", "removed"]) if (cdn[member] !== old[member]) result[member] = cdn[member];
      return result;
    });
    const theirNew = value.cdns.filter((cdn) => !known.has(cdn.name)).map((cdn) => edited(cdn));
    this.cdns = [...mine, ...theirNew];
    this.base = structuredClone(value);
    this.etag = etag;
    this.render();
    this.save.focus();
  }
}

/** A CDN as the form holds it. */
const edited = (cdn) => ({
  before: cdn, name: cdn.name, url: cdn.url, httpsUrl: cdn.httpsUrl ?? "", weight: String(cdn.weight), enabled: cdn.enabled, removed: false,
});
