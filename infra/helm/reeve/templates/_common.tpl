{{- define "reeve.name" -}}{{ .root.Release.Name }}-{{ .name }}{{- end }}

{{- define "reeve.chart" -}}{{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}{{- end }}

{{/* What a pod is chosen by. Never changes: a Deployment cannot be told another. */}}
{{- define "reeve.selector" -}}
app.kubernetes.io/name: reeve
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "reeve.labels" -}}
{{ include "reeve.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ include "reeve.chart" .root }}
{{- end }}

{{- define "reeve.image" -}}
{{- $image := .root.Values.image -}}
{{- $own := index .root.Values.services .name -}}
{{- if $own.digest -}}
{{ $image.repository }}/{{ .name }}@{{ $own.digest }}
{{- else -}}
{{ $image.repository }}/{{ .name }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "reeve.podSecurity" -}}
runAsNonRoot: true
# The user of the images.
runAsUser: 1000
runAsGroup: 1000
# By which it reads the files of Secrets.
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "reeve.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
