// Every runbook is listed, built alike and rehearsed; and a runbook that is broken is found by whoever rehearses it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { followed, openRunbook, runbooksDirectory, sections } from './runbook.ts';

const names = readdirSync(runbooksDirectory)
  .filter(file => file.endsWith('.md') && file !== 'README.md')
  .map(file => file.slice(0, -'.md'.length));
const index = readFileSync(join(runbooksDirectory, 'README.md'), 'utf8');
const rehearsals = readdirSync(import.meta.dirname)
  .filter(file => file !== 'documents.test.ts')
  .map(file => readFileSync(join(import.meta.dirname, file), 'utf8'))
  .join('\n');

describe.each(names)('%s', name => {
  test('has the sections of a runbook, is in the index and is rehearsed', () => {
    expect(() => openRunbook(name)).not.toThrow();
    expect(index).toContain(`(${name}.md)`);
    expect(rehearsals).toContain(`openRunbook('${name}')`);
  });
});

test('the index lists no other', () => {
  const listed = [...index.matchAll(/\(([a-z-]+)\.md\)/g)].map(([, name]) => name);
  expect(new Set(listed)).toEqual(new Set(names));
});

describe('a runbook', () => {
  const document = (steps: string, variables = '`WHO`') =>
    [
      `**Set first**: ${variables}.`,
      ...sections.map(title => `## ${title}\n${title === 'What to do' ? steps : ''}`),
    ].join('\n\n');
  const block = (text: string, info = 'sh') => `\`\`\`${info}\n${text}\n\`\`\`\n`;
  const step = block('echo "hello $WHO"');
  const WHO = 'somebody';

  test('is followed as it is written', async () => {
    const runbook = followed(
      document(step + block('exit 3') + block('kubectl get pods', 'sh not rehearsed outside a cluster')),
    );
    expect(await runbook.run('echo', { WHO })).toEqual({ code: 0, out: 'hello somebody\n', err: '' });
    await runbook.run('exit', { WHO }, { code: 3 });
    expect(() => runbook.isDone()).not.toThrow();
  });

  test('with a command that nobody runs is found', async () => {
    const runbook = followed(document(step + block('echo more')));
    await runbook.run('echo', { WHO });
    expect(() => runbook.isDone()).toThrow('nobody ran: echo more');
  });

  test('with a command that is another one, or fails, is found', async () => {
    await expect(followed(document(step)).run('reeve', { WHO })).rejects.toThrow('the next command is not reeve');
    await expect(followed(document(block('npx reeve sinks lsit'))).run('sinks', { WHO })).rejects.toThrow(
      "unknown command 'lsit'",
    );
  });

  test('with a variable that its head does not name is found, and so is one of which the test says nothing', async () => {
    await expect(followed(document(step, 'nothing')).run('echo', { WHO })).rejects.toThrow('WHO: unbound variable');
    await expect(followed(document(step)).run('echo', {})).rejects.toThrow('the test says nothing of WHO');
  });

  test.each([
    ['a command of a cluster without its mark', document(block('kubectl get pods')), 'differ'],
    ['a mark on what needs no cluster', document(block('date', 'sh not rehearsed outside a cluster')), 'differ'],
    ['a block of another kind', document(block('date', 'bash')), 'neither sh nor marked'],
    ['a section that is missing', document(step).replace('## What it means', ''), 'its sections are'],
    ['nothing to set', document(step).replace('**Set first**', ''), 'what to set'],
  ])('with %s is refused', (_, broken, why) => {
    expect(() => followed(broken)).toThrow(why);
  });
});
