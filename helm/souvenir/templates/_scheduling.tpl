{{- /* Where a pod may run. The cell's label wins over any other selector. Takes: root, workload. */}}
{{- define "souvenir.nodeSelector" -}}
{{- $labels := deepCopy (.workload.nodeSelector | default dict) }}
{{- if .root.Values.cell.pinToNodes }}
{{- $_ := set $labels "node-restriction.kubernetes.io/souvenir-cell" .root.Values.cell.code }}
{{- end }}
{{- with $labels }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* A volume of one node keeps all its pods on that node, or the second would wait for ever.
     Takes: root, workload, objects. */}}
{{- define "souvenir.affinity" -}}
{{- $affinity := deepCopy (.workload.affinity | default dict) }}
{{- if and .objects (eq .root.Values.objects.volume.accessMode "ReadWriteOnce") }}
{{- $labels := include "souvenir.selectorLabels" .root | fromYaml }}
{{- $holders := dict "key" "app.kubernetes.io/component" "operator" "In" "values" (list "web" "worker-interactive" "worker-erasure" "worker-bulk" "sweeper") }}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $labels "matchExpressions" (list $holders)) }}
{{- $pods := $affinity.podAffinity | default dict }}
{{- $required := append ($pods.requiredDuringSchedulingIgnoredDuringExecution | default list) $term }}
{{- $_ := set $pods "requiredDuringSchedulingIgnoredDuringExecution" $required }}
{{- $_ := set $affinity "podAffinity" $pods }}
{{- end }}
{{- with $affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Takes: root, component, workload. */}}
{{- define "souvenir.spread" -}}
{{- if .workload.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .workload.topologySpreadConstraints | nindent 2 }}
{{- else if gt (int .workload.replicas) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "souvenir.selectorLabels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- end }}

{{- /* Takes: root, component, workload, objects. */}}
{{- define "souvenir.scheduling" -}}
{{- include "souvenir.nodeSelector" . }}
{{- include "souvenir.affinity" . }}
{{- include "souvenir.spread" . }}
{{- with .workload.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .workload.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
