import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';

export const rulesFile = join(repositoryRoot, 'infra/prometheus/reeve.rules.yaml');
export const dashboardsDirectory = join(repositoryRoot, 'infra/grafana');
export const chartDirectory = join(repositoryRoot, 'infra/helm/reeve');
export const runbooksDirectory = join(repositoryRoot, 'docs/runbooks');
