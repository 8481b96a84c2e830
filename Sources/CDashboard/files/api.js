// Asking the API. The browser sends the session's cookie by itself.

/** An answer that is no success: the problem document, and the ETag that came with it. */
export class Refused extends Error {
  constructor(status, problem, etag) {
    super(problem.detail ?? problem.title ?? `The answer was ${status}.`);
    this.status = status;
    this.faults = problem.errors ?? [];
    this.etag = etag;
  }
}

/** Told when a session has ended. */
export const session = new EventTarget();

/** The body and ETag of an answer; throws Refused. */
export async function ask(method, path, { body, etag, token } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag !== undefined) headers["If-Match"] = etag;
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Refused(0, { detail: "The balancer does not answer." });
  }
  const text = await response.text();
  let value = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    throw new Refused(response.status, { detail: `The answer (${response.status}) is no JSON; is this a proxy's?` });
  }
  const tag = response.headers.get("ETag") ?? undefined;
  if (!response.ok) {
    if (response.status === 401 && token === undefined) session.dispatchEvent(new Event("end"));
    throw new Refused(response.status, value ?? {}, tag);
  }
  return { value, etag: tag };
}
