import { beforeAll, describe, expect, test } from '@jest/globals';
import { formats } from '../formats/formats.ts';
import { type ChainedRecord, genesisHash } from '../record.ts';
import { signStatement } from '../statements.ts';
import { auth, grow, type Key, newKey, otherTenantId, publicPart, statementsAbout, tenantId } from './sample-log.ts';
import { type TenantsOptions, verifyTenants } from './tenants.ts';

const { ndjson } = formats;
const keyId = 'key-1';
const lineOf = (record: ChainedRecord) => ndjson.writeRecord(record, keyId);

const [own, theirs] = [grow(4), grow(3, auth, { tenantId: otherTenantId })];
let key: Key;
let [ownCheckpoint, theirCheckpoint] = ['', ''];

beforeAll(async () => {
  key = await newKey(keyId);
  const sign = async (records: ChainedRecord[], owner: string) => {
    const { headOf, checkpointOf } = statementsAbout(records, owner);
    const content = checkpointOf(1, genesisHash, [headOf(auth, records.length)]);
    return signStatement(key, 'reeve-checkpoint', content);
  };
  ownCheckpoint = await sign(own, tenantId);
  theirCheckpoint = await sign(theirs, otherTenantId);
});

async function verify(lines: readonly string[], options: Partial<TenantsOptions> = {}) {
  async function* from() {
    yield* lines;
  }
  return verifyTenants(from(), { format: ndjson, keys: { keys: [publicPart(key)] }, ...options });
}

/** As an archive has them: mixed, and some again. */
const archive = () => [
  ...own.slice(0, 2).map(lineOf),
  ...theirs.slice(0, 2).map(lineOf),
  ndjson.writeStatement(theirCheckpoint),
  ...own.slice(1).map(lineOf),
  ndjson.writeStatement(ownCheckpoint),
  ...theirs.map(lineOf),
];

describe('a stream of several tenants', () => {
  test('is verified tenant by tenant', async () => {
    expect(await verify(archive())).toMatchObject([
      { tenantId, records: 4, finding: null, checkpoint: { number: 1 } },
      { tenantId: otherTenantId, records: 3, finding: null, checkpoint: { number: 1 } },
    ]);
  });

  test('of which one is asked for is verified of that one', async () => {
    expect(await verify(archive(), { tenantId: otherTenantId })).toMatchObject([
      { tenantId: otherTenantId, records: 3, finding: null },
    ]);
    expect(await verify(archive(), { tenantId: 'ten_none' })).toEqual([]);
  });

  test('in which one log has a gap says so of that one, and by the line of the file', async () => {
    const lines = archive().filter((_, at) => at !== 1 && at !== 5);
    expect(await verify(lines)).toMatchObject([
      { tenantId, finding: { problem: 'missing', line: 5, sequence: 3 } },
      { tenantId: otherTenantId, finding: null },
    ]);
  });

  test('is held against checkpoints from elsewhere, each of its tenant, also where nothing of that one is there', async () => {
    const checkpoints = [ownCheckpoint, theirCheckpoint];
    expect(await verify([...own, ...theirs].map(lineOf), { checkpoints })).toMatchObject([
      { tenantId, finding: null, given: [{ held: 1 }] },
      { tenantId: otherTenantId, finding: null, given: [{ held: 1 }] },
    ]);
    expect(await verify(own.map(lineOf), { checkpoints })).toMatchObject([
      { tenantId, finding: null },
      { tenantId: otherTenantId, finding: { problem: 'truncated' } },
    ]);
    const asked = { tenantId, checkpoints };
    expect(await verify(own.map(lineOf), asked)).toMatchObject([{ tenantId, finding: { problem: 'other_tenant' } }]);
  });

  test('that has a line which nobody can read is refused as a whole', async () => {
    const lines = archive().toSpliced(3, 0, 'not a line');
    for (const options of [{}, { tenantId }])
      expect(await verify(lines, options)).toMatchObject([
        { tenantId: null, finding: { problem: 'unreadable', line: 4 } },
      ]);
  });

  test('may have what a sink was tried with, and the names of the columns before it', async () => {
    const tried = grow(1, 'test/0', { tenantId: 'ten_tried' });
    expect(await verify([...tried.map(lineOf), ...archive()])).toHaveLength(2);
    const { csv } = formats;
    const rows = [csv.header ?? '', ...own.map(one => csv.writeRecord(one, keyId)), csv.writeStatement(ownCheckpoint)];
    expect(await verify(rows, { format: csv })).toMatchObject([{ tenantId, records: 4, finding: null }]);
  });
});
