{{/* The environment of a service. What is in no Secret comes first. */}}
{{- define "reeve.environment" -}}
{{- $root := .root }}
{{- $values := .root.Values }}
{{- $service := index (include "reeve.services" .root | fromYaml) .name }}
{{- $own := index $values.services .name }}
{{- $kafka := $values.kafka }}
{{- $taken := include "reeve.taken" . | fromYaml }}
{{- $paths := include "reeve.files" $root | fromYaml }}
{{- $plain := dict
  "PORT" ($service.port | toString)
  "METRICS_PORT" (include "reeve.metricsPort" $root)
  "REEVE_SELF_URL" $own.url
  "REEVE_ISSUER" $values.services.auth.url
  "REEVE_ISSUER_ADDRESS" (printf "http://%s-auth" $root.Release.Name)
  "REEVE_START_SECONDS" ($values.startSeconds | int | toString)
  "REEVE_TRUST_PROXY" ($values.trustedProxies | int | toString)
  "KAFKA_BROKERS" (join "," $kafka.brokers)
  "KAFKA_SECURITY_PROTOCOL" $kafka.protocol
  "KAFKA_SASL_MECHANISM" $kafka.mechanism
  "KAFKA_OAUTH_TOKEN_ENDPOINT" $kafka.tokenEndpoint
  "KAFKA_OAUTH_SCOPE" $kafka.scope
  "KAFKA_OAUTH_TOKEN_FILE" (ternary "/etc/reeve/kafka-token" "" (ne $kafka.tokenAudience ""))
  "KAFKA_GROUP_PREFIX" $kafka.groupPrefix
  "MONGODB_DATABASE" (printf "%s%s" $values.mongodb.databasePrefix (.name | replace "-" "_"))
  "REEVE_ALLOWED_NETWORKS" (join "," $values.allowedNetworks)
}}
{{- if eq $values.strimzi.users "scram-sha-512" }}
{{- $_ := set $plain "KAFKA_SASL_USERNAME" (include "reeve.name" .) }}
{{- end }}
{{- if $service.vault }}
{{- $plain = merge $plain (include "reeve.keyVariables" $root | fromYaml) }}
{{- end }}
{{- if eq .name "auth" }}
{{- $resources := list }}
{{- range $each := $values.services }}{{ $resources = append $resources $each.url }}{{ end }}
{{- $_ := set $plain "REEVE_RESOURCES" (join "," $resources) }}
{{- $_ := set $plain "REEVE_PROVISIONING_URL" $values.services.provisioning.url }}
{{- $_ := set $plain "REEVE_PROVISIONING_ADDRESS" (printf "http://%s-provisioning" $root.Release.Name) }}
{{- $_ := set $plain "REEVE_CONSENT_URL" (index $values.services "connector-consent").url }}
{{- $_ := set $plain "REEVE_PLATFORM_CLIENT_ID" $own.platformClientId }}
{{- end }}
{{- range $variable, $from := $taken.files }}
{{- /* That of MongoDB is named in its URI. */}}
{{- if ne $variable "mongodbCa" }}
{{- $_ := set $plain $variable (printf "/etc/reeve/%s" (index $paths $from.entry)) }}
{{- end }}
{{- end }}
{{- $all := mergeOverwrite $plain ($service.runtime | default dict) $values.settings ($own.settings | default dict) }}
{{- range $variable, $value := $all }}
{{- if $value }}
- name: {{ $variable }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $variable, $from := $taken.variables }}
- name: {{ $variable }}
  valueFrom: { secretKeyRef: { name: {{ $from.name }}, key: {{ $from.key }} } }
{{- end }}
{{- end }}

{{/*
/etc/reeve: the files that a service takes from Secrets, and its tokens for Kafka and for the transit engine. Empty where
it takes none.
*/}}
{{- define "reeve.fileSources" -}}
{{- $taken := include "reeve.taken" . | fromYaml }}
{{- $paths := include "reeve.files" .root | fromYaml }}
{{- range $from := $taken.files }}
- secret:
    name: {{ $from.name }}
    items: [{ key: {{ $from.key }}, path: {{ index $paths $from.entry }} }]
{{- end }}
{{- with .root.Values.kafka.tokenAudience }}
- serviceAccountToken: { audience: {{ . | quote }}, expirationSeconds: 3600, path: kafka-token }
{{- end }}
{{- $service := index (include "reeve.services" .root | fromYaml) .name }}
{{- if and $service.vault (include "reeve.keyKinds" .root | fromYaml).transit }}
- serviceAccountToken:
    audience: {{ .root.Values.keyManagement.transit.tokenAudience | quote }}
    expirationSeconds: 3600
    path: transit-token
{{- end }}
{{- end }}
