{{- /* One place, as Souvenir's registry of placements writes it (JSON). Takes the facts of a place. */}}
{{- define "souvenir.placement" -}}
{{- $place := dict "code" .code "country" .country "province" .province "site" .site }}
{{- $_ := set $place "operator" .operator }}
{{- $_ := set $place "operator_parent" (.operatorParent | default "") }}
{{- $_ := set $place "operator_parent_country" .operatorParentCountry }}
{{- $_ := set $place "legal_nexus" .legalNexus }}
{{- $_ := set $place "staff_access_from" .staffAccessFrom }}
{{- $_ := set $place "key_custody" (.keyCustody | default "unknown") }}
{{- $_ := set $place "evidence" (.evidence | default "") }}
{{- $_ := set $place "evidence_date" (.evidenceDate | default nil) }}
{{- $_ := set $place "evidence_valid_until" (.evidenceValidUntil | default nil) }}
{{- $place | toJson }}
{{- end }}

{{- /* What speaks against a place where words would be sent, as a list of its facts in JSON. The same
     questions as tenants/residency.py asks, but for what depends on the day. Takes place and policy. */}}
{{- define "souvenir.againstPlace" -}}
{{- $against := list }}
{{- if and .policy.provinces (not (has .place.province .policy.provinces)) }}{{ $against = append $against "province" }}{{ end }}
{{- range .place.legalNexus }}{{ if has . $.policy.refusedNexus }}{{ $against = append $against "legalNexus" }}{{ end }}{{ end }}
{{- range .place.staffAccessFrom }}{{ if not (has . $.policy.countries) }}{{ $against = append $against "staffAccessFrom" }}{{ end }}{{ end }}
{{- if and .policy.keyCustody (not (has (.place.keyCustody | default "unknown") .policy.keyCustody)) }}{{ $against = append $against "keyCustody" }}{{ end }}
{{- range list "evidence" "evidenceDate" "evidenceValidUntil" }}{{ if not (get $.place .) }}{{ $against = append $against . }}{{ end }}{{ end }}
{{- $against | uniq | toJson }}
{{- end }}

{{- define "souvenir.registry" -}}
{{- $policy := .Values.residency.policy }}
{{- $rule := dict "name" $policy.name "countries" $policy.countries "provinces" $policy.provinces }}
{{- $_ := set $rule "refused_nexus" $policy.refusedNexus }}
{{- $_ := set $rule "key_custody" $policy.keyCustody }}
{{- $places := list }}
{{- range concat (list .Values.cell) .Values.residency.placements }}
{{- $places = append $places (include "souvenir.placement" . | fromJson) }}
{{- end }}
{{- dict "policy" $rule "placements" $places | toPrettyJson }}
{{- end }}
