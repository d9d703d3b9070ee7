// Writes what Prometheus and Grafana read: the rules and the dashboards. `--check` writes nothing and fails when it is
// stale.
import { join } from 'node:path';
import { writeOrCheck } from '@reeve/contracts/generated-files';
import { stringify } from 'yaml';
import { dashboardFile } from './dashboard-files.ts';
import { dashboards } from './dashboards.ts';
import { chartDirectory, dashboardsDirectory, rulesFile } from './paths.ts';
import { groups } from './rules.ts';

const head = '# Made by `npm run generate` of infra/observability/src/rules.ts, which is where to change it.\n';
const rules = head + stringify({ groups }, { lineWidth: 0 });

// The chart has them once more, since Helm takes files of the chart alone.
const files = new Map([
  [rulesFile, rules],
  [join(chartDirectory, 'rules.yaml'), rules],
  ...dashboards.flatMap(one =>
    [dashboardsDirectory, join(chartDirectory, 'dashboards')].map(
      directory => [join(directory, `${one.name}.json`), dashboardFile(one)] as const,
    ),
  ),
]);

writeOrCheck('Prometheus and Grafana', files);
