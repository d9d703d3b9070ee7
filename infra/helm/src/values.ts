// What may be set in values.yaml: values.schema.json follows from it. Owns the shapes; the defaults are in values.yaml.
import type { Configurations, ServiceVariable } from '@reeve/local/configuration';
import { type ServiceName, serviceNames } from '@reeve/local/system';
import { z } from 'zod';

/**
 * The variables that the chart sets by values of other names, those that come from Secrets, and the switches of tests.
 * All others are settings.
 */
const notSettings = new Set([
  'NODE_ENV',
  'PORT',
  'METRICS_PORT',
  'REEVE_SELF_URL',
  'REEVE_ISSUER',
  'REEVE_ISSUER_ADDRESS',
  'REEVE_PROVISIONING_URL',
  'REEVE_PROVISIONING_ADDRESS',
  'REEVE_CONSENT_URL',
  'REEVE_RESOURCES',
  'REEVE_START_SECONDS',
  'REEVE_TRUST_PROXY',
  'REEVE_ALLOWED_NETWORKS',
  'REEVE_PLATFORM_CLIENT_ID',
  'REEVE_PLATFORM_CLIENT_SECRET',
  'REEVE_CONSENT_CLIENT_SECRET',
  'REEVE_COOKIE_KEYS',
  'REEVE_CATALOGUE_FILE',
  'REEVE_SMTP_URL',
  'REEVE_RATE_LIMITS',
  'REEVE_ALLOWED_PRIVATE_ORIGINS',
]);
const isSetting = ({ name }: ServiceVariable) => !notSettings.has(name) && !/^(KAFKA|MONGODB|REEVE_VAULT)_/.test(name);

/** Of Node.js and of OpenTelemetry: docs/configuration.md names them. */
export const furtherVariables = {
  NODE_EXTRA_CA_CERTS: 'PEM of authorities to trust besides the public ones; a file of volumeMounts',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'Where traces and metrics are sent',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'Where traces are sent',
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'Where metrics are sent',
  OTEL_TRACES_EXPORTER: '`none` sends no traces',
  OTEL_METRICS_EXPORTER: '`none` sends no metrics',
  OTEL_SERVICE_NAME: 'In place of reeve-<service>',
};

const secretNames = [
  'mongodbUri',
  'mongodbCa',
  'vaultKeys',
  'transitCa',
  'catalogue',
  'platformClientSecret',
  'consentClientSecret',
  'cookieKeys',
  'smtpUrl',
  'kafkaCa',
  'kafkaCert',
  'kafkaKey',
  'kafkaUsername',
  'kafkaPassword',
] as const;

/** As Kubernetes has it, which says what is wrong with it. */
const asKubernetes = z.record(z.string(), z.unknown());
const listAsKubernetes = z.array(asKubernetes);
const texts = z.record(z.string(), z.string());
const count = z.number().int().min(1);

// Helm checks it with Go's regular expressions, which look neither ahead nor behind.
const origin = z.string().regex(/^https?:\/\/[a-z0-9.-]+(:[0-9]+)?$/);
const keyKind = z.enum(['keyFile', 'transit', 'awsKms']);
const secret = z.strictObject({ name: z.string().min(1), key: z.string().min(1) });
const secrets = z.strictObject(
  Object.fromEntries(secretNames.map(name => [name, secret.optional()])) as Record<
    (typeof secretNames)[number],
    z.ZodOptional<typeof secret>
  >,
);

const settingsOf = (variables: readonly { name: string; is: string; oneOf: readonly string[] }[]) =>
  z
    .strictObject(
      Object.fromEntries(
        variables.map(({ name, is, oneOf }) => [
          name,
          (oneOf.length > 0 ? z.enum(oneOf as [string]) : z.string()).optional().describe(is),
        ]),
      ),
    )
    .optional();

const serviceValues = (name: ServiceName, settings: z.ZodType) =>
  z.strictObject({
    url: origin,
    replicas: count,
    autoscaling: z.strictObject({
      enabled: z.boolean(),
      minReplicas: count,
      maxReplicas: count,
      cpuPercent: count.max(100),
    }),
    digest: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .optional(),
    resources: z.strictObject({
      requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
      limits: z.strictObject({ cpu: z.string(), memory: z.string() }),
    }),
    settings,
    secrets: secrets.optional(),
    egress: listAsKubernetes.optional(),
    serviceAccount: z.strictObject({ annotations: texts.optional(), mountToken: z.boolean().optional() }).optional(),
    podLabels: texts.optional(),
    podAnnotations: texts.optional(),
    volumes: listAsKubernetes.optional(),
    volumeMounts: listAsKubernetes.optional(),
    ...(name === 'auth' ? { platformClientId: z.string().min(1) } : {}),
  });

