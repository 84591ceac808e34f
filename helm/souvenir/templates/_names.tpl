{{- define "souvenir.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* 40 characters: what is added (-worker-interactive, -migrate-<revision>) must fit in a label's 63. */}}
{{- define "souvenir.fullname" -}}
{{- $name := include "souvenir.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "souvenir.selectorLabels" -}}
app.kubernetes.io/name: {{ include "souvenir.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "souvenir.labels" -}}
{{ include "souvenir.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: souvenir
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Name and labels of one object. Takes: root, suffix (may be empty), component (may be empty). */}}
{{- define "souvenir.metadata" -}}
name: {{ include "souvenir.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "souvenir.labels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- end }}

{{- define "souvenir.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "souvenir.fullname" .) "default") }}
{{- end }}

{{- define "souvenir.claimName" -}}
{{ .Values.objects.volume.existingClaim | default (printf "%s-objects" (include "souvenir.fullname" .)) }}
{{- end }}

{{- define "souvenir.image" -}}
{{- $name := .Values.image.repository }}
{{- with .Values.image.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" .) $name }}{{ end }}
{{- if .Values.image.digest }}{{ $name }}@{{ .Values.image.digest }}
{{- else }}{{ $name }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* The host that people type, without a port. */}}
{{- define "souvenir.publicHost" -}}
{{ (urlParse .Values.publicUrl).host | splitList ":" | first }}
{{- end }}
