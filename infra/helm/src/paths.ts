import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';

export const chartDirectory = join(repositoryRoot, 'infra/helm/reeve');
export const examplesDirectory = join(repositoryRoot, 'infra/helm/examples');
