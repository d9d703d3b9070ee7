// What operators are woken for: objectives with the rate at which their budget of errors burns, and symptoms. Pure; the
// files that Prometheus reads are written by generate.ts, and each alert has its cases in rules.cases.ts.

/** Files of docs/runbooks, by name. */
export const runbooks = [
  'sign-in-failures',
  'expired-metadata',
  'token-revocation-incident',
  'resend-storm',
  'lost-broker',
  'lost-store',
  'full-disk',
  'clock-drift',
  'key-compromise',
  'poison-event',
  'stuck-sink',
  'restore',
  'upgrade',
  'rollback',
] as const;
type Runbook = (typeof runbooks)[number];

/** Critical: somebody gets up. Warning: on the next working day. */
type Severity = 'critical' | 'warning';

export type Alert = {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string> & { severity: Severity };
  annotations: { summary: string; what_to_do: string; runbook_url: string };
};
export type Recording = { record: string; expr: string; labels: Record<string, string> };
export type Group = { name: string; rules: (Alert | Recording)[] };

type Told = { severity: Severity; summary: string; todo: string; runbook: Runbook };

function alert(name: string, when: { expr: string; forAtLeast: string }, told: Told, labels = {}): Alert {
  return {
    alert: name,
    expr: when.expr,
    for: when.forAtLeast,
    labels: { severity: told.severity, ...labels },
    annotations: {
      summary: told.summary,
      what_to_do: told.todo,
      runbook_url: `docs/runbooks/${told.runbook}.md`,
    },
  };
}

type Objective = {
  name: string;
  /** In the name of its alerts. */
  title: string;
  /** Of what is asked, so much may fail within 30 days. */
  budget: number;
  bad: (window: string) => string;
  all: (window: string) => string;
  summary: string;
  todo: string;
  runbook: Runbook;
};

const requests = 'http_server_request_duration';
/** What a person or an application waits for at auth. */
const signInRoutes = 'http_route=~"/auth|/token|/interaction/.*|/callback/.*"';

const objectives: Objective[] = [
  {
    name: 'sign_in',
    title: 'SignIn',
    budget: 0.001,
    bad: window => `sum(rate(reeve_sign_ins_total{outcome="error"}[${window}]))`,
    all: window => `sum(rate(reeve_sign_ins_total[${window}]))`,
    summary: 'Sign-ins fail by our own fault',
    todo: 'Look at the causes on the dashboard of sign-ins, and at the errors in the log of auth.',
    runbook: 'sign-in-failures',
  },
  {
    name: 'sign_in_latency',
    title: 'SignInLatency',
    budget: 0.01,
    bad: window =>
      `sum(rate(${requests}_count{${signInRoutes}}[${window}])) - sum(rate(${requests}_bucket{${signInRoutes},le="1"}[${window}]))`,
    all: window => `sum(rate(${requests}_count{${signInRoutes}}[${window}]))`,
    summary: 'Requests of sign-ins take longer than a second',
    todo: 'Look at the dashboard of saturation: a busy event loop wants more pods, waits for connections a faster store.',
    runbook: 'sign-in-failures',
  },
  {
    name: 'webhook',
    title: 'Webhook',
    budget: 0.0005,
    bad: window =>
      `sum(rate(${requests}_count{http_route="/hooks/{endpointId}",http_response_status_code=~"5.."}[${window}]))`,
    all: window => `sum(rate(${requests}_count{http_route="/hooks/{endpointId}"}[${window}]))`,
    summary: 'Webhooks are not taken',
    todo: 'Senders send them again. Look at the store and at how many wait for it.',
    runbook: 'resend-storm',
  },
  {
    name: 'audit',
    title: 'Audit',
    budget: 0.001,
    bad: window =>
      `sum(rate(reeve_consumer_delay_count{group=~".*audit[.]chain"}[${window}])) - sum(rate(reeve_consumer_delay_bucket{group=~".*audit[.]chain",le="60"}[${window}]))`,
    all: window => `sum(rate(reeve_consumer_delay_count{group=~".*audit[.]chain"}[${window}]))`,
    summary: 'Events reach the audit log later than a minute',
    todo: 'Look at the lag of the consumers of audit, and at its store.',
    runbook: 'lost-broker',
  },
];

