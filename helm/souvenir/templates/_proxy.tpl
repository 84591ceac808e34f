{{- /* The proxy of the web's own pod: what it reads, and the container. Both take the root. */}}
{{- define "souvenir.proxyConfiguration" -}}
{{- $mebibyte := 1048576 }}
{{- /* A little over what Souvenir takes: what is too large, it says in its own words. */}}
{{- $filled := dict "body_bytes" (mul 6 $mebibyte) "upload_bytes" (add (mul 5 1024 $mebibyte) (mul 6 $mebibyte)) }}
{{- $_ := set $filled "uploads" (max 1 (div (mul .Values.web.processes .Values.web.threads) 4)) }}
{{- $_ := set $filled "scratch" "/run/souvenir/proxy" }}
{{- $_ := set $filled "listen" 8000 }}
{{- $_ := set $filled "upstream" "127.0.0.1:8001" }}
{{- $text := .Files.Get "proxy/nginx.conf" }}
{{- range $name, $value := $filled }}
{{- $text = replace (printf "@%s@" $name) (toString $value) $text }}
{{- end }}
{{- $text }}
{{- end }}

{{- define "souvenir.proxyContainer" -}}
- name: proxy
  # It starts before the web and stops after it.
  restartPolicy: Always
  image: {{ include "souvenir.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [nginx, -e, stderr, -c, /etc/souvenir/proxy/nginx.conf]
  ports:
    - {name: http, containerPort: 8000, protocol: TCP}
  startupProbe:
    tcpSocket: {port: http}
    periodSeconds: 2
    failureThreshold: 15
  livenessProbe:
    tcpSocket: {port: http}
    periodSeconds: 10
    failureThreshold: 3
  securityContext:
    {{- include "souvenir.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.proxy.resources | nindent 4 }}
  volumeMounts:
    - {name: proxy-configuration, mountPath: /etc/souvenir/proxy, readOnly: true}
    - {name: proxy, mountPath: /run/souvenir/proxy}
{{- end }}

{{- define "souvenir.proxyVolumes" -}}
- name: proxy-configuration
  configMap:
    name: {{ include "souvenir.fullname" . }}-proxy
# In memory: bodies wait here in clear, for seconds.
- name: proxy
  emptyDir: {medium: Memory, sizeLimit: {{ .Values.proxy.scratchSize | quote }}}
{{- end }}
