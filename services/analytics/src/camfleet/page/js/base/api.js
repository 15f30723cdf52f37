// Questions to the service and changes of what it keeps; a refusal carries the service's own words.

export class Refusal extends Error {
  constructor(status, facts) {
    super(facts.error ?? `the service answered ${status}`);
    Object.assign(this, { status, facts });
  }
}

// { body, tag }: the parsed answer and its ETag.
export async function ask(path) {
  return read(await fetch(path, { cache: "no-store" }));
}

export async function change(method, path, content, tag = null, condition = "if-match") {
  const headers = { "content-type": "application/json" };
  if (tag) headers[condition] = tag;
  return read(await fetch(path, { method, headers, body: content === undefined ? undefined : JSON.stringify(content) }));
}

// Null where there is no answer: the page says so already.
export const askQuietly = (path) => ask(path).then(({ body }) => body, () => null);

async function read(answer) {
  await refuse(answer);
  const body = answer.status === 204 ? null : await answer.json();
  return { body, tag: answer.headers.get("etag") };
}

export async function refuse(answer) {
  if (!answer.ok) throw new Refusal(answer.status, await factsOf(answer));
}

async function factsOf(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}

// A fault as a sentence for people: what was refused, or that nobody answered.
export const wordsOf = (fault) => (fault instanceof Refusal ? fault.message : "The service does not answer; nothing was changed.");

export const pathOf = (...parts) => parts.map(encodeURIComponent).join("/");
