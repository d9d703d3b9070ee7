import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { DryMongoBinary } from 'mongodb-memory-server-core';
import { createChildren } from '../children.ts';
import { findMongod, version } from './mongod.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mongod-'));
  process.env['MONGOMS_DOWNLOAD_DIR'] = directory;
});
afterEach(() => {
  delete process.env['MONGOMS_DOWNLOAD_DIR'];
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

test('a mongod that was downloaded before is taken without asking the download site', async () => {
  const name = await DryMongoBinary.getBinaryName(await DryMongoBinary.generateOptions({ version }));
  const binary = join(directory, name);
  writeFileSync(binary, Buffer.alloc(2_000_000));
  writeFileSync(`${binary}.md5`, '');
  const site = jest.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed'));
  const way = { environment: { PATH: '' }, say: () => undefined };
  expect(await findMongod(createChildren(directory), way)).toMatchObject({ binary });
  expect(site).not.toHaveBeenCalled();
});
