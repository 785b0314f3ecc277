{{- define "northstar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* 52, because a StatefulSet puts a hash behind its name into a label, which may have 63. */}}
{{- define "northstar.fullname" -}}
{{- $name := include "northstar.name" . -}}
{{- $release := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $release .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "northstar.selector" -}}
app.kubernetes.io/name: {{ include "northstar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "northstar.labels" -}}
{{ include "northstar.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Strings are written as JSON, which TOML reads; numbers as whole ones, for Helm has floats. */}}
{{- define "northstar.toml" -}}
[server]
listen = "0.0.0.0:8080"

[webhook]
secrets_file = "/etc/northstar/secrets/webhook"

[github]
api_url = {{ .Values.github.apiUrl | toJson }}
app_id = {{ .Values.github.appId | default nil | required "github.appId: give the number on the App's page at GitHub" | int64 }}
private_key_file = "/etc/northstar/secrets/northstar.pem"

[store]
url = "sqlite:/var/lib/northstar/northstar.db"

[policy]
mode = {{ .Values.policy.mode | toJson }}
blast_radius = {{ .Values.policy.blastRadius | int64 }}

[limits]
strict = {{ .Values.limits.strict }}
write_gap_ms = {{ .Values.limits.writeGapMs | int64 }}

[log]
format = {{ .Values.log.format | toJson }}
{{- range .Values.organizations | default nil | required "organizations: give at least one, with `login` and `policy` or `policyConfigMap`" }}

[[organization]]
login = {{ .login | toJson }}
policy = {{ .policy | default (printf "/etc/northstar/policy/%s" .login) | toJson }}
{{- end }}
{{- end -}}
