{{- /* What the `restricted` Pod Security Standard asks, and a read-only root besides. No value loosens it. */}}
{{- define "souvenir.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "souvenir.containerSecurity" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Identity of a pod, and its image's pull secrets. Takes the root. */}}
{{- define "souvenir.podIdentity" -}}
serviceAccountName: {{ include "souvenir.serviceAccountName" . }}
automountServiceAccountToken: false
# Variables named after Services (SOUVENIR_…_HOST) could be taken for settings.
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "souvenir.podSecurity" . | nindent 2 }}
{{- end }}
