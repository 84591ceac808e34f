{{- /* Every reason not to render, as a JSON list of {en, fr}: what is wrong, then the remedy.
     The schema says some of it too; `--skip-schema-validation` skips only the schema. */}}
{{- define "souvenir.refusals" -}}
{{- $wrong := concat (include "souvenir.cellRefusals" . | fromJsonArray) (include "souvenir.policyRefusals" . | fromJsonArray) }}
{{- $wrong = concat $wrong (include "souvenir.secretRefusals" . | fromJsonArray) }}
{{- $wrong = concat $wrong (include "souvenir.keystoreRefusals" . | fromJsonArray) }}
{{- $wrong = concat $wrong (include "souvenir.networkRefusals" . | fromJsonArray) }}
{{- $wrong = concat $wrong (include "souvenir.rerankRefusals" . | fromJsonArray) }}
{{- concat $wrong (include "souvenir.runningRefusals" . | fromJsonArray) | toJson }}
{{- end }}

{{- define "souvenir.cellRefusals" -}}
{{- $wrong := list }}
{{- range $index, $place := prepend .Values.residency.placements .Values.cell }}
{{- $key := eq $index 0 | ternary "cell" (printf "residency.placements[%d]" (sub $index 1)) }}
{{- if ne $place.country "CA" }}
{{- $wrong = append $wrong (dict "en" (printf "%s.country is %q: Souvenir keeps data in Canada. Set it to CA, and run in Canada." $key $place.country) "fr" (printf "%s.country vaut %q : Souvenir garde les données au Canada. Mettez-y CA, et exploitez au Canada." $key $place.country)) }}
{{- end }}
{{- if not (has $place.province (list "AB" "BC" "MB" "NB" "NL" "NS" "NT" "NU" "ON" "PE" "QC" "SK" "YT")) }}
{{- $wrong = append $wrong (dict "en" (printf "%s.province is not a province or territory of Canada. Set it to a code such as QC." $key) "fr" (printf "%s.province n’est ni une province ni un territoire du Canada. Mettez-y un code, par exemple QC." $key)) }}
{{- end }}
{{- range list "code" "site" "operator" "operatorParentCountry" "legalNexus" "staffAccessFrom" }}
{{- if not (get $place .) }}
{{- $wrong = append $wrong (dict "en" (printf "%s.%s is empty, and what is unknown counts against a place. Set it." $key .) "fr" (printf "%s.%s est vide, et l’inconnu compte contre un lieu. Renseignez cette valeur." $key .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.objects.endpoint }}
{{- $host := (urlParse .).host | splitList ":" | first }}
{{- if not (has $host $.Values.cell.allowedHosts) }}
{{- $wrong = append $wrong (dict "en" (printf "objects.endpoint points to %q, which cell.allowedHosts does not name. Add the host there if it stands in the cell, or choose a store that does." $host) "fr" (printf "objects.endpoint mène à %q, que cell.allowedHosts ne nomme pas. Ajoutez-y cet hôte s’il se trouve dans la cellule, ou choisissez un dépôt qui s’y trouve." $host)) }}
{{- end }}
{{- end }}
{{- if ne (toString .Values.telemetry.enabled) "false" }}
{{- $wrong = append $wrong (dict "en" "telemetry.enabled must be false: nothing is reported outside the cell. Remove it." "fr" "telemetry.enabled doit valoir false : rien n’est signalé hors de la cellule. Retirez cette valeur.") }}
{{- end }}
{{- toJson $wrong }}
{{- end }}

{{- /* The same questions as tenants/residency.py asks: a cell that they refuse would serve nobody. */}}
{{- define "souvenir.policyRefusals" -}}
{{- $wrong := list }}
{{- $policy := .Values.residency.policy }}
{{- $cell := .Values.cell }}
{{- if ne (join "," $policy.countries) "CA" }}
{{- $wrong = append $wrong (dict "en" "residency.policy.countries must be [CA]: Souvenir keeps data in Canada. Remove the rest." "fr" "residency.policy.countries doit valoir [CA] : Souvenir garde les données au Canada. Retirez le reste.") }}
{{- end }}
{{- if and $policy.provinces (not (has $cell.province $policy.provinces)) }}
{{- $wrong = append $wrong (dict "en" (printf "cell.province is %s, which residency.policy.provinces does not allow. Run elsewhere, or allow it." $cell.province) "fr" (printf "cell.province vaut %s, que residency.policy.provinces n’admet pas. Exploitez ailleurs, ou admettez-la." $cell.province)) }}
{{- end }}
{{- range $cell.legalNexus }}
{{- if has . $policy.refusedNexus }}
{{- $wrong = append $wrong (dict "en" (printf "cell.legalNexus names %s, which residency.policy.refusedNexus refuses: no organization could be homed here. Run with another operator, or change the policy." .) "fr" (printf "cell.legalNexus nomme %s, que residency.policy.refusedNexus refuse : aucune organisation ne pourrait loger ici. Changez d’exploitant, ou de politique." .)) }}
{{- end }}
{{- end }}
{{- range $cell.staffAccessFrom }}
{{- if not (has . $policy.countries) }}
{{- $wrong = append $wrong (dict "en" (printf "cell.staffAccessFrom names %s: staff may enter only from the countries of residency.policy.countries. Have that access closed first." .) "fr" (printf "cell.staffAccessFrom nomme %s : le personnel n’accède que depuis les pays de residency.policy.countries. Faites d’abord fermer cet accès." .)) }}
{{- end }}
{{- end }}
{{- if and $policy.keyCustody (not (has $cell.keyCustody $policy.keyCustody)) }}
{{- $wrong = append $wrong (dict "en" (printf "cell.keyCustody is %s, which residency.policy.keyCustody does not allow. Have the keys held by: %s." $cell.keyCustody (join ", " $policy.keyCustody)) "fr" (printf "cell.keyCustody vaut %s, que residency.policy.keyCustody n’admet pas. Confiez les clés à : %s." $cell.keyCustody (join ", " $policy.keyCustody))) }}
{{- end }}
{{- toJson $wrong }}
{{- end }}

{{- define "souvenir.secretRefusals" -}}
{{- $wrong := list }}
{{- $needed := list "database" "relayDatabase" "broker" "secretKey" "keyringDatabase" }}
{{- if .Values.migrations.enabled }}{{ $needed = concat $needed (list "ownerDatabase" "keyringOwnerDatabase") }}{{ end }}
{{- if eq .Values.keystore.provider "pkcs11" }}{{ $needed = append $needed "pkcs11Pin" }}
{{- else if not .Values.keystore.transit.role }}{{ $needed = append $needed "keystoreToken" }}{{ end }}
{{- range $needed }}
{{- if not (get $.Values.secrets .).existingSecret }}
{{- $wrong = append $wrong (dict "en" (printf "secrets.%s.existingSecret is empty, and the chart makes no secret. Make one (docs/deploying.md) and give its name." .) "fr" (printf "secrets.%s.existingSecret est vide, et le chart ne crée aucun secret. Créez-en un (docs/deploying.fr.md) et donnez son nom." .)) }}
{{- end }}
{{- end }}
{{- range $pair := list (list "ownerDatabase" "database") (list "keyringOwnerDatabase" "keyringDatabase") }}
{{- $own := get $.Values.secrets (first $pair) }}
{{- $run := get $.Values.secrets (last $pair) }}
{{- if and $run.existingSecret (eq $run.existingSecret $own.existingSecret) (eq $run.key $own.key) }}
{{- $wrong = append $wrong (dict "en" (printf "secrets.%s.key and secrets.%s.key name one and the same secret: the web would own the tables, and no rule of the database would hold it. Give two roles, souvenir_owner and souvenir_app." (first $pair) (last $pair)) "fr" (printf "secrets.%s.key et secrets.%s.key nomment le même secret : le serveur web posséderait les tables, et aucune règle de la base ne le retiendrait. Donnez deux rôles, souvenir_owner et souvenir_app." (first $pair) (last $pair))) }}
{{- end }}
{{- end }}
{{- $data := .Values.secrets.database }}
{{- $keys := .Values.secrets.keyringDatabase }}
{{- if and $data.existingSecret (eq $data.existingSecret $keys.existingSecret) (eq $data.key $keys.key) }}
{{- $wrong = append $wrong (dict "en" "secrets.keyringDatabase.key and secrets.database.key name one and the same secret: destroyed keys would come back with a backup of the data. Give the keyring a database of its own." "fr" "secrets.keyringDatabase.key et secrets.database.key nomment le même secret : les clés détruites reviendraient avec une sauvegarde des données. Donnez au trousseau sa propre base.") }}
{{- end }}
{{- toJson $wrong }}
{{- end }}

{{- define "souvenir.keystoreRefusals" -}}
{{- $wrong := list }}
{{- $keystore := .Values.keystore }}
{{- if not (has $keystore.provider (list "transit" "pkcs11")) }}
{{- $wrong = append $wrong (dict "en" (printf "keystore.provider is %q: keys in files are for one computer. Set it to transit or pkcs11." $keystore.provider) "fr" (printf "keystore.provider vaut %q : les clés dans des fichiers sont pour un seul ordinateur. Mettez-y transit ou pkcs11." $keystore.provider)) }}
{{- end }}
{{- if eq $keystore.provider "transit" }}
{{- $host := (urlParse $keystore.transit.url).host | splitList ":" | first }}
{{- if not (hasPrefix "https://" $keystore.transit.url) }}
{{- $wrong = append $wrong (dict "en" "keystore.transit.url is not an https address. Set that of the OpenBao or Vault that holds the keys." "fr" "keystore.transit.url n’est pas une adresse https. Mettez celle de l’OpenBao ou du Vault qui détient les clés.") }}
{{- else if not (has $host .Values.cell.allowedHosts) }}
{{- $wrong = append $wrong (dict "en" (printf "keystore.transit.url points to %q, which cell.allowedHosts does not name. Add the host there if whoever runs it is who cell.keyCustody says." $host) "fr" (printf "keystore.transit.url mène à %q, que cell.allowedHosts ne nomme pas. Ajoutez-y cet hôte si qui l’exploite est bien celui que dit cell.keyCustody." $host)) }}
{{- end }}
{{- end }}
{{- if eq $keystore.provider "pkcs11" }}
{{- range list "module" "token" }}
{{- if not (get $keystore.pkcs11 .) }}
{{- $wrong = append $wrong (dict "en" (printf "keystore.pkcs11.%s is empty. Say which library, in the image, and which token holds the keys." .) "fr" (printf "keystore.pkcs11.%s est vide. Dites quelle bibliothèque, dans l’image, et quel jeton détiennent les clés." .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $wrong }}
{{- end }}

{{- define "souvenir.networkRefusals" -}}
{{- $wrong := list }}
{{- $needed := list "dns" "database" "keyring" "broker" }}
{{- if eq .Values.keystore.provider "transit" }}{{ $needed = append $needed "keystore" }}{{ end }}
{{- range $needed }}
{{- if not (get $.Values.networkPolicy .).to }}
{{- $wrong = append $wrong (dict "en" (printf "networkPolicy.%s.to is empty, and all that is not listed is refused. List where it is, by selector or CIDR." .) "fr" (printf "networkPolicy.%s.to est vide, et tout ce qui n’est pas énuméré est refusé. Dites où le trouver, par sélecteur ou par CIDR." .)) }}
{{- end }}
{{- end }}
{{- range $index, $rule := .Values.networkPolicy.extraEgress }}
{{- if not $rule.to }}
{{- $wrong = append $wrong (dict "en" (printf "networkPolicy.extraEgress[%d].to is empty, which Kubernetes reads as everywhere. List the peers." $index) "fr" (printf "networkPolicy.extraEgress[%d].to est vide, ce que Kubernetes lit comme partout. Énumérez les destinations." $index)) }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.enabled (not .Values.metrics.from) }}
{{- $wrong = append $wrong (dict "en" "metrics.enabled is true, but metrics.from is empty, which Kubernetes reads as everyone. List who may read the numbers: Prometheus’ namespace." "fr" "metrics.enabled vaut true, mais metrics.from est vide, ce que Kubernetes lit comme tout le monde. Dites qui peut lire les mesures : l’espace de noms de Prometheus.") }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.networkPolicy.web.from) }}
{{- $wrong = append $wrong (dict "en" "ingress.enabled is true, but networkPolicy.web.from is empty: the ingress controller could not reach the web. List its namespace there." "fr" "ingress.enabled vaut true, mais networkPolicy.web.from est vide : le contrôleur d’entrée n’atteindrait pas le serveur web. Énumérez-y son espace de noms.") }}
{{- end }}
{{- toJson $wrong }}
{{- end }}

{{- define "souvenir.runningRefusals" -}}
{{- $wrong := list }}
{{- if not (hasPrefix "https://" .Values.publicUrl) }}
{{- $wrong = append $wrong (dict "en" "publicUrl is not an https address. Set the one that people will type, such as https://souvenir.example.ca." "fr" "publicUrl n’est pas une adresse https. Mettez celle que l’on saisira, par exemple https://souvenir.example.ca.") }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.tlsSecret) }}
{{- $wrong = append $wrong (dict "en" "ingress.tlsSecret is empty: people’s memories are served over TLS only. Name the Secret of the certificate." "fr" "ingress.tlsSecret est vide : les souvenirs ne sont servis que par TLS. Nommez le secret du certificat.") }}
{{- end }}
{{- if eq .Values.image.tag "latest" }}
{{- $wrong = append $wrong (dict "en" "image.tag is latest: nobody could say later what ran. Give a version, or image.digest." "fr" "image.tag vaut latest : personne ne saurait dire plus tard ce qui tournait. Donnez une version, ou image.digest.") }}
{{- end }}
{{- if and .Values.image.requireDigest (not .Values.image.digest) }}
{{- $wrong = append $wrong (dict "en" "image.requireDigest is true, but image.digest is empty. Give the digest of the image that you checked (sha256:…)." "fr" "image.requireDigest vaut true, mais image.digest est vide. Donnez l’empreinte de l’image vérifiée (sha256:…).") }}
{{- end }}
{{- range list "web" "workerInteractive" "workerErasure" "workerBulk" }}
{{- if and (gt (int (get $.Values .).replicas) 1) (ne $.Values.objects.volume.accessMode "ReadWriteMany") }}
{{- $wrong = append $wrong (dict "en" (printf "%s.replicas is over 1, but objects.volume.accessMode is ReadWriteOnce: that volume serves one node. Set ReadWriteMany with a storage class that offers it, or one replica." .) "fr" (printf "%s.replicas dépasse 1, mais objects.volume.accessMode vaut ReadWriteOnce : ce volume ne sert qu’un nœud. Mettez ReadWriteMany avec une classe de stockage qui l’offre, ou un seul réplica." .)) }}
{{- end }}
{{- end }}
{{- toJson $wrong }}
{{- end }}
