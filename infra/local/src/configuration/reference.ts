import {
  clusterVariables,
  engineVariables,
  imageVariables,
  peerVariables,
  portTable,
  systemVariables,
  testVariables,
  type Variable,
} from '../variables.ts';
import type { Configurations, ServiceVariable } from './service-variables.ts';

const head = `# Configuration

Generated from \`services/*/src/config.ts\` and \`infra/local/src/variables.ts\` by \`npm run generate\`;
\`services/*/.env.example\` say the same as files to fill in.

A service reads its environment once, when it starts. It names every variable that is missing or wrong, never a value,
and ends with exit code 78. An empty variable is a missing one. No secret, issuer or audience has a default.
`;

const privateOrigins = `## Receivers on a private network

Sinks, identity providers and connectors are chosen by tenants, so services speak to public addresses alone, and where
a tenant names another one the answer is \`url_refused\`. \`REEVE_ALLOWED_NETWORKS\` opens networks of your own, also in
production: subnets and hosts, separated by commas, each for a purpose (\`purpose=…\`) or, without one, for all.

\`\`\`
REEVE_ALLOWED_NETWORKS=sinks=10.20.0.0/16,sinks=siem.corp.example,identity_providers=login.corp.example
\`\`\`

| purpose | what is reached | service |
| --- | --- | --- |
| \`identity_providers\` | issuers, metadata and keys of SSO connections, and keys by which they vouch towards assistants | auth |
| \`applications\` | keys, back-channel logout and signal streams of applications | auth |
| \`sinks\` | receivers of the audit log, of every kind | audit |
| \`connectors\` | authorization servers of connectors | connector-consent |

- A subnet is a private one (RFC 1918, RFC 6598, \`fc00::/7\`) or of the machine itself (\`127.0.0.0/8\`, \`::1\`); a
  service that is given any other refuses to start. A host is its full name: it may lead to any such address, and no
  other name may. Addresses where a cloud's machines find their credentials (link-local ones, \`fd00:ec2::/32\`,
  100.100.100.200) are never open.
- Every tenant, and whoever has a set-up link of one, can name whatever is open for its purpose, and learns by the
  answers what stands there: open the hosts that are meant, not the network they are in.
- It is spoken to by TLS, as everything is. Trust your own authority with \`NODE_EXTRA_CA_CERTS\`, or a sink's \`ca\`.
- What strangers name (client ID metadata documents, and the keys in them) stays out of it.

\`REEVE_ALLOWED_PRIVATE_ORIGINS\` is for tests, and opens exact origins also without TLS: separated by commas, each with
its port unless it is the scheme's own; no paths, no wildcards.

\`\`\`
REEVE_ALLOWED_PRIVATE_ORIGINS=http://localhost:8088,https://10.0.0.5:9200,tls://127.0.0.1:6514 npm start
\`\`\`

\`http://\` and \`https://\` are for whatever is fetched or posted to (sinks of the kinds \`https\`, \`splunk_hec\`,
\`elasticsearch\` and \`s3\`, identity providers, connectors), \`tls://host:port\` for sinks of the kinds
\`syslog_tls\` and \`kafka\`, there for each broker. With \`NODE_ENV=production\` a service that has this variable
refuses to start.
`;

const telemetry = `## Telemetry

Each service serves its metrics at \`/metrics\` on \`METRICS_PORT\`. Traces and metrics are sent where the standard
variables of OpenTelemetry name a collector: \`OTEL_EXPORTER_OTLP_ENDPOINT\`, or
\`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\` and \`OTEL_EXPORTER_OTLP_METRICS_ENDPOINT\`; \`OTEL_TRACES_EXPORTER=none\` and
\`OTEL_METRICS_EXPORTER=none\` turn either off. \`OTEL_SERVICE_NAME\` replaces \`reeve-<service>\`.
Every request is traced unless \`OTEL_TRACES_SAMPLER\` says otherwise: [observability.md](observability.md).
`;

const local = `## On a developer's machine

\`npm start\` and \`npm test\` give each service its environment. What they read themselves, \`--help\` says too.
`;

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string) => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}

function variableRows(variables: readonly ServiceVariable[]): string {
  return table(
    ['variable', 'required', 'default', 'what it is'],
    variables.map(({ name, isRequired, default: value, oneOf, is }) => [
      code(name),
      isRequired ? 'yes' : 'no',
      value === null ? '' : code(value),
      oneOf.length === 0 ? is : `${is}: ${oneOf.map(code).join(', ')}`,
    ]),
  );
}

const localRows = (variables: readonly Variable[]) =>
  table(
    ['variable', 'what it does'],
    variables.map(({ name, does }) => [code(name), does]),
  );

/** docs/configuration.md */
export function configurationReference(services: Configurations): string {
  const [first = [], ...others] = services.values();
  const isCommon = ({ name }: ServiceVariable) => others.every(list => list.some(other => other.name === name));
  const own = [...services].map(([name, variables]) => {
    const further = variables.filter(variable => !isCommon(variable));
    return `## ${name}\n\n${further.length === 0 ? 'Nothing else.\n' : variableRows(further)}`;
  });
  return [
    head,
    `## Every service\n\n${variableRows(first.filter(isCommon))}`,
    ...own,
    privateOrigins,
    telemetry,
    local,
    `### Engines\n\n${localRows(engineVariables)}`,
    `### Ports of \`npm start\`\n\n${localRows(portTable)}`,
    `### The system\n\n${localRows(systemVariables)}`,
    `### Tests\n\n${localRows([...testVariables, ...peerVariables, ...imageVariables, ...clusterVariables])}`,
  ].join('\n');
}
