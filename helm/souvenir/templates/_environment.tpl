{{- define "souvenir.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .from.existingSecret }}
      key: {{ .from.key }}
{{- end }}

{{- /* What every process of Souvenir reads. Takes: root, owner (true for the migration job alone),
     database (a secret other than the run-time role's). */}}
{{- define "souvenir.environment" -}}
{{- $secrets := .root.Values.secrets }}
envFrom:
  - configMapRef:
      name: {{ include "souvenir.fullname" .root }}-config
env:
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_DATABASE_URL" "from" (.database | default $secrets.database)) | nindent 2 }}
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_BROKER_URL" "from" $secrets.broker) | nindent 2 }}
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_SECRET_KEY" "from" $secrets.secretKey) | nindent 2 }}
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_KEYRING_DATABASE_URL" "from" $secrets.keyringDatabase) | nindent 2 }}
  {{- if .owner }}
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_OWNER_DATABASE_URL" "from" $secrets.ownerDatabase) | nindent 2 }}
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_KEYRING_OWNER_DATABASE_URL" "from" $secrets.keyringOwnerDatabase) | nindent 2 }}
  {{- end }}
  {{- if and .maintains $secrets.maintainerDatabase.existingSecret }}
  {{- include "souvenir.secretVariable" (dict "name" "SOUVENIR_MAINTAINER_DATABASE_URL" "from" $secrets.maintainerDatabase) | nindent 2 }}
  {{- end }}
  {{- if .metrics }}
  - {name: SOUVENIR_METRICS_DIR, value: /run/souvenir/metrics}
  {{- end }}
{{- end }}

{{- /* One container of Souvenir. Takes: root, name, container (its own fields), resources, objects, owner. */}}
{{- define "souvenir.container" -}}
- name: {{ .name }}
  image: {{ include "souvenir.image" .root | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  {{- toYaml .container | nindent 2 }}
  {{- include "souvenir.environment" . | trim | nindent 2 }}
  securityContext:
    {{- include "souvenir.containerSecurity" .root | nindent 4 }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: placements, mountPath: /etc/souvenir/placements, readOnly: true}
    {{- if .root.Values.secrets.databaseCa.existingSecret }}
    - {name: database-ca, mountPath: /etc/souvenir/database-ca, readOnly: true}
    {{- end }}
    {{- if .objects }}
    - {name: keystore, mountPath: /etc/souvenir/keystore, readOnly: true}
    {{- end }}
    {{- if and .objects .root.Values.secrets.egressCa.existingSecret }}
    - {name: egress-ca, mountPath: /etc/souvenir/egress-ca, readOnly: true}
    {{- end }}
    {{- if and .reranks .root.Values.secrets.rerankKey.existingSecret }}
    - {name: rerank, mountPath: /etc/souvenir/rerank, readOnly: true}
    {{- end }}
    {{- if and .signs .root.Values.secrets.auditKey.existingSecret }}
    - {name: audit-key, mountPath: /etc/souvenir/audit, readOnly: true}
    {{- end }}
    {{- if .objects }}
    - {name: objects, mountPath: /var/lib/souvenir/objects}
    {{- end }}
    {{- if .metrics }}
    - {name: metrics, mountPath: /run/souvenir/metrics}
    {{- end }}
{{- end }}

{{- /* Tells what the container beside it has counted. It is given no secret. Takes the root. */}}
{{- define "souvenir.metricsContainer" -}}
- name: metrics
  image: {{ include "souvenir.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [python, -m, souvenir.config.metrics_exporter]
  env:
    - {name: SOUVENIR_METRICS_DIR, value: /run/souvenir/metrics}
    # The pod's own address: who may reach it stands in the network policy.
    - {name: SOUVENIR_METRICS_ADDRESS, value: 0.0.0.0}
    - {name: SOUVENIR_METRICS_PORT, value: "9464"}
  ports:
    - {name: metrics, containerPort: 9464, protocol: TCP}
  securityContext:
    {{- include "souvenir.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.metrics.resources | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: metrics, mountPath: /run/souvenir/metrics}
{{- end }}

{{- /* What a process shows to whoever holds the keys, and what it trusts. The migration needs neither. */}}
{{- define "souvenir.keystoreVolume" -}}
{{- $secrets := .Values.secrets }}
- name: keystore
  projected:
    sources:
      {{- if eq .Values.keystore.provider "pkcs11" }}
      - secret:
          name: {{ $secrets.pkcs11Pin.existingSecret }}
          items: [{key: {{ $secrets.pkcs11Pin.key }}, path: pin}]
      {{- else if .Values.keystore.transit.role }}
      - serviceAccountToken:
          path: token
          audience: {{ .Values.keystore.transit.audience | quote }}
          expirationSeconds: 3600
      {{- else }}
      - secret:
          name: {{ $secrets.keystoreToken.existingSecret }}
          items: [{key: {{ $secrets.keystoreToken.key }}, path: token}]
      {{- end }}
      {{- if $secrets.keystoreCa.existingSecret }}
      - secret:
          name: {{ $secrets.keystoreCa.existingSecret }}
          items: [{key: {{ $secrets.keystoreCa.key }}, path: ca.crt}]
      {{- end }}
{{- end }}

{{- /* Takes: root, tmpSize, objects, reranks, signs. */}}
{{- define "souvenir.volumes" -}}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: {{ .tmpSize | quote }}}
  - name: placements
    configMap:
      name: {{ include "souvenir.fullname" .root }}-placements
  {{- with .root.Values.secrets.databaseCa }}
  {{- if .existingSecret }}
  - name: database-ca
    secret:
      secretName: {{ .existingSecret }}
      # Only the certificate: the Secret may hold the authority's key as well.
      items: [{key: {{ .key }}, path: ca.crt}]
  {{- end }}
  {{- end }}
  {{- $secrets := .root.Values.secrets }}
  {{- if and .objects $secrets.egressCa.existingSecret }}
  - name: egress-ca
    secret:
      secretName: {{ $secrets.egressCa.existingSecret }}
      items: [{key: {{ $secrets.egressCa.key }}, path: ca.crt}]
  {{- end }}
  {{- if and .reranks $secrets.rerankKey.existingSecret }}
  - name: rerank
    secret:
      secretName: {{ $secrets.rerankKey.existingSecret }}
      items: [{key: {{ $secrets.rerankKey.key }}, path: rerank-key}]
  {{- end }}
  {{- if and .signs $secrets.auditKey.existingSecret }}
  - name: audit-key
    secret:
      secretName: {{ $secrets.auditKey.existingSecret }}
      items: [{key: {{ $secrets.auditKey.key }}, path: key.pem}]
  {{- end }}
  {{- if .objects }}
  {{- include "souvenir.keystoreVolume" .root | nindent 2 }}
  - name: objects
    persistentVolumeClaim:
      claimName: {{ include "souvenir.claimName" .root }}
  {{- end }}
{{- end }}
