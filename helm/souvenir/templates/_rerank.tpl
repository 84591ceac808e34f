{{- /* Host and port that rerank.url names, as `host:port`. */}}
{{- define "souvenir.rerankPeer" -}}
{{- $host := (urlParse .Values.rerank.url).host }}
{{- contains ":" $host | ternary $host (printf "%s:443" $host) }}
{{- end }}

{{- /* Hosts inside the cell that may be called though their addresses are private, as a list in JSON. */}}
{{- define "souvenir.egressInside" -}}
{{- $inside := .Values.webhooks.inside }}
{{- if .Values.rerank.url }}
{{- $peer := include "souvenir.rerankPeer" . }}
{{- if has (splitList ":" $peer | first) .Values.cell.allowedHosts }}{{ $inside = append $inside $peer | uniq }}{{ end }}
{{- end }}
{{- toJson $inside }}
{{- end }}

{{- define "souvenir.rerankConfiguration" -}}
{{- with .Values.rerank }}
SOUVENIR_RERANK_URL: {{ .url | quote }}
SOUVENIR_RERANK_KIND: {{ .kind }}
SOUVENIR_RERANK_MODEL: {{ .model | quote }}
SOUVENIR_RERANK_PLACEMENT: {{ .placement | quote }}
SOUVENIR_RERANK_TIMEOUT_SECONDS: {{ .timeoutSeconds | toString | quote }}
SOUVENIR_RERANK_PASSAGES: {{ .passages | int | toString | quote }}
{{- end }}
{{- if .Values.secrets.rerankKey.existingSecret }}
SOUVENIR_RERANK_KEY_FILE: /etc/souvenir/rerank/rerank-key
{{- end }}
{{- end }}

{{- define "souvenir.rerankRefusals" -}}
{{- $wrong := list }}
{{- $rerank := .Values.rerank }}
{{- if $rerank.url }}
{{- $host := include "souvenir.rerankPeer" . | splitList ":" | first }}
{{- $isInside := has $host .Values.cell.allowedHosts }}
{{- $codes := list }}
{{- range prepend .Values.residency.placements .Values.cell }}{{ $codes = append $codes .code }}{{ end }}
{{- if not (hasPrefix "https://" $rerank.url) }}
{{- $wrong = append $wrong (dict "en" "rerank.url is not an https address. Set that of the reranker, or leave it empty." "fr" "rerank.url n’est pas une adresse https. Mettez celle du reclasseur, ou laissez vide.") }}
{{- end }}
{{- if not (and $rerank.placement (has $rerank.placement $codes)) }}
{{- $wrong = append $wrong (dict "en" (printf "rerank.placement is %q, which is neither cell.code nor one of residency.placements: nobody knows where people’s words would go. Say where it runs." $rerank.placement) "fr" (printf "rerank.placement vaut %q, qui n’est ni cell.code ni l’un des residency.placements : nul ne sait où iraient les mots des gens. Dites où il se trouve." $rerank.placement)) }}
{{- else if and (eq $rerank.placement .Values.cell.code) (not $isInside) }}
{{- $wrong = append $wrong (dict "en" (printf "rerank.url points to %q, which cell.allowedHosts does not name. Add the host there if it stands in the cell, or give the placement where it does." $host) "fr" (printf "rerank.url mène à %q, que cell.allowedHosts ne nomme pas. Ajoutez-y cet hôte s’il se trouve dans la cellule, ou donnez le lieu où il se trouve." $host)) }}
{{- else if and (ne $rerank.placement .Values.cell.code) $isInside }}
{{- $wrong = append $wrong (dict "en" (printf "rerank.placement is %q, but cell.allowedHosts says that %q is in the cell. Correct one of them." $rerank.placement $host) "fr" (printf "rerank.placement vaut %q, mais cell.allowedHosts dit que %q est dans la cellule. Corrigez l’un des deux." $rerank.placement $host)) }}
{{- end }}
{{- range .Values.residency.placements }}
{{- $against := include "souvenir.againstPlace" (dict "place" . "policy" $.Values.residency.policy) | fromJsonArray }}
{{- if and (eq .code $rerank.placement) $against }}
{{- $wrong = append $wrong (dict "en" (printf "rerank.placement is %q, which residency.policy refuses for its %s: the reranker would never be asked. Choose a place that it allows, give the evidence that is missing, or change the policy." .code (join ", " $against)) "fr" (printf "rerank.placement vaut %q, que residency.policy refuse pour son %s : le reclasseur ne serait jamais interrogé. Choisissez un lieu admis, donnez la preuve qui manque, ou changez de politique." .code (join ", " $against))) }}
{{- end }}
{{- end }}
{{- if and (eq $rerank.kind "cohere") (not $rerank.model) }}
{{- $wrong = append $wrong (dict "en" "rerank.kind is cohere, but rerank.model is empty. Name the model to ask for." "fr" "rerank.kind vaut cohere, mais rerank.model est vide. Nommez le modèle à demander.") }}
{{- end }}
{{- if not .Values.networkPolicy.rerank.to }}
{{- $wrong = append $wrong (dict "en" "networkPolicy.rerank.to is empty, and all that is not listed is refused. List where the reranker is, by selector or CIDR." "fr" "networkPolicy.rerank.to est vide, et tout ce qui n’est pas énuméré est refusé. Dites où trouver le reclasseur, par sélecteur ou par CIDR.") }}
{{- end }}
{{- end }}
{{- toJson $wrong }}
{{- end }}
