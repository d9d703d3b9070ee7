// What operators look at, as panels of queries. Pure; dashboard-files.ts makes of it what Grafana reads.

/** In units of Grafana. */
type Unit = 'short' | 's' | 'reqps' | 'percentunit' | 'bytes';

type Query = { expr: string; legend: string };
export type Panel = { title: string; about: string; unit: Unit; queries: Query[] };
export type Dashboard = { name: string; title: string; about: string; panels: Panel[] };

/** The window that Grafana takes for the resolution that it shows. */
const rate = (series: string) => `rate(${series}[$__rate_interval])`;
const per = (by: string, series: string) => `sum by (${by}) (${rate(series)})`;
const quantile = (q: number, by: string, histogram: string) =>
  `histogram_quantile(${q}, sum by (${['le', by].filter(Boolean).join(', ')}) (${rate(histogram)}))`;

const panel = (title: string, unit: Unit, about: string, ...queries: [expr: string, legend: string][]): Panel => ({
  title,
  about,
  unit,
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});

const hooks = 'http_route="/hooks/{endpointId}"';

export const dashboards: Dashboard[] = [
  {
    name: 'sign-ins',
    title: 'Sign-ins',
    about: 'Who signs in, by what, and why it fails',
    panels: [
      panel(
        'Success',
        'percentunit',
        'Of the sign-ins that ended, how many succeeded',
        [`sum(${rate('reeve_sign_ins_total{outcome="succeeded"}')}) / sum(${rate('reeve_sign_ins_total')})`, 'all'],
        [
          `${per('method', 'reeve_sign_ins_total{outcome="succeeded"}')} / ${per('method', 'reeve_sign_ins_total')}`,
          '{{method}}',
        ],
      ),
      panel('Sign-ins', 'reqps', 'By outcome; `error` is our fault', [
        per('outcome', 'reeve_sign_ins_total'),
        '{{outcome}}',
      ]),
      panel('Causes', 'reqps', 'Why sign-ins fail: docs/sign-in-causes.md', [
        per('cause', 'reeve_sign_ins_total{outcome!="succeeded"}'),
        '{{cause}}',
      ]),
      panel('Success by tenant', 'percentunit', 'The ten that are worst off', [
        `bottomk(10, ${per('tenant', 'reeve_sign_ins_by_connection_total{outcome="succeeded"}')} / ${per('tenant', 'reeve_sign_ins_by_connection_total')})`,
        '{{tenant}}',
      ]),
      panel('Failures by connection', 'reqps', 'The ten with most', [
        `topk(10, ${per('tenant, connection', 'reeve_sign_ins_by_connection_total{outcome!="succeeded"}')})`,
        '{{tenant}} {{connection}}',
      ]),
      panel('Beyond the bound', 'reqps', 'Of tenants that have no series of their own', [
        `sum(${rate('reeve_sign_ins_by_connection_total{otel_metric_overflow="true"}')})`,
        'others',
      ]),
      panel(
        'Time of a request',
        's',
        'Of people and applications at auth',
        [
          quantile(
            0.5,
            'http_route',
            'http_server_request_duration_bucket{http_route=~"/auth|/token|/interaction/.*|/callback/.*"}',
          ),
          'p50 {{http_route}}',
        ],
        [
          quantile(
            0.99,
            'http_route',
            'http_server_request_duration_bucket{http_route=~"/auth|/token|/interaction/.*|/callback/.*"}',
          ),
          'p99 {{http_route}}',
        ],
      ),
      panel('Back-channel logout', 'reqps', 'What came of telling applications', [
        per('outcome', 'reeve_logout_notices_total'),
        '{{outcome}}',
      ]),
    ],
  },
  {
    name: 'tokens',
    title: 'Tokens',
    about: 'What is issued, refreshed and refused',
    panels: [
      panel('Requests', 'reqps', 'By grant', [per('grant_type', 'reeve_token_requests_total'), '{{grant_type}}']),
      panel('Refused', 'reqps', 'By grant and error', [
        per('grant_type, outcome', 'reeve_token_requests_total{outcome!="issued"}'),
        '{{grant_type}} {{outcome}}',
      ]),
      panel('Refreshes that fail', 'percentunit', 'Of all refreshes', [
        `sum(${rate('reeve_token_requests_total{grant_type="refresh_token",outcome!="issued"}')}) / sum(${rate('reeve_token_requests_total{grant_type="refresh_token"}')})`,
        'failed',
      ]),
      panel('Refresh tokens that came', 'reqps', '`reused`: too late, somebody may have stolen it', [
        per('verdict', 'reeve_refresh_tokens_total'),
        '{{verdict}}',
      ]),
    ],
  },
  {
    name: 'connectors',
    title: 'Connectors',
    about: 'Installations, consents and what third parties delegated',
    panels: [
      panel('Installations', 'short', 'In the last day, by step', [
        'sum by (type) (increase(reeve_outbox_published_total{type=~"installation[.].*"}[1d]))',
        '{{type}}',
      ]),
      panel(
        'Completion',
        'percentunit',
        'Of the installations that were asked for in the last week, how many were finished',
        [
          'sum(increase(reeve_outbox_published_total{type="installation.installed"}[7d])) / sum(increase(reeve_outbox_published_total{type="installation.requested"}[7d]))',
          'installed',
        ],
      ),
      panel('Delegated tokens', 'reqps', 'Stored, leased and revoked', [
        per('type', 'reeve_outbox_published_total{type=~"delegated_token[.].*"}'),
        '{{type}}',
      ]),
      panel('Consents', 'reqps', 'Granted and taken back', [
        per('type', 'reeve_outbox_published_total{type=~"consent[.].*"}'),
        '{{type}}',
      ]),
    ],
  },
  {
    name: 'webhooks',
    title: 'Webhooks',
    about: 'What third parties send',
    panels: [
      panel('Answers', 'reqps', 'By status', [
        per('http_response_status_code', `http_server_request_duration_count{${hooks}}`),
        '{{http_response_status_code}}',
      ]),
      panel('Rejected', 'reqps', 'By reason; `signature` is one that does not hold', [
        per('reason', 'reeve_ingress_deliveries_total{outcome="rejected"}'),
        '{{reason}}',
      ]),
      panel('Signatures rejected', 'percentunit', 'Of all webhooks', [
        `sum(${rate('reeve_ingress_deliveries_total{outcome="rejected",reason="signature"}')}) / sum(${rate(`http_server_request_duration_count{${hooks}}`)})`,
        'rejected',
      ]),
      panel('Duplicates', 'reqps', 'Sent again', [
        `sum(${rate('reeve_ingress_deliveries_total{outcome="duplicated"}')})`,
        'duplicated',
      ]),
      panel('Time of an answer', 's', 'An answer means that it is durable', [
        quantile(0.99, '', `http_server_request_duration_bucket{${hooks}}`),
        'p99',
      ]),
      panel(
        'Waiting',
        'short',
        'For the store, and to be published',
        ['sum(reeve_ingress_waiting)', 'for the store'],
        ['sum(reeve_journal_backlog)', 'to be published'],
      ),
    ],
  },
  {
    name: 'events',
    title: 'Events',
    about: 'What is published, and how far behind those are who follow',
    panels: [
      panel(
        'Published',
        'reqps',
        'From outboxes and journals',
        [`sum(${rate('reeve_outbox_published_total')})`, 'outboxes'],
        [`sum(${rate('reeve_journal_published_total')})`, 'journals'],
      ),
      panel('Age of outboxes', 's', 'The oldest event that is not published', [
        'max by (instance) (max_over_time(reeve_outbox_age[1m]))',
        '{{instance}}',
      ]),
      panel('Until an event is published', 's', '', [quantile(0.99, '', 'reeve_outbox_delay_bucket'), 'p99']),
      panel('Backlog of journals', 'short', 'Rows that wait to be published', [
        'sum by (instance) (reeve_journal_backlog)',
        '{{instance}}',
      ]),
      panel('Lag', 'short', 'Messages behind the end, by group', [
        'sum by (group) (max by (group, topic, partition) (reeve_consumer_lag))',
        '{{group}}',
      ]),
      panel('Cascade', 's', 'From an event to the end of what it brings about', [
        quantile(0.99, 'group', 'reeve_consumer_delay_bucket'),
        'p99 {{group}}',
      ]),
      panel('Tried again', 'reqps', 'By group', [per('group', 'reeve_consumer_retries_total'), '{{group}}']),
      panel('Dead letters', 'short', 'In the last day', [
        'sum by (group, code) (increase(reeve_consumer_dead_letters_total[1d]))',
        '{{group}} {{code}}',
      ]),
      panel(
        'Taken over',
        'reqps',
        'What processes that were lost left behind',
        [`sum(${rate('reeve_outbox_taken_over_total')})`, 'outboxes'],
        [`sum(${rate('reeve_journal_recovered_total')})`, 'segments'],
        [`sum(${rate('reeve_outbox_failures_total')})`, 'failed attempts'],
      ),
    ],
  },
  {
    name: 'audit',
    title: 'Audit',
    about: 'Whether the log is complete, signed and delivered',
    panels: [
      panel('Lag of sinks', 's', 'The ten that are farthest behind', [
        'topk(10, max by (sink) (reeve_audit_sink_lag))',
        '{{sink}}',
      ]),
      panel('Delivered to sinks', 'reqps', 'Records, by kind', [
        per('kind', 'reeve_audit_sink_delivered_total'),
        '{{kind}}',
      ]),
      panel('Failures of sinks', 'reqps', 'Batches, by kind and code', [
        per('kind, code', 'reeve_audit_sink_failures_total'),
        '{{kind}} {{code}}',
      ]),
      panel(
        'Waiting for a signature',
        's',
        'The log that has waited longest',
        ['max(reeve_audit_checkpoint_age)', 'oldest'],
        ['sum(increase(reeve_audit_checkpoint_failures_total[1h]))', 'failures in an hour'],
      ),
      panel('Verifications', 'short', 'In the last day: none may be broken', [
        'sum by (by, result) (increase(reeve_audit_verifications_total[1d]))',
        '{{by}} {{result}}',
      ]),
      panel('Found by searches', 'percentunit', 'Less than all: `reeve audit rebuild-search`', [
        'sum(increase(reeve_audit_searchable_total[1d])) / sum(increase(reeve_audit_stored_total[1d]))',
        'searchable',
      ]),
      panel('Alerts of tenants', 'short', 'In the last day, by rule', [
        'sum by (rule) (increase(reeve_audit_alerts_total[1d]))',
        '{{rule}}',
      ]),
      panel('Removed', 'short', 'Records in the last day, by reason', [
        'sum by (reason) (increase(reeve_audit_removed_total[1d]))',
        '{{reason}}',
      ]),
    ],
  },
  {
    name: 'keys',
    title: 'Keys and certificates',
    about: 'What gets old and what ends',
    panels: [
      panel('Age of signing keys', 's', 'Of those that sign now', ['max by (use) (reeve_signing_key_age)', '{{use}}']),
      panel('Warnings', 'short', 'In the last 30 days: what of connections ends within so many days', [
        'sum by (what, within_days) (increase(reeve_connections_expiry_warnings_total[30d]))',
        '{{what}} {{within_days}}',
      ]),
      panel('Failures by what ended', 'reqps', 'Sign-ins that fail by certificates, secrets and clocks', [
        per(
          'cause',
          'reeve_sign_ins_total{cause=~"saml_certificate_unknown|client_secret_expired|id_token_signature|clock_.*"}',
        ),
        '{{cause}}',
      ]),
    ],
  },
  {
    name: 'saturation',
    title: 'Saturation',
    about: 'Which service is at its limit, and of what',
    panels: [
      panel('Event loop', 'percentunit', 'Part of the time in which a process works; above 0.9 everything waits', [
        'max by (job, instance) (nodejs_eventloop_utilization)',
        '{{job}} {{instance}}',
      ]),
      panel('Delay of the event loop', 's', '', [
        'max by (job, instance) (nodejs_eventloop_delay_p99)',
        '{{job}} {{instance}}',
      ]),
      panel('Heap', 'bytes', '', ['sum by (job, instance) (v8js_memory_heap_used)', '{{job}} {{instance}}']),
      panel('Requests in flight', 'short', '', ['sum by (job) (http_server_active_requests)', '{{job}}']),
      panel('Requests', 'reqps', '', [
        per('job, http_response_status_code', 'http_server_request_duration_count'),
        '{{job}} {{http_response_status_code}}',
      ]),
      panel('Waiting for a connection to MongoDB', 's', '', [
        quantile(0.99, 'job', 'db_client_connection_wait_time_bucket'),
        'p99 {{job}}',
      ]),
      panel(
        'Connections to MongoDB',
        'short',
        '',
        [
          'sum by (job, db_client_connection_state) (db_client_connection_count)',
          '{{job}} {{db_client_connection_state}}',
        ],
        ['sum by (job) (increase(db_client_connection_timeouts_total[5m]))', '{{job}} got none in 5 minutes'],
      ),
      panel('Log', 'short', 'Lines that were lost', [
        'sum by (job) (increase(reeve_log_failures_total[1h]))',
        '{{job}}',
      ]),
    ],
  },
];
