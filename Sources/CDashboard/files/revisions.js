// The history: who changed what, when and why; and the way back.

import { ask } from "./api.js";
import { byID, changes, el, setText, stamp } from "./dom.js";

export class Revisions {
  /** `saved(etag)`: told of a new one made here. `failed(why)`: told what could not be read. */
  constructor({ saved, failed, isWriter }) {
    Object.assign(this, { saved, failed, isWriter });
    this.list = byID("revisions");
    this.next = null;
    byID("older").addEventListener("click", () => this.loadOlder());
  }

  /** Reads the newest; what is shown already stays as it is, open or not. */
  async load() {
    const { value } = await ask("GET", "/api/v1/revisions?limit=10");
    const shown = new Map([...this.list.children].map((item) => [item.dataset.key, item]));
    const keys = value.revisions.map(keyOf);
    const oldest = value.revisions.at(-1)?.id ?? 0;
    // A restored database counts again from an earlier number.
    for (const [key, item] of shown) if (!keys.includes(key) && Number(item.dataset.id) >= oldest) item.remove();
    let after = null;
    for (const revision of value.revisions) {
      const item = shown.get(keyOf(revision)) ?? this.item(revision);
      const place = after ? after.nextElementSibling : this.list.firstElementChild;
      if (place !== item) this.list.insertBefore(item, place);
      after = item;
    }
    if (this.next === null || shown.size === 0) this.setNext(value.next);
    this.markCurrent();
  }

  async loadOlder() {
    try {
      const { value } = await ask("GET", `/api/v1/revisions?limit=10&before=${this.next}`);
      this.list.append(...value.revisions.map((revision) => this.item(revision)));
      this.setNext(value.next);
      this.markCurrent();
    } catch (refused) {
      this.failed(refused.message);
    }
  }

  setNext(next) {
    this.next = next;
    byID("older").hidden = next === null;
  }

  item(revision) {
    const { id, created, author, comment, changes: list, changeCount: count } = revision;
    const label = count === null ? "changes not known yet" : count === 1 ? "1 change" : `${count} changes`;
    const why = el("span", { class: "comment" }, comment === "" ? "no comment" : comment);
    return el(
      "li",
      { "data-key": keyOf(revision), "data-id": id },
      el("span", { class: "id" }, `r${id}`),
      el("time", { datetime: created }, stamp(created)),
      el("b", { class: "author" }, author),
      list.length === 0
        ? el("div", { class: "why" }, why, count === null ? el("span", { class: "note" }, label) : null)
        : el("details", { class: "why" }, el("summary", {}, why, el("span", { class: "note" }, label), el("span", { class: "unseen" }, ` of revision ${id}`)), changes(list, count)),
      el(
        "span",
        { class: "in-use" },
        el("span", {}),
        this.isWriter ? el("button", { type: "button", class: "small", "aria-label": `Restore revision ${id}`, onclick: () => this.ask(revision) }, "Restore…") : null,
      ),
    );
  }

  markCurrent() {
    const newest = this.list.firstElementChild;
    for (const item of this.list.children) {
      setText(item.querySelector(".in-use span"), item === newest ? "newest" : "");
      const button = item.querySelector(".in-use button");
      if (button) button.hidden = item === newest;
    }
  }

  /** Shows what going back would change, and does it when told so. */
  async ask({ id, comment }) {
    const dialog = byID("restore");
    const why = el("input", { id: "restore-why", autocomplete: "off", maxlength: 500 });
    const fault = el("p", { class: "fault", role: "alert" });
    const difference = el("div", { class: "difference" });
    const go = el("button", { type: "submit", class: "primary" }, "Restore");
    let etag;
    const look = async () => {
      const verdict = await ask("POST", `/api/v1/revisions/${id}/restore?validate=true`);
      etag = verdict.etag;
      difference.replaceChildren(changes(verdict.value.changes, verdict.value.changeCount));
    };
    const form = el(
      "form",
      {},
      el("h2", { id: "restore-title" }, `Restore revision ${id}${comment ? ` (“${comment}”)` : ""}`),
      el("p", {}, "Its catalog becomes a new revision. Against the newest this changes:"),
      difference,
      el("div", { class: "field" }, el("label", { for: "restore-why" }, "Why"), why),
      fault,
      el("div", { class: "actions" }, go, el("button", { type: "button", onclick: () => dialog.close() }, "Cancel")),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      setText(fault, "");
      go.disabled = true;
      try {
        const answer = await ask("POST", `/api/v1/revisions/${id}/restore?comment=${encodeURIComponent(why.value)}`, { etag });
        dialog.close();
        this.saved(answer.etag);
      } catch (refused) {
        setText(fault, refused.status === 412 ? "Another revision came in between. The changes above are now against it; look again." : refused.message);
        if (refused.status === 412) await look().catch(() => {});
      }
      go.disabled = false;
    });
    dialog.replaceChildren(form);
    dialog.showModal();
    try {
      await look();
    } catch (refused) {
      setText(fault, refused.message);
    }
  }
}

const keyOf = ({ id, checksum }) => `${id}-${checksum}`;
