// The images that infra/docker describes, built by the Docker engine of this machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { repositoryRoot } from './paths.ts';
import type { Run } from './run.ts';
import { serviceNames } from './system.ts';

export const imageNames = [...serviceNames, 'bot-sidecar'] as const;
export type ImageName = (typeof imageNames)[number];

export const imageOf = (name: ImageName, tag = 'test') => `reeve/${name}:${tag}`;

/** Null for an engine that answers; otherwise what is missing. */
export async function lacksDocker(): Promise<string | null> {
  try {
    // By BuildKit, which is a program of its own.
    await promisify(execFile)('docker', ['buildx', 'version'], { timeout: 10_000 });
    await promisify(execFile)('docker', ['info'], { timeout: 10_000 });
    return null;
  } catch {
    return 'a Docker engine with buildx';
  }
}

type Build = {
  name: ImageName;
  tag?: string;
  /** Uses nothing of what was built before. */
  anew?: boolean;
};

/** Arguments of `docker`, to be run at the root of the repository. */
export function buildArguments({ name, tag, anew = false }: Build): string[] {
  const isService = name !== 'bot-sidecar';
  const { REEVE_NPMRC: npmrc, REEVE_DOCKER_BUILD: further = '' } = process.env;
  return [
    'build',
    `--file=infra/docker/${isService ? 'Dockerfile' : 'bot-sidecar.Dockerfile'}`,
    ...(isService ? [`--build-arg=SERVICE=${name}`] : []),
    ...(npmrc ? [`--secret=id=npmrc,src=${npmrc}`] : []),
    ...(anew ? ['--no-cache'] : []),
    ...further.split(' ').filter(argument => argument !== ''),
    `--tag=${imageOf(name, tag)}`,
    '.',
  ];
}

/** One after the other, since they share most of what is built. Throws SetupError where one cannot be built. */
export async function buildImages(
  { children, say }: Pick<Run, 'children' | 'say'>,
  names: readonly ImageName[] = imageNames,
): Promise<Record<string, string>> {
  for (const name of names) {
    say(`building the image of ${name} …`);
    await children.finish({
      name: `image-${name}`,
      layer: 'tests',
      command: 'docker',
      args: buildArguments({ name }),
      cwd: repositoryRoot,
      env: { ...process.env, DOCKER_BUILDKIT: '1' },
    });
  }
  return {};
}
