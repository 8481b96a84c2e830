// What a request would be answered, step by step.

import { ask } from "./api.js";
import { byID, el } from "./dom.js";
import { Fields } from "./editor.js";

export function explainForm() {
  const form = byID("explain");
  const fields = new Fields();
  form.append(
    fields.field("/video", "Video", { name: "video", autocomplete: "off", spellcheck: "false", placeholder: "http://s1.origin-cluster/video/1488/x.m3u8" }),
    fields.field("/client", "Client’s IP", { name: "client", autocomplete: "off", spellcheck: "false", placeholder: "none" }),
    fields.field("/https", "By HTTPS", { name: "https", type: "checkbox" }),
    fields.field("/avoid", "Avoid CDN", { name: "avoid", autocomplete: "off", spellcheck: "false", placeholder: "none" }),
    el("button", { type: "submit" }, "Explain"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fields.clear();
    const body = { video: fields.value("/video").trim() };
    for (const name of ["client", "avoid"]) if (fields.value(`/${name}`).trim() !== "") body[name] = fields.value(`/${name}`).trim();
    if (fields.inputs.get("/https").input.checked) body.https = true;
    try {
      show((await ask("POST", "/api/v1/explain", { body })).value);
    } catch (refused) {
      byID("answer").replaceChildren(...fields.mark(refused));
    }
  });
}

function show({ revision, steps, location, refusal, steering }) {
  const told = steering && `${steering.pathways.join(", ")}; asks again after ${steering.ttl} s`;
  byID("answer").replaceChildren(
    el("p", { class: "outcome" }, refusal ? `${refusal.status} ${refusal.reason}: ${refusal.detail}` : el("code", {}, told ?? location)),
    el("ol", { class: "steps" }, steps.map(({ about, text }) => el("li", {}, el("b", {}, about), " ", text))),
    el("p", { class: "note" }, `By revision ${revision}. No number was taken.`),
  );
}
