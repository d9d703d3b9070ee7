// What is in the images that `npm run test:images` has built, and what is not.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { buildArguments, type ImageName, imageNames, imageOf } from '@reeve/local/images';
import { repositoryRoot } from '@reeve/local/paths';

const megabytes = 1_000_000;
const largest: Record<ImageName, number> = {
  auth: 310 * megabytes,
  provisioning: 310 * megabytes,
  'connector-consent': 310 * megabytes,
  'webhook-ingress': 310 * megabytes,
  audit: 310 * megabytes,
  'bot-sidecar': 240 * megabytes,
};

type Ended = { code: number; out: string };

async function docker(...args: string[]): Promise<Ended> {
  const options = { cwd: repositoryRoot, maxBuffer: 64 * megabytes, env: { ...process.env, DOCKER_BUILDKIT: '1' } };
  return promisify(execFile)('docker', args, options).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      code: error.code ?? 1,
      out: `${error.stdout ?? ''}${error.stderr ?? ''}`,
    }),
  );
}

/** A command in a container as the chart runs it, without what a service needs to start. */
const inside = (name: ImageName, ...command: string[]) =>
  docker('run', '--rm', '--network=none', '--read-only', '--cap-drop=ALL', '--tmpfs=/tmp', imageOf(name), ...command);

async function layersOf(name: ImageName, tag?: string): Promise<string[]> {
  const { out } = await docker('image', 'inspect', '--format={{json .RootFS.Layers}}', imageOf(name, tag));
  return JSON.parse(out) as string[];
}

describe.each(imageNames)('the image of %s', name => {
  test('runs as nobody in particular, and has no npm', async () => {
    const { out } = await inside(
      name,
      'sh',
      '-c',
      'id -u; for each in npm npx corepack yarn; do command -v $each; done',
    );
    expect(out.trim()).toBe('1000');
    expect((await inside(name, 'node', '-p', '"node"')).out.trim()).toBe('node');
  });

  test('holds no source, no test and no map, of ours or of others', async () => {
    const { out: all } = await inside(name, 'find', '/reeve', '-type', 'f');
    const files = all.trim().split('\n');
    expect(files.filter(file => /\/dist\/.*\.js$/.test(file)).length).toBeGreaterThan(10);
    expect(files.filter(file => /\.([cm]?ts|tsx|map)$|\.test\.[cm]?js$|\.test-support\./.test(file))).toEqual([]);
    expect(files.filter(file => /^\/reeve\/(packages\/testing|test|infra)\//.test(file))).toEqual([]);
  });

  test('a service says what its environment lacks where nothing but /tmp can be written', async () => {
    const { code, out } = await inside(name);
    expect({ code, out }).toMatchObject({ code: 78, out: expect.stringContaining('the environment is not complete') });
    expect((await inside(name, 'sh', '-c', 'echo > /reeve/written')).out).toContain('Read-only file system');
    expect((await inside(name, 'sh', '-c', 'echo > /tmp/written && echo well')).out.trim()).toBe('well');
  });

  test('has a bill of what is in it: every package that is there, and no other', async () => {
    const { out } = await inside(name, 'cat', '/reeve/sbom.cdx.json');
    const bill = JSON.parse(out) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { purl: string }[];
    };
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: `reeve-${name}` } } });
    const { out: manifests } = await inside(name, 'node', '-e', listPackages);
    const named = [...new Set(bill.components.map(({ purl }) => decodeURIComponent(purl)))];
    expect(named.toSorted()).toEqual(JSON.parse(manifests));
  });

  test(`is no larger than ${largest[name] / megabytes} MB`, async () => {
    const { out } = await docker('image', 'inspect', '--format={{.Size}}', imageOf(name));
    expect(Number(out)).toBeLessThan(largest[name]);
  });
});

/** By what lies there, whatever npm says. */
const listPackages = `
  const { readdirSync, readFileSync } = require('node:fs');
  const isManifest = /((^|\\/)node_modules\\/(@[^\\/]+\\/)?|^(packages|services)\\/)[^\\/]+\\/package\\.json$/;
  const manifests = readdirSync('/reeve', { recursive: true }).filter(file => isManifest.test(file));
  const packages = manifests.map(file => JSON.parse(readFileSync('/reeve/' + file, 'utf8')));
  const all = packages.map(({ name, version }) => 'pkg:npm/' + name + '@' + version);
  console.log(JSON.stringify([...new Set(all)].sort()));`;

test('one commit gives one image: built again without a cache, every layer is the same', async () => {
  const { code, out } = await docker(...buildArguments({ name: 'auth', tag: 'again', anew: true }));
  expect({ code, out }).toMatchObject({ code: 0 });
  expect(await layersOf('auth', 'again')).toEqual(await layersOf('auth'));
  expect(await layersOf('auth')).not.toEqual(await layersOf('audit'));
}, 900_000);
