// pysaml2 as a process on this machine, from PyPI: a second signer of SAML, for `npm run test:peers`.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Child, type Children, notUp } from '../children.ts';
import { localDirectory, repositoryRoot } from '../paths.ts';
import { SetupError } from '../setup-error.ts';
import { startWithinMs, waitFor } from '../wait-for.ts';

/** `POST <url>/idps` makes an identity provider (engines/pysaml2/idp.py says of what). */
export type SamlSigner = { url: string };

type Options = {
  port: number;
  /** For its keys. */
  directory: string;
  say: (line: string) => void;
};

const sources = join(repositoryRoot, 'infra/local/engines/pysaml2');
const requirements = join(sources, 'requirements.txt');
const libraries = join(localDirectory, 'engines/pysaml2');

/** Throws SetupError where there is no Python, or no xmlsec1, which pysaml2 signs with. */
export async function startSamlSigner(
  children: Children,
  { port, directory, say }: Options,
): Promise<{ samlSigner: SamlSigner; child: Child }> {
  const xmlsec = process.env['PATH']
    ?.split(delimiter)
    .map(directory => join(directory, 'xmlsec1'))
    .find(existsSync);
  if (xmlsec === undefined)
    throw new SetupError(
      'xmlsec1 is not on the PATH. Install it: it is the package xmlsec1 of Debian, Ubuntu, Homebrew.',
    );
  await fetchLibraries(children, say);
  const keys = join(directory, 'pysaml2');
  mkdirSync(keys, { recursive: true });
  const url = `http://localhost:${port}`;
  const child = children.start({
    name: 'pysaml2',
    layer: 'system',
    command: 'python3',
    args: [join(sources, 'idp.py'), String(port), xmlsec, keys],
    cwd: sources,
    env: { ...process.env, PYTHONPATH: libraries, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
  });
  const isUp = await waitFor(async () => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok, {
    withinMs: startWithinMs,
    abandoned: child.hasExited,
  });
  if (isUp && !child.hasExited()) return { samlSigner: { url }, child };
  await child.kill();
  throw notUp(child);
}

async function fetchLibraries(children: Children, say: (line: string) => void): Promise<void> {
  const stamp = join(libraries, '.fetched');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('fetching pysaml2 from PyPI …');
  rmSync(libraries, { recursive: true, force: true });
  mkdirSync(libraries, { recursive: true });
  await children
    .finish({
      name: 'fetching-pysaml2',
      layer: 'engines',
      command: 'python3',
      // All that is needed is named, with its version.
      args: ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', libraries, '--requirement', requirements],
      cwd: localDirectory,
      env: process.env,
    })
    .catch((error: Error) => {
      throw new SetupError(`pysaml2 could not be fetched, which takes Python 3.11 or newer with pip: ${error.message}`);
    });
  writeFileSync(stamp, wanted);
}
