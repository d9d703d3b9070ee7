// For each alert, what Prometheus reads when it fires, and when it must not. In promtool's notation: `0+10x150` begins
// at 0 and rises by 10 each minute for 150 minutes; `_` is a minute without a sample.

type Series = Record<string, string>;
export type Case = {
  alert: string;
  /** What makes it fire, and by which labels it says what it is about. */
  fires: { series: Series; labels?: Record<string, string> };
  /** What is like it and is nothing to be woken for. */
  rests: Series;
};

/** When it is looked, after the series began. */
export const lookedAt = '150m';

const still = '0x150';
const rising = (by: number) => `0+${by}x150`;
const at = (value: number) => `${value}x150`;
const inTheLastMinutes = (before: number, after: string) => `0x${150 - before} ${after}`;
const hooks = 'http_route="/hooks/{endpointId}"';
const token = 'http_route="/token"';

const objectives: { title: string; slo: string; burning: Series; kept: Series }[] = [
  {
    title: 'SignIn',
    slo: 'sign_in',
    burning: {
      'reeve_sign_ins_total{outcome="error"}': rising(5),
      'reeve_sign_ins_total{outcome="succeeded"}': rising(95),
    },
    // Theirs to mend.
    kept: {
      'reeve_sign_ins_total{outcome="failed"}': rising(50),
      'reeve_sign_ins_total{outcome="succeeded"}': rising(95),
    },
  },
  {
    title: 'SignInLatency',
    slo: 'sign_in_latency',
    burning: {
      [`http_server_request_duration_count{${token}}`]: rising(100),
      [`http_server_request_duration_bucket{${token},le="1"}`]: rising(70),
    },
    kept: {
      [`http_server_request_duration_count{${token}}`]: rising(1_000),
      [`http_server_request_duration_bucket{${token},le="1"}`]: rising(995),
    },
  },
  {
    title: 'Webhook',
    slo: 'webhook',
    burning: {
      [`http_server_request_duration_count{${hooks},http_response_status_code="503"}`]: rising(5),
      [`http_server_request_duration_count{${hooks},http_response_status_code="202"}`]: rising(95),
    },
    // A forged one is refused, as it has to be.
    kept: {
      [`http_server_request_duration_count{${hooks},http_response_status_code="401"}`]: rising(50),
      [`http_server_request_duration_count{${hooks},http_response_status_code="202"}`]: rising(95),
    },
  },
  {
    title: 'Audit',
    slo: 'audit',
    burning: {
      'reeve_consumer_delay_count{group="audit.chain"}': rising(100),
      'reeve_consumer_delay_bucket{group="audit.chain",le="60"}': rising(90),
    },
    kept: {
      'reeve_consumer_delay_count{group="audit.chain"}': rising(100),
      'reeve_consumer_delay_bucket{group="audit.chain",le="60"}': rising(100),
    },
  },
];

const ofObjectives: Case[] = objectives.flatMap(({ title, slo, burning, kept }) =>
  ['Fast', 'Steady', 'Slow'].map(pace => ({
    alert: `Reeve${title}BudgetBurns${pace}`,
    fires: { series: burning, labels: { slo } },
    rests: kept,
  })),
);

const endOf = (what: string, within: number) =>
  `reeve_connections_expiry_warnings_total{what="${what}",within_days="${within}"}`;
const byConnection = (outcome: string) =>
  `reeve_sign_ins_by_connection_total{outcome="${outcome}",tenant="ten_1",connection="con_1"}`;
const lagOf = (partition: number) =>
  `reeve_consumer_lag{group="auth.people",topic="reeve.directory.v1",partition="${partition}"}`;
const ofPeople = { group: 'auth.people', topic: 'reeve.directory.v1' };
const letters = 'reeve_consumer_dead_letters_total{group="auth.people",topic="reeve.directory.v1",code="data_invalid"}';