/** Of the SRE workbook, chapter 5: part of the month's budget that is gone, over a long and a short window. */
const burns = [
  { name: 'Fast', factor: 14.4, long: '1h', short: '5m', forAtLeast: '2m', severity: 'critical' },
  { name: 'Steady', factor: 6, long: '6h', short: '30m', forAtLeast: '15m', severity: 'critical' },
  { name: 'Slow', factor: 1, long: '3d', short: '6h', forAtLeast: '1h', severity: 'warning' },
] as const;
const windows = [...new Set(burns.flatMap(({ long, short }) => [long, short]))];

const ratioOf = (window: string) => `reeve:slo_errors:ratio_rate${window}`;

function recordingsOf({ name, bad, all }: Objective): Recording[] {
  return windows.map(window => ({
    record: ratioOf(window),
    expr: `(${bad(window)} or vector(0)) / (${all(window)} > 0)`,
    labels: { slo: name },
  }));
}

function burnAlertsOf({ name, title, budget, summary, todo, runbook }: Objective): Alert[] {
  return burns.map(({ name: pace, factor, long, short, forAtLeast, severity }) => {
    const limit = Number((factor * budget).toPrecision(6));
    const over = (window: string) => `${ratioOf(window)}{slo="${name}"} > ${limit}`;
    const told = {
      severity,
      summary: `${summary}: the budget of 30 days burns ${factor} times too fast`,
      todo,
      runbook,
    };
    return alert(`Reeve${title}BudgetBurns${pace}`, { expr: `${over(long)} and ${over(short)}`, forAtLeast }, told, {
      slo: name,
    });
  });
}

/** How much a counter rose, also where it is first seen above zero: then it has not risen, for `increase`. */
const rose = (series: string, window: string) =>
  `(increase(${series}[${window}]) > 0 or (${series} unless ${series} offset ${window}) > 0)`;

const signIns: Alert[] = [
  alert(
    'ReeveConnectionFails',
    {
      expr:
        'sum by (tenant, connection) (increase(reeve_sign_ins_by_connection_total{outcome="failed",connection!=""}[30m])) >= 10 ' +
        'unless sum by (tenant, connection) (increase(reeve_sign_ins_by_connection_total{outcome="succeeded"}[30m])) > 0',
      forAtLeast: '5m',
    },
    {
      severity: 'warning',
      summary: 'Nobody signs in by a connection any more, and ten and more have tried',
      todo: 'The cause is at …/sign-in-attempts of the tenant; their administrators see it there too.',
      runbook: 'sign-in-failures',
    },
  ),
  alert(
    'ReeveSignInsFail',
    {
      expr:
        'sum(rate(reeve_sign_ins_total{outcome!="succeeded"}[15m])) / sum(rate(reeve_sign_ins_total[15m])) > 0.5 ' +
        'and sum(increase(reeve_sign_ins_total[15m])) > 20',
      forAtLeast: '5m',
    },
    {
      severity: 'critical',
      summary: 'More than half of all sign-ins fail',
      todo: 'Look at the causes: one cause with many tenants is ours or of the network, one tenant is theirs.',
      runbook: 'sign-in-failures',
    },
  ),
  alert(
    'ReeveClocksDiffer',
    {
      expr: 'sum(increase(reeve_sign_ins_total{cause=~"clock_ahead|clock_behind"}[30m])) > 20',
      forAtLeast: '5m',
    },
    {
      severity: 'critical',
      summary: 'Sign-ins are refused because clocks differ',
      todo: 'Compare the clocks of the nodes with a time server. If they are right, one provider is wrong.',
      runbook: 'clock-drift',
    },
  ),
  alert(
    'ReeveConnectionEnds',
    { expr: rose('reeve_connections_expiry_warnings_total{within_days="7"}', '1d'), forAtLeast: '0m' },
    {
      severity: 'warning',
      summary: 'Of a connection something ends within a week: {{ $labels.what }}',
      todo: 'The event connection.certificate_expiring names it. Tell its tenant, whose contacts got a mail.',
      runbook: 'expired-metadata',
    },
  ),
  alert(
    'ReeveConnectionEnded',
    { expr: rose('reeve_connections_expiry_warnings_total{within_days="0"}', '1d'), forAtLeast: '0m' },
    {
      severity: 'critical',
      summary: 'Of a connection something has ended: {{ $labels.what }}',
      todo: 'Nobody may be able to sign in by it. The event connection.certificate_expiring names it.',
      runbook: 'expired-metadata',
    },
  ),
];

