{{/*
What the services are: who calls whom, who reaches the internet because tenants name places there, who has a vault, and
which variables come from which entry of `secrets`. In this order.
*/}}
{{- define "reeve.services" -}}
auth:
  port: 4001
  calls: [auth, provisioning]
  purposes: [identity_providers, applications]
  secretVariables:
    REEVE_PLATFORM_CLIENT_SECRET: platformClientSecret
    REEVE_CONSENT_CLIENT_SECRET: consentClientSecret
    REEVE_COOKIE_KEYS: cookieKeys
    REEVE_SMTP_URL: smtpUrl
  vault: true
  # What keeps it below 250 MB with a hundred thousand live sessions; docker-compose.yml says the same.
  runtime: { NODE_OPTIONS: --max-old-space-size=192, MALLOC_ARENA_MAX: "1" }
provisioning:
  port: 4002
  calls: [auth]
connector-consent:
  port: 4003
  calls: [auth]
  purposes: [connectors]
  secretVariables:
    REEVE_CONSENT_CLIENT_SECRET: consentClientSecret
  vault: true
  secretFiles:
    REEVE_CATALOGUE_FILE: catalogue
webhook-ingress:
  port: 4004
  calls: [auth]
  # It takes webhooks while Kafka is away, and without MongoDB it says itself when to come again.
  ready: /healthz
  vault: true
  # What keeps it below 200 MB under load; docker-compose.yml says the same.
  runtime: { NODE_OPTIONS: --max-old-space-size=256, MALLOC_ARENA_MAX: "1" }
audit:
  port: 4005
  calls: [auth]
  purposes: [sinks]
  vault: true
{{- end }}

{{- define "reeve.metricsPort" -}}9464{{- end }}

{{/* Where a file of a secret is, by the name of its entry. */}}
{{- define "reeve.files" -}}
vaultKeys: vault-keys.json
transitCa: transit-ca.crt
catalogue: catalogue.json
mongodbCa: mongodb-ca.crt
kafkaCa: kafka-ca.crt
kafkaCert: kafka.crt
kafkaKey: kafka.key
{{- end }}

{{/*
What Kafka takes of `secrets`, by variable. With users of Strimzi, the operator makes the Secret of a user under the
user's name.
*/}}
{{- define "reeve.kafkaSecrets" -}}
{{- $kafka := .Values.kafka }}
variables:
{{- if and (hasPrefix "SASL_" $kafka.protocol) (not $kafka.tokenAudience) }}
  {{- if ne .Values.strimzi.users "scram-sha-512" }}
  KAFKA_SASL_USERNAME: kafkaUsername
  {{- end }}
  KAFKA_SASL_PASSWORD: kafkaPassword
{{- end }}
files:
{{- if hasSuffix "SSL" $kafka.protocol }}
  KAFKA_SSL_CA_FILE: kafkaCa
  KAFKA_SSL_CERT_FILE: kafkaCert
  KAFKA_SSL_KEY_FILE: kafkaKey
{{- end }}
{{- end }}

{{/* The kinds of key management that are in use, by name. */}}
{{- define "reeve.keyKinds" -}}
{{- $kinds := dict .Values.keyManagement.kind true }}
{{- with .Values.keyManagement.former }}{{ $_ := set $kinds . true }}{{ end }}
{{- toYaml $kinds }}
{{- end }}

