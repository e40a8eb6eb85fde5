{{/* Name of the chart, for labels. */}}
{{- define "fleetscan.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* Name of the objects; 52 characters, so that a suffix still fits into the 63 of a Service. */}}
{{- define "fleetscan.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "fleetscan.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "fleetscan.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "fleetscan.selectorLabels" -}}
app.kubernetes.io/name: {{ include "fleetscan.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fleetscan.labels" -}}
{{ include "fleetscan.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "fleetscan.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "fleetscan.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name must name an existing ServiceAccount when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* [registry/]repository, then @digest or :tag. */}}
{{- define "fleetscan.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry }}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}
{{- .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}
{{- else }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* Secret with the webhook's certificates, which the reconciler makes and renews. */}}
{{- define "fleetscan.certSecret" -}}
{{ include "fleetscan.fullname" . }}-webhook-cert
{{- end }}

{{/* Lease by which one reconciler leads. */}}
{{- define "fleetscan.lease" -}}
{{ include "fleetscan.fullname" . }}-reconciler
{{- end }}

{{/* ConfigMap with the settings for registries and the credential providers. */}}
{{- define "fleetscan.registriesConfigMap" -}}
{{ include "fleetscan.fullname" . }}-registries
{{- end }}

{{/* Whether there is such a ConfigMap. */}}
{{- define "fleetscan.hasRegistries" -}}
{{- if or .Values.registries .Values.credentialProviders.config }}true{{ end }}
{{- end }}

{{/* The settings for registries as the reconciler reads them: with the file that a CA is mounted as. */}}
{{- define "fleetscan.registries" -}}
{{- $entries := list }}
{{- range $index, $registry := .Values.registries }}
{{- $entry := omit $registry "ca" }}
{{- if $registry.ca }}{{- $_ := set $entry "caFile" (printf "/etc/fleetscan/ca/%d.crt" $index) }}{{- end }}
{{- $entries = append $entries $entry }}
{{- end }}
{{- toYaml (dict "registries" $entries) }}
{{- end }}

{{/* off, serve or take-over; off without quotes is false in YAML. */}}
{{- define "fleetscan.fleetTakeover" -}}
{{- ternary "off" .Values.fleet.takeover (eq (toString .Values.fleet.takeover) "false") }}
{{- end }}

{{/*
How the API server reaches the webhook. caBundle stands nowhere here: the reconciler that leads owns it. Were it rendered, an
upgrade would take it away or, under server-side apply, conflict.
*/}}
{{- define "fleetscan.webhookClientConfig" -}}
{{- if .Values.webhook.url }}
url: {{ .Values.webhook.url | quote }}
{{- else }}
service:
  name: {{ include "fleetscan.fullname" . }}
  namespace: {{ .Release.Namespace }}
  port: 443
  path: /mutate
{{- end }}
{{- end }}

{{- define "fleetscan.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "fleetscan.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