const tokens: Alert[] = [
  alert(
    'ReeveRefreshesFail',
    {
      expr:
        'sum(rate(reeve_token_requests_total{grant_type="refresh_token",outcome!="issued"}[15m])) / ' +
        'sum(rate(reeve_token_requests_total{grant_type="refresh_token"}[15m])) > 0.3 ' +
        'and sum(increase(reeve_token_requests_total{grant_type="refresh_token"}[15m])) > 20',
      forAtLeast: '10m',
    },
    {
      severity: 'critical',
      summary: 'Every third refresh of a token is refused',
      todo: 'Was something revoked for many? Look at session.revoked and client.* in the log of the last hour.',
      runbook: 'token-revocation-incident',
    },
  ),
  alert(
    'ReeveRefreshTokensReused',
    { expr: 'sum(increase(reeve_refresh_tokens_total{verdict="reused"}[15m])) > 20', forAtLeast: '0m' },
    {
      severity: 'critical',
      summary: 'Many refresh tokens come a second time: tokens may have been stolen',
      todo: 'The sessions have ended by themselves. Find what they have in common: an application, an address.',
      runbook: 'token-revocation-incident',
    },
  ),
  alert(
    'ReeveCascadeSlow',
    {
      expr: 'histogram_quantile(0.99, sum by (le, group) (rate(reeve_consumer_delay_bucket{group!~".*audit.*"}[10m]))) > 60',
      forAtLeast: '5m',
    },
    {
      severity: 'critical',
      summary: 'What was revoked goes on for more than a minute: {{ $labels.group }} is late',
      todo: 'Look at the lag and the retries of this group, and at its service.',
      runbook: 'token-revocation-incident',
    },
  ),
  alert(
    'ReeveSigningKeyOld',
    { expr: 'max by (use) (reeve_signing_key_age) > 90 * 86400', forAtLeast: '1h' },
    {
      severity: 'warning',
      summary: 'The key that signs {{ $labels.use }} is older than 90 days',
      todo: 'Rotate it: `reeve signing-keys rotate`.',
      runbook: 'key-compromise',
    },
  ),
];

