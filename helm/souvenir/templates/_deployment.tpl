{{- /* Looks, a bounded number of times, whether the schema is up to date. */}}
{{- define "souvenir.waitForSchema" -}}
{{- $wait := .root.Values.schemaWait }}
command: ["/bin/sh", "-ec"]
args:
  - |
    attempt=1
    until python manage.py migrate --check --database default \
      && python manage.py migrate --check --database keyring; do
      if [ "$attempt" -ge {{ int $wait.attempts }} ]; then
        echo "The schema is still not up to date: look at the migration Job." >&2
        echo "Le schéma n’est toujours pas à jour : voyez la tâche de migration." >&2
        exit 1
      fi
      attempt=$((attempt + 1))
      sleep {{ int $wait.pauseSeconds }}
    done
{{- end }}

{{- /* A Deployment. Takes: root, component, workload, strategy, container (its own fields); objects
     and waits, false where it needs neither files nor the schema; database, another secret;
     maintains, true where the tables of search are kept in order; reranks, true where a reranker is
     asked; signs, true where the audit log is signed; proxied, true where the proxy stands
     before it. */}}
{{- define "souvenir.deployment" -}}
{{- /* Not `merge`: it takes false for nothing. */}}
{{- $objects := hasKey . "objects" | ternary .objects true }}
{{- $waits := hasKey . "waits" | ternary .waits true }}
{{- $this := mergeOverwrite (deepCopy .) (dict "objects" $objects "waits" $waits "owner" false "suffix" .component) }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "souvenir.metadata" $this | nindent 2 }}
spec:
  replicas: {{ int .workload.replicas }}
  revisionHistoryLimit: 5
  strategy:
    {{- toYaml .strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "souvenir.selectorLabels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "souvenir.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
      annotations:
        checksum/config: {{ include (print .root.Template.BasePath "/configuration.yaml") .root | sha256sum }}
        {{- with .workload.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "souvenir.podIdentity" .root | nindent 6 }}
      terminationGracePeriodSeconds: {{ int .workload.terminationGracePeriodSeconds }}
      {{- include "souvenir.scheduling" $this | trim | nindent 6 }}
      {{- if $this.waits }}
      initContainers:
        {{- $wait := dict "name" "wait-for-schema" "objects" false "resources" .root.Values.schemaWait.resources }}
        {{- $wait = merge $wait (dict "root" .root "owner" false "container" (include "souvenir.waitForSchema" . | trim | fromYaml)) }}
        {{- include "souvenir.container" $wait | nindent 8 }}
        {{- if .proxied }}
        {{- include "souvenir.proxyContainer" .root | nindent 8 }}
        {{- end }}
      {{- end }}
      containers:
        {{- $main := dict "name" .component "resources" .workload.resources }}
        {{- $counted := dict "metrics" .root.Values.metrics.enabled }}
        {{- include "souvenir.container" (merge $counted $main $this) | nindent 8 }}
        {{- if .root.Values.metrics.enabled }}
        {{- include "souvenir.metricsContainer" .root | nindent 8 }}
        {{- end }}
      {{- include "souvenir.volumes" (dict "root" .root "objects" $this.objects "reranks" $this.reranks "signs" .signs "tmpSize" .workload.tmpSize) | nindent 6 }}
        {{- if .root.Values.metrics.enabled }}
        # In memory: what is counted begins anew with the pod, as Prometheus expects.
        - name: metrics
          emptyDir: {medium: Memory, sizeLimit: 32Mi}
        {{- end }}
        {{- if .proxied }}
        {{- include "souvenir.proxyVolumes" .root | nindent 8 }}
        {{- end }}
{{- end }}