{{/* What a service with a vault is told of its keys, but for files. */}}
{{- define "reeve.keyVariables" -}}
{{- $keys := .Values.keyManagement }}
{{- $kinds := include "reeve.keyKinds" . | fromYaml }}
{{- with $keys.former }}
REEVE_VAULT_FORMER: {{ get (dict "keyFile" "key_file" "transit" "transit" "awsKms" "aws_kms") . }}
{{- end }}
{{- if $kinds.transit }}
REEVE_VAULT_TRANSIT_URL: {{ $keys.transit.url | quote }}
REEVE_VAULT_TRANSIT_MOUNT: {{ $keys.transit.mount | quote }}
REEVE_VAULT_TRANSIT_KEY: {{ $keys.transit.key | quote }}
REEVE_VAULT_TRANSIT_ROLE: {{ $keys.transit.role | quote }}
REEVE_VAULT_TRANSIT_AUTH_MOUNT: {{ $keys.transit.authMount | quote }}
REEVE_VAULT_TRANSIT_JWT_FILE: /etc/reeve/transit-token
{{- end }}
{{- if $kinds.awsKms }}
REEVE_VAULT_KMS_KEY_ARN: {{ $keys.awsKms.keyArn | quote }}
REEVE_VAULT_KMS_FORMER_KEY_ARNS: {{ join "," $keys.awsKms.formerKeyArns | quote }}
REEVE_VAULT_KMS_ENDPOINT: {{ $keys.awsKms.endpoint | quote }}
{{- end }}
{{- end }}