const events: Alert[] = [
  alert(
    'ReeveConsumerLags',
    {
      expr: 'sum by (group, topic) (max by (group, topic, partition) (reeve_consumer_lag)) > 10000',
      forAtLeast: '10m',
    },
    {
      severity: 'warning',
      summary: '{{ $labels.group }} is ten thousand messages behind on {{ $labels.topic }}',
      todo: 'If it shrinks, wait. If it grows, look whether brokers are there, then add pods of the service.',
      runbook: 'lost-broker',
    },
  ),
  alert(
    'ReeveConsumerStuck',
    {
      expr:
        'sum by (group, topic) (increase(reeve_consumer_retries_total[10m])) > 5 ' +
        'and sum by (group, topic) (max by (group, topic, partition) (reeve_consumer_lag)) > 0',
      forAtLeast: '5m',
    },
    {
      severity: 'critical',
      summary: '{{ $labels.group }} tries the same again and again',
      todo: 'The log of the service says why. What is not to be handled is set aside by itself; what will pass is not.',
      runbook: 'poison-event',
    },
  ),
  alert(
    'ReeveDeadLetters',
    { expr: rose('reeve_consumer_dead_letters_total', '15m'), forAtLeast: '0m' },
    {
      severity: 'critical',
      summary: '{{ $labels.group }} has set a message of {{ $labels.topic }} aside: {{ $labels.code }}',
      todo: 'Look at it with `reeve dead-letters list`, mend what refused it, and send it again.',
      runbook: 'poison-event',
    },
  ),
  alert(
    'ReeveOutboxOld',
    { expr: 'max(max_over_time(reeve_outbox_age[2m])) > 60', forAtLeast: '3m' },
    {
      severity: 'critical',
      summary: 'Events wait for more than a minute to be published',
      todo: 'Nothing is lost, and nothing that rests on events happens. Look whether Kafka takes messages.',
      runbook: 'lost-broker',
    },
  ),
  alert(
    'ReeveJournalGrows',
    { expr: 'sum(reeve_journal_backlog) > 20000', forAtLeast: '5m' },
    {
      severity: 'critical',
      summary: 'Webhooks are taken and not published',
      todo: 'Nothing is lost while the store has room. Look whether Kafka takes messages.',
      runbook: 'lost-broker',
    },
  ),
];

const webhooks: Alert[] = [
  alert(
    'ReeveWebhooksWait',
    { expr: 'max(reeve_ingress_waiting) > 1500', forAtLeast: '2m' },
    {
      severity: 'critical',
      summary: 'Webhooks wait for the store; soon they are refused',
      todo: 'Somebody sends again what they have, or the store is slow. Find which at the dashboard of webhooks.',
      runbook: 'resend-storm',
    },
  ),
  alert(
    'ReeveWebhooksRepeat',
    {
      expr:
        'sum(rate(reeve_ingress_deliveries_total{outcome="duplicated"}[15m])) > 10 ' +
        'and sum(rate(reeve_ingress_deliveries_total{outcome="duplicated"}[15m])) > ' +
        '2 * sum(rate(http_server_request_duration_count{http_route="/hooks/{endpointId}",http_response_status_code="202"}[15m]))',
      forAtLeast: '5m',
    },
    {
      severity: 'warning',
      summary: 'A sender repeats what it has sent',
      todo: 'It does no harm but for the load. Ask why its sender has not seen our answers.',
      runbook: 'resend-storm',
    },
  ),
  alert(
    'ReeveSignaturesRejected',
    {
      expr:
        'sum(rate(reeve_ingress_deliveries_total{outcome="rejected",reason="signature"}[15m])) / ' +
        'sum(rate(http_server_request_duration_count{http_route="/hooks/{endpointId}"}[15m])) > 0.2 ' +
        'and sum(increase(reeve_ingress_deliveries_total{outcome="rejected",reason="signature"}[15m])) > 20',
      forAtLeast: '5m',
    },
    {
      severity: 'warning',
      summary: 'Every fifth webhook has a signature that does not hold',
      todo: 'A secret was changed at one side alone, or somebody guesses. delivery.rejected names the endpoint.',
      runbook: 'resend-storm',
    },
  ),
];

const audit: Alert[] = [
  alert(
    'ReeveSinkStuck',
    { expr: 'max by (sink) (reeve_audit_sink_lag) > 1800', forAtLeast: '10m' },
    {
      severity: 'warning',
      summary: 'A sink is half an hour behind: {{ $labels.sink }}',
      todo: 'GET …/audit/sinks/{sinkId} says why (`lastError`), and `:test` tries it.',
      runbook: 'stuck-sink',
    },
  ),
  alert(
    'ReeveCheckpointsLate',
    { expr: 'max(reeve_audit_checkpoint_age) > 900', forAtLeast: '10m' },
    {
      severity: 'warning',
      summary: 'A log that grew is unsigned for a quarter of an hour',
      todo: 'Look at the processor of audit and at its log.',
      runbook: 'lost-store',
    },
  ),
  alert(
    'ReeveCheckpointsFail',
    { expr: 'sum(increase(reeve_audit_checkpoint_failures_total[15m])) > 3', forAtLeast: '5m' },
    {
      severity: 'critical',
      summary: 'Logs cannot be signed',
      todo: 'The log of audit says why. If it is that records are gone: stop writing, and restore.',
      runbook: 'restore',
    },
  ),
  alert(
    'ReeveAuditLogBroken',
    { expr: rose('reeve_audit_verifications_total{result="broken"}', '1h'), forAtLeast: '0m' },
    {
      severity: 'critical',
      summary: 'An audit log is not what was signed of it',
      todo: 'Keep what there is: it is evidence. `reeve audit verify` names the first record that is wrong.',
      runbook: 'restore',
    },
  ),
];