export const cases: Case[] = [
  ...ofObjectives,
  {
    alert: 'ReeveConnectionFails',
    fires: { series: { [byConnection('failed')]: rising(1) }, labels: { tenant: 'ten_1', connection: 'con_1' } },
    rests: { [byConnection('failed')]: rising(1), [byConnection('succeeded')]: rising(1) },
  },
  {
    alert: 'ReeveSignInsFail',
    fires: {
      series: {
        'reeve_sign_ins_total{outcome="failed"}': rising(6),
        'reeve_sign_ins_total{outcome="succeeded"}': rising(4),
      },
    },
    // Two people on a quiet night.
    rests: { 'reeve_sign_ins_total{outcome="failed"}': inTheLastMinutes(5, '2x5') },
  },
  {
    alert: 'ReeveClocksDiffer',
    fires: { series: { 'reeve_sign_ins_total{outcome="failed",cause="clock_ahead"}': rising(1) } },
    rests: { 'reeve_sign_ins_total{outcome="failed",cause="person_cancelled"}': rising(1) },
  },
  {
    alert: 'ReeveConnectionEnds',
    fires: {
      series: { [endOf('certificate', 7)]: inTheLastMinutes(60, '1x60') },
      labels: { what: 'certificate', within_days: '7' },
    },
    rests: { [endOf('certificate', 7)]: still, [endOf('certificate', 30)]: inTheLastMinutes(60, '1x60') },
  },
  {
    alert: 'ReeveConnectionEnded',
    fires: {
      series: { [endOf('client_secret', 0)]: inTheLastMinutes(60, '1x60') },
      labels: { what: 'client_secret', within_days: '0' },
    },
    rests: { [endOf('client_secret', 0)]: still },
  },
  {
    alert: 'ReeveRefreshesFail',
    fires: {
      series: {
        'reeve_token_requests_total{grant_type="refresh_token",outcome="invalid_grant"}': rising(5),
        'reeve_token_requests_total{grant_type="refresh_token",outcome="issued"}': rising(5),
      },
    },
    rests: {
      'reeve_token_requests_total{grant_type="refresh_token",outcome="issued"}': rising(5),
      'reeve_token_requests_total{grant_type="authorization_code",outcome="invalid_grant"}': rising(5),
    },
  },
  {
    alert: 'ReeveRefreshTokensReused',
    fires: { series: { 'reeve_refresh_tokens_total{verdict="reused"}': rising(2) } },
    rests: { 'reeve_refresh_tokens_total{verdict="in_grace"}': rising(20) },
  },
  {
    alert: 'ReeveCascadeSlow',
    fires: {
      series: {
        'reeve_consumer_delay_bucket{group="auth.people",le="60"}': rising(1),
        'reeve_consumer_delay_bucket{group="auth.people",le="300"}': rising(10),
        'reeve_consumer_delay_bucket{group="auth.people",le="+Inf"}': rising(10),
      },
      labels: { group: 'auth.people' },
    },
    rests: {
      'reeve_consumer_delay_bucket{group="auth.people",le="1"}': rising(10),
      'reeve_consumer_delay_bucket{group="auth.people",le="60"}': rising(10),
      'reeve_consumer_delay_bucket{group="auth.people",le="+Inf"}': rising(10),
    },
  },
  {
    alert: 'ReeveSigningKeyOld',
    fires: { series: { 'reeve_signing_key_age{use="idToken"}': at(8_000_000) }, labels: { use: 'idToken' } },
    rests: { 'reeve_signing_key_age{use="idToken"}': at(7_000_000) },
  },
  {
    alert: 'ReeveConsumerLags',
    fires: { series: { [lagOf(0)]: at(6_000), [lagOf(1)]: at(6_000) }, labels: ofPeople },
    // The same partition as two instances see it.
    rests: { [lagOf(0)]: at(6_000), [lagOf(0).replace('}', ',instance="b"}')]: at(6_000) },
  },
  {
    alert: 'ReeveConsumerStuck',
    fires: {
      series: {
        'reeve_consumer_retries_total{group="auth.people",topic="reeve.directory.v1"}': rising(1),
        [lagOf(0)]: at(5),
      },
      labels: ofPeople,
    },
    // It had to try again, and has done so.
    rests: {
      'reeve_consumer_retries_total{group="auth.people",topic="reeve.directory.v1"}': rising(1),
      [lagOf(0)]: at(0),
    },
  },
  {
    alert: 'ReeveDeadLetters',
    // Its first, of a series that was not there before.
    fires: { series: { [letters]: `_x145 1x5` }, labels: { ...ofPeople, code: 'data_invalid' } },
    rests: { [letters]: at(3) },
  },
  {
    alert: 'ReeveOutboxOld',
    // Between two attempts nothing waits.
    fires: { series: { reeve_outbox_age: '0x140 100 0 200 0 300 0 400 0 500 0 600' } },
    rests: { reeve_outbox_age: at(2) },
  },
  {
    alert: 'ReeveJournalGrows',
    fires: {
      series: { 'reeve_journal_backlog{instance="a"}': at(15_000), 'reeve_journal_backlog{instance="b"}': at(15_000) },
    },
    rests: { 'reeve_journal_backlog{instance="a"}': at(500) },
  },
  {
    alert: 'ReeveWebhooksWait',
    fires: { series: { reeve_ingress_waiting: at(1_900) } },
    rests: { reeve_ingress_waiting: at(200) },
  },
  {
    alert: 'ReeveWebhooksRepeat',
    fires: {
      series: {
        'reeve_ingress_deliveries_total{outcome="duplicated"}': rising(1_200),
        [`http_server_request_duration_count{${hooks},http_response_status_code="202"}`]: rising(60),
      },
    },
    rests: {
      'reeve_ingress_deliveries_total{outcome="duplicated"}': rising(1_200),
      [`http_server_request_duration_count{${hooks},http_response_status_code="202"}`]: rising(6_000),
    },
  },
  {
    alert: 'ReeveSignaturesRejected',
    fires: {
      series: {
        'reeve_ingress_deliveries_total{outcome="rejected",reason="signature"}': rising(5),
        [`http_server_request_duration_count{${hooks},http_response_status_code="401"}`]: rising(5),
        [`http_server_request_duration_count{${hooks},http_response_status_code="202"}`]: rising(5),
      },
    },
    rests: {
      'reeve_ingress_deliveries_total{outcome="rejected",reason="signature"}': rising(5),
      [`http_server_request_duration_count{${hooks},http_response_status_code="202"}`]: rising(500),
    },
  },
  {
    alert: 'ReeveSinkStuck',
    fires: { series: { 'reeve_audit_sink_lag{sink="snk_1"}': at(2_000) }, labels: { sink: 'snk_1' } },
    rests: { 'reeve_audit_sink_lag{sink="snk_1"}': at(300) },
  },
  {
    alert: 'ReeveCheckpointsLate',
    fires: { series: { reeve_audit_checkpoint_age: at(1_000) } },
    rests: { reeve_audit_checkpoint_age: at(70) },
  },
  {
    alert: 'ReeveCheckpointsFail',
    fires: { series: { reeve_audit_checkpoint_failures_total: rising(1) } },
    rests: { reeve_audit_checkpoint_failures_total: inTheLastMinutes(5, '1x5') },
  },
  {
    alert: 'ReeveAuditLogBroken',
    fires: {
      series: { 'reeve_audit_verifications_total{by="checkpoint",result="broken"}': inTheLastMinutes(5, '1x5') },
      labels: { by: 'checkpoint', result: 'broken' },
    },
    rests: {
      'reeve_audit_verifications_total{by="checkpoint",result="broken"}': still,
      'reeve_audit_verifications_total{by="checkpoint",result="intact"}': rising(10),
    },
  },
  {
    alert: 'ReeveStoreWaits',
    fires: {
      series: {
        'db_client_connection_wait_time_bucket{le="0.5"}': rising(1),
        'db_client_connection_wait_time_bucket{le="1"}': rising(10),
        'db_client_connection_wait_time_bucket{le="+Inf"}': rising(10),
      },
    },
    rests: {
      'db_client_connection_wait_time_bucket{le="0.001"}': rising(10),
      'db_client_connection_wait_time_bucket{le="+Inf"}': rising(10),
    },
  },
  {
    alert: 'ReeveStoreAway',
    fires: { series: { db_client_connection_timeouts_total: rising(10) } },
    rests: { db_client_connection_timeouts_total: inTheLastMinutes(5, '2x5') },
  },
  {
    alert: 'ReeveBusy',
    fires: { series: { 'nodejs_eventloop_utilization{instance="a"}': at(0.97) }, labels: { instance: 'a' } },
    // A burst.
    rests: { 'nodejs_eventloop_utilization{instance="a"}': inTheLastMinutes(10, '0.97x10') },
  },
  {
    alert: 'ReeveLogLost',
    fires: { series: { reeve_log_failures_total: inTheLastMinutes(5, '4x5') } },
    rests: { reeve_log_failures_total: at(4) },
  },
  {
    alert: 'ReeveRequestsFail',
    fires: {
      series: {
        'http_server_request_duration_count{http_response_status_code="500"}': rising(5),
        'http_server_request_duration_count{http_response_status_code="200"}': rising(95),
      },
    },
    rests: {
      'http_server_request_duration_count{http_response_status_code="404"}': rising(50),
      'http_server_request_duration_count{http_response_status_code="200"}': rising(95),
    },
  },
  {
    alert: 'ReeveNotMeasured',
    fires: { series: { reeve_outbox_age: still } },
    rests: { 'reeve_signing_key_age{use="idToken"}': at(5) },
  },
];
