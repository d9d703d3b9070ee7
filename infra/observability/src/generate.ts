// Writes what Prometheus and Grafana read: the rules and the dashboards. `--check` writes nothing and fails when it is
// stale.
import { join } from 'node:path';
import { writeOrCheck } from '@reeve/contracts/generated-files';
import { stringify } from 'yaml';
import { dashboardFile } from './dashboard-files.ts';
import { dashboards } from './dashboards.ts';
import { dashboardsDirectory, rulesFile } from './paths.ts';
import { groups } from './rules.ts';

const head = '# Made by `npm run generate` of infra/observability/src/rules.ts, which is where to change it.\n';
const rules = head + stringify({ groups }, { lineWidth: 0 });

writeOrCheck(
  'Prometheus and Grafana',
  new Map([
    [rulesFile, rules],
    ...dashboards.map(one => [join(dashboardsDirectory, `${one.name}.json`), dashboardFile(one)] as const),
  ]),
);
