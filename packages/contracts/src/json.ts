// JSON that has one meaning. `JSON.parse` takes the last of two members of one name, other readers take the first, and
// a forger would show each of them what suits him. Written here: of the libraries that look, lossless-json 4 lets a
// member pass that is there twice with one value, and jsonc-parser and momoa leave the looking to their caller, which
// is all of the code below.

/** Of a text that is JSON, and says more than one thing or says it in another way than the one. */
export class JsonError extends Error {}

/** After `JSON.parse`, what is a name is known by the colon behind it. */
const tokens = /("(?:[^"\\]|\\.)*")\s*(:?)|[{}]/g;

function assertEachNameOnce(json: string) {
  const open: Set<string>[] = [];
  for (const [token, text, colon] of json.matchAll(tokens)) {
    if (token === '{') open.push(new Set());
    if (token === '}') open.pop();
    if (!text || !colon) continue;
    const name = String(JSON.parse(text));
    const names = open.at(-1);
    if (names?.has(name)) throw new JsonError(`the member "${name}" is there twice`);
    names?.add(name);
  }
}

/** Throws a SyntaxError for what is no JSON, and a JsonError for an object that has a member twice. */
export function parseJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  // What is written again to the same text has nothing twice, and that is quick to see.
  if (JSON.stringify(value) !== json) assertEachNameOnce(json);
  return value;
}
