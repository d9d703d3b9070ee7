// One of several processes that share one refresh token in a file, as those of an AI client on one machine do: without
// a lock, each reads what is there, refreshes, and writes down what it got. Prints what was followed by what, a line
// each; ends with 1 when it was refused.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const [file = '', clientId = '', rotations = '0', ...endpoints] = process.argv.slice(2);

for (let rotation = 0; rotation < Number(rotations); rotation += 1) {
  const held = readFileSync(file, 'utf8');
  const endpoint = endpoints[rotation % endpoints.length] ?? '';
  const answer = await fetch(`${endpoint}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: held }),
  });
  const text = await answer.text();
  if (answer.status !== 200) {
    process.stderr.write(`${rotation}: ${answer.status} ${text}\n`);
    process.exit(1);
  }
  const { refresh_token: next } = JSON.parse(text) as { refresh_token: string };
  const written = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(written, next);
  renameSync(written, file);
  process.stdout.write(`${held} ${next}\n`);
}