{{/* The ports at which they are, as a list. */}}
{{- define "reeve.keyPorts" -}}
{{- $keys := .Values.keyManagement }}
{{- $kinds := include "reeve.keyKinds" . | fromYaml }}
{{- $addresses := list }}
{{- if $kinds.transit }}{{ $addresses = append $addresses $keys.transit.url }}{{ end }}
{{- if $kinds.awsKms }}{{ $addresses = append $addresses ($keys.awsKms.endpoint | default "https://kms") }}{{ end }}
{{- $ports := list }}
{{- range $addresses }}
{{- $ports = append $ports (regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" | default "443" | int) }}
{{- end }}
{{- toYaml ($ports | uniq) }}
{{- end }}

{{/* The entries of `secrets` that a service has: its own before those of all. */}}
{{- define "reeve.secretsOf" -}}
{{- $strimzi := dict }}
{{- $user := printf "%s-%s" .root.Release.Name .name }}
{{- if eq .root.Values.strimzi.users "tls" }}
{{- $_ := set $strimzi "kafkaCert" (dict "name" $user "key" "user.crt") }}
{{- $_ := set $strimzi "kafkaKey" (dict "name" $user "key" "user.key") }}
{{- else if eq .root.Values.strimzi.users "scram-sha-512" }}
{{- $strimzi = dict "kafkaPassword" (dict "name" $user "key" "password") }}
{{- end }}
{{- $own := (index .root.Values.services .name).secrets | default dict }}
{{- mergeOverwrite (dict) (deepCopy .root.Values.secrets) $strimzi (deepCopy $own) | toYaml }}
{{- end }}

{{/*
What a service takes from Secrets: `variables` and `files`, each an entry by the name of its variable. Fails where one
is missing that the service does not start without.
*/}}
{{- define "reeve.taken" -}}
{{- $service := index (include "reeve.services" .root | fromYaml) .name }}
{{- $kafka := include "reeve.kafkaSecrets" .root | fromYaml }}
{{- $there := include "reeve.secretsOf" . | fromYaml }}
{{- $optional := list "smtpUrl" "transitCa" "kafkaCa" "kafkaCert" "kafkaKey" "mongodbCa" }}
{{- $variables := merge (dict "MONGODB_URI" "mongodbUri") ($service.secretVariables | default dict) }}
{{- $variables = merge $variables ($kafka.variables | default dict) }}
{{- $files := merge (dict "mongodbCa" "mongodbCa") ($service.secretFiles | default dict) }}
{{- $files = merge $files ($kafka.files | default dict) }}
{{- if $service.vault }}
{{- $kinds := include "reeve.keyKinds" .root | fromYaml }}
{{- if $kinds.keyFile }}{{ $_ := set $files "REEVE_VAULT_KEY_FILE" "vaultKeys" }}{{ end }}
{{- if $kinds.transit }}{{ $_ := set $files "REEVE_VAULT_TRANSIT_CA_FILE" "transitCa" }}{{ end }}
{{- end }}
{{- $taken := dict "variables" dict "files" dict }}
{{- range $kind, $wanted := dict "variables" $variables "files" $files }}
{{- range $variable, $entry := $wanted }}
{{- if hasKey $there $entry }}
{{- $_ := set (index $taken $kind) $variable (merge (dict "entry" $entry) (index $there $entry)) }}
{{- else if not (has $entry $optional) }}
{{- fail (printf "secrets.%s is missing, which %s needs as %s" $entry $.name $variable) }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $taken }}
{{- end }}

{{/* What belongs together, said before a service refuses to start with it. */}}
{{- define "reeve.check" -}}
{{- $kafka := .Values.kafka }}
{{- $strimzi := .Values.strimzi }}
{{- $sasl := hasPrefix "SASL_" $kafka.protocol }}
{{- $bearer := eq $kafka.mechanism "OAUTHBEARER" }}
{{- $token := or $kafka.tokenEndpoint $kafka.tokenAudience }}
{{- if and $sasl (not $kafka.mechanism) }}
{{- fail (printf "kafka.mechanism is missing, which %s needs" $kafka.protocol) }}
{{- end }}
{{- if and $kafka.mechanism (not $sasl) }}
{{- fail "kafka.mechanism is for SASL_SSL and SASL_PLAINTEXT" }}
{{- end }}
{{- if and $bearer (not $token) }}
{{- fail "OAUTHBEARER needs kafka.tokenEndpoint or kafka.tokenAudience" }}
{{- end }}
{{- if and $token (not $bearer) }}
{{- fail "kafka.tokenEndpoint and kafka.tokenAudience are for OAUTHBEARER" }}
{{- end }}
{{- if and $kafka.tokenEndpoint $kafka.tokenAudience }}
{{- fail "kafka.tokenEndpoint and kafka.tokenAudience exclude each other" }}
{{- end }}
{{- if and $kafka.scope (not $kafka.tokenEndpoint) }}
{{- fail "kafka.scope is for kafka.tokenEndpoint" }}
{{- end }}
{{- if and (or $strimzi.topics $strimzi.users) (not $strimzi.cluster) }}
{{- fail "strimzi.cluster is missing" }}
{{- end }}
{{- if and (eq $strimzi.users "tls") (ne $kafka.protocol "SSL") }}
{{- fail "strimzi.users: tls needs kafka.protocol: SSL" }}
{{- end }}
{{- if and (eq $strimzi.users "scram-sha-512") (ne $kafka.mechanism "SCRAM-SHA-512") }}
{{- fail "strimzi.users: scram-sha-512 needs kafka.mechanism: SCRAM-SHA-512" }}
{{- end }}
{{- $keys := .Values.keyManagement }}
{{- $kinds := include "reeve.keyKinds" . | fromYaml }}
{{- if eq $keys.kind $keys.former }}
{{- fail "keyManagement.former is another kind than keyManagement.kind, or empty" }}
{{- end }}
{{- if $kinds.transit }}
{{- range $name := list "url" "key" "role" }}
{{- if not (index $keys.transit $name) }}{{ fail (printf "keyManagement.transit.%s is missing" $name) }}{{ end }}
{{- end }}
{{- end }}
{{- if and $kinds.awsKms (not $keys.awsKms.keyArn) }}
{{- fail "keyManagement.awsKms.keyArn is missing" }}
{{- end }}
{{- if and .Values.externalSecrets.enabled (not .Values.externalSecrets.store.name) }}
{{- fail "externalSecrets.store.name is missing" }}
{{- end }}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) }}
{{- fail "gateway.parentRefs is missing" }}
{{- end }}
{{- $hosts := list }}
{{- range $own := .Values.services }}{{ $hosts = append $hosts (urlParse $own.url).host }}{{ end }}
{{- if ne (len (uniq $hosts)) (len $hosts) }}
{{- fail "each service needs a host of its own: several of them serve the same paths" }}
{{- end }}
{{- end }}
