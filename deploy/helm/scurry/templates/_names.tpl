{{- /* What things are called and labelled. */}}
{{- define "scurry.fullname" -}}
{{- if contains "scurry" .Release.Name }}{{ .Release.Name | trunc 34 | trimSuffix "-" }}{{ else }}{{ printf "%s-scurry" (.Release.Name | trunc 27 | trimSuffix "-") }}{{ end }}
{{- end }}

{{- define "scurry.selector" -}}
app.kubernetes.io/name: scurry
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The labels of an object: (dict "root" $ "component" name). */}}
{{- define "scurry.labels" -}}
{{ include "scurry.selector" .root }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: scurry
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- /* An image: (dict "root" $ "image" values). A digest wins over a tag. */}}
{{- define "scurry.image" -}}
{{- with .root.Values.image.registry }}{{ . }}/{{ end -}}
{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The Secret that holds the addresses of Redis: the one that is there, or the development Redis'. */}}
{{- define "scurry.redisSecret" -}}
{{ .Values.redis.existingSecret | default (printf "%s-redis" (include "scurry.fullname" .)) }}
{{- end }}

{{- /* A pool of workers: the defaults, and what it says itself. (dict "root" $ "pool" values) → YAML */}}
{{- define "scurry.pool" -}}
{{ mergeOverwrite (deepCopy .root.Values.workers.defaults) (deepCopy (.pool | default dict)) | toYaml }}
{{- end }}

{{- /* What a pool's objects are called: workers for the pool `default`, workers-gpu for `gpu`. */}}
{{- define "scurry.poolName" -}}
{{ if eq . "default" }}workers{{ else }}workers-{{ . }}{{ end }}
{{- end }}

{{- /* The job's variable with the addresses of a pool: SCURRY_WORKERS for the pool `default`, SCURRY_WORKERS_GPU for `gpu`. */}}
{{- define "scurry.poolVariable" -}}
{{ if eq . "default" }}SCURRY_WORKERS{{ else }}SCURRY_WORKERS_{{ . | upper | replace "-" "_" }}{{ end }}
{{- end }}

{{- /* module.yaml of the repository's root, an endpoint for each further pool, and what the values add. */}}
{{- define "scurry.module" -}}
{{ .Files.Get "files/module.yaml" | trimSuffix "\n" }}
{{- range $name, $pool := .Values.workers.pools }}
{{- if ne $name "default" }}
---
# Workers of the pool {{ $name }}.
kind: io.statefun.endpoints.v2/http
spec:
  functions: scurry/inference.{{ $name }}
  urlPathTemplate: http://workers:8110
  maxNumBatchRequests: 100000000
  transport:
    type: scurry.transports.v1/workers
    addresses: ${{ "{" }}{{ include "scurry.poolVariable" $name }}}
    failure: bounce
    trust_cacerts: ${SCURRY_TLS_CA:}
    client_cert: ${SCURRY_TLS_CLIENT_CERT:}
    client_key: ${SCURRY_TLS_CLIENT_KEY:}
{{- end }}
{{- end }}
{{- with .Values.module.more }}
---
{{ . | trimSuffix "\n" }}
{{- end }}
{{- end }}