/** The schema of values.yaml, with the variables that the services know. */
export function valuesSchema(configurations: Configurations) {
  const further = Object.entries(furtherVariables).map(([name, is]) => ({ name, is, oneOf: [] }));
  const variablesOf = (name: ServiceName) => [...(configurations.get(name) ?? []).filter(isSetting), ...further];
  const ofAll = variablesOf('auth').filter(({ name }) =>
    serviceNames.every(service => variablesOf(service).some(other => other.name === name)),
  );
  return z.strictObject({
    image: z.strictObject({
      repository: z.string().min(1),
      tag: z.string().meta({ not: { const: 'latest' } }),
      pullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']),
      pullSecrets: z.array(z.string()),
    }),
    trustedProxies: z.number().int().min(0),
    startSeconds: count,
    settings: settingsOf(ofAll),
    allowedNetworks: z.array(z.string().min(1)),
    kafka: z.strictObject({
      brokers: z.array(z.string().regex(/^[^:,]+:[0-9]+$/)).min(1),
      protocol: z.enum(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']),
      mechanism: z.enum(['', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']),
      tokenEndpoint: z.string(),
      tokenAudience: z.string(),
      scope: z.string(),
      groupPrefix: z.string().max(60),
    }),
    mongodb: z.strictObject({ databasePrefix: z.string().max(40) }),
    keyManagement: z.strictObject({
      kind: keyKind,
      former: z.enum(['', ...keyKind.options]),
      transit: z.strictObject({
        url: z.string().regex(/^(https:\/\/[a-z0-9.-]+(:[0-9]+)?)?$/),
        mount: z.string().min(1),
        key: z.string(),
        role: z.string(),
        authMount: z.string().min(1),
        tokenAudience: z.string().min(1),
      }),
      awsKms: z.strictObject({
        keyArn: z.string().regex(/^(arn:.*:key\/.*)?$/),
        formerKeyArns: z.array(z.string().regex(/^arn:.*:key\//)),
        endpoint: z.string(),
      }),
    }),
    secrets,
    externalSecrets: z.strictObject({
      enabled: z.boolean(),
      store: z.strictObject({ kind: z.enum(['SecretStore', 'ClusterSecretStore']), name: z.string() }),
      path: z.string(),
      refreshInterval: z.string(),
    }),
    strimzi: z.strictObject({
      topics: z.boolean(),
      users: z.enum(['', 'tls', 'scram-sha-512']),
      cluster: z.string(),
      replicas: count,
      minInsyncReplicas: count,
      partitions: count,
      apiVersion: z.enum(['kafka.strimzi.io/v1', 'kafka.strimzi.io/v1beta2']),
    }),
    networkPolicy: z.strictObject({
      enabled: z.boolean(),
      clients: listAsKubernetes,
      metrics: listAsKubernetes,
      dns: listAsKubernetes.min(1),
      kafka: listAsKubernetes,
      mongodb: listAsKubernetes,
      mongodbPorts: z.array(z.number().int()).min(1),
      keyManagement: listAsKubernetes,
      internet: z.boolean(),
      egress: listAsKubernetes,
    }),
    ingress: z.strictObject({
      enabled: z.boolean(),
      className: z.string(),
      annotations: texts,
      tlsSecret: z.string(),
    }),
    gateway: z.strictObject({ enabled: z.boolean(), parentRefs: listAsKubernetes }),
    serviceMonitor: z.strictObject({ enabled: z.boolean(), labels: texts, interval: z.string() }),
    prometheusRule: z.strictObject({
      enabled: z.boolean(),
      labels: texts,
      runbookBase: z.string().regex(/^$|\/$/),
    }),
    dashboards: z.strictObject({ enabled: z.boolean(), labels: texts }),
    keda: z.strictObject({ enabled: z.boolean(), prometheus: z.string(), messagesBehind: count }),
    nodeSelector: texts,
    tolerations: listAsKubernetes,
    services: z.strictObject(
      Object.fromEntries(serviceNames.map(name => [name, serviceValues(name, settingsOf(variablesOf(name)))])),
    ),
    // Helm gives it to a chart that is part of another one.
    global: asKubernetes.optional(),
  });
}