const saturation: Alert[] = [
  alert(
    'ReeveStoreWaits',
    {
      expr: 'histogram_quantile(0.99, sum by (le) (rate(db_client_connection_wait_time_bucket[10m]))) > 0.5',
      forAtLeast: '10m',
    },
    {
      severity: 'warning',
      summary: 'Operations wait half a second for a connection to MongoDB',
      todo: 'Look whether the store is slow; if not, raise maxPoolSize in MONGODB_URI.',
      runbook: 'lost-store',
    },
  ),
  alert(
    'ReeveStoreAway',
    { expr: 'sum(increase(db_client_connection_timeouts_total[5m])) > 10', forAtLeast: '1m' },
    {
      severity: 'critical',
      summary: 'Operations get no connection to MongoDB',
      todo: 'Is there a primary? An election takes ten seconds.',
      runbook: 'lost-store',
    },
  ),
  alert(
    'ReeveBusy',
    { expr: 'max by (instance) (nodejs_eventloop_utilization) > 0.9', forAtLeast: '15m' },
    {
      severity: 'warning',
      summary: '{{ $labels.instance }} has no processor time left',
      todo: 'Add pods, or find who asks so much.',
      runbook: 'resend-storm',
    },
  ),
  alert(
    'ReeveLogLost',
    { expr: rose('reeve_log_failures_total', '15m'), forAtLeast: '0m' },
    {
      severity: 'warning',
      summary: 'Lines of the log are lost',
      todo: 'The disk that takes it is full, or gone.',
      runbook: 'full-disk',
    },
  ),
  alert(
    'ReeveRequestsFail',
    {
      expr:
        'sum(rate(http_server_request_duration_count{http_response_status_code=~"5.."}[10m])) / ' +
        'sum(rate(http_server_request_duration_count[10m])) > 0.02 ' +
        'and sum(increase(http_server_request_duration_count{http_response_status_code=~"5.."}[10m])) > 20',
      forAtLeast: '5m',
    },
    {
      severity: 'critical',
      summary: 'One request in fifty is answered by an error of ours',
      todo: 'If a release came just before, roll it back. The logs have each error with its trace.',
      runbook: 'rollback',
    },
  ),
  alert(
    'ReeveNotMeasured',
    { expr: 'absent(reeve_signing_key_age)', forAtLeast: '10m' },
    {
      severity: 'critical',
      summary: 'Prometheus reads no metrics of auth',
      todo: 'Are pods of auth running, and may Prometheus reach METRICS_PORT (networkPolicy.metrics)?',
      runbook: 'upgrade',
    },
  ),
];

export const groups: Group[] = [
  { name: 'reeve-objectives', rules: objectives.flatMap(recordingsOf) },
  { name: 'reeve-budgets', rules: objectives.flatMap(burnAlertsOf) },
  { name: 'reeve-sign-ins', rules: signIns },
  { name: 'reeve-tokens', rules: tokens },
  { name: 'reeve-events', rules: events },
  { name: 'reeve-webhooks', rules: webhooks },
  { name: 'reeve-audit', rules: audit },
  { name: 'reeve-saturation', rules: saturation },
];

export const isAlert = (rule: Alert | Recording): rule is Alert => 'alert' in rule;
