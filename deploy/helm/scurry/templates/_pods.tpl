{{- /* What every pod of ours has in common. */}}

{{- define "scurry.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* (dict "user" 10001 "fsGroup" true) */}}
{{- define "scurry.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
{{- if .fsGroup }}
fsGroup: {{ .user }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* Where a pod may run: (dict "root" $ "values" component "component" name). */}}
{{- define "scurry.placement" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- if .values.priorityClassName }}
priorityClassName: {{ .values.priorityClassName }}
{{- else if .root.Values.priorityClasses.create }}
priorityClassName: {{ include "scurry.fullname" .root }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- $all := . }}
  {{- range .root.Values.topologyKeys }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "scurry.selector" $all.root | nindent 8 }}
        app.kubernetes.io/component: {{ $all.component }}
        {{- with $all.more }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  {{- end }}
{{- end }}

{{- /* What Prometheus reads where nobody uses its operator: (dict "root" $ "port" 8100). */}}
{{- define "scurry.scraped" -}}
{{- if .root.Values.metrics.annotations }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .port | quote }}
prometheus.io/path: {{ .path | default "/metrics" }}
{{- end }}
{{- end }}

{{- /* The address of Redis, as a role reads it: (dict "root" $ "key" "worker"). */}}
{{- define "scurry.redisEnv" -}}
- name: SCURRY_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "scurry.redisSecret" .root }}
      key: {{ get .root.Values.redis.keys .key }}
{{- end }}

{{- define "scurry.commonEnv" -}}
- name: SCURRY_NAMESPACE
  value: {{ .Values.keyPrefix | quote }}
- name: SCURRY_SEPARATE_REGISTRY
  value: {{ ternary "1" "0" .Values.separateRegistry | quote }}
{{- end }}

{{- define "scurry.logEnv" -}}
- name: SCURRY_LOG_LEVEL
  value: {{ .Values.log.level }}
- name: SCURRY_LOG_FORMAT
  value: {{ .Values.log.format }}
{{- end }}

{{- /* The variables that the values add: a map. */}}
{{- define "scurry.moreEnv" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "scurry.envFrom" -}}
{{- with . }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* The authority that Redis' certificate comes from, where there is one. */}}
{{- define "scurry.redisMount" -}}
{{- if .Values.redis.tls.existingSecret }}
- name: redis-ca
  mountPath: /etc/scurry/redis
  readOnly: true
{{- end }}
{{- end }}

{{- define "scurry.redisVolume" -}}
{{- with .Values.redis.tls.existingSecret }}
- name: redis-ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: {{ $.Values.redis.tls.key }}
        path: ca.crt
{{- end }}
{{- end }}
