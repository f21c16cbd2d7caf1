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
{{- if .scheme }}
prometheus.io/scheme: {{ ternary "http" "https" (eq .scheme "HTTP") }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The address of Redis is a file, which scurry.redisVolume mounts. */}}
{{- define "scurry.redisEnv" -}}
- name: SCURRY_REDIS_URL_FILE
  value: /etc/scurry/redis/url
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

{{- /* What the job and its processes show each other: tls.crt, tls.key (PKCS#8) and ca.crt. */}}
{{- define "scurry.tlsMount" -}}
- name: tls
  mountPath: /etc/scurry/tls
  readOnly: true
{{- end }}

{{- define "scurry.tlsVolume" -}}
- name: tls
  secret:
    secretName: {{ .Values.tls.existingSecret }}
    defaultMode: 0440
{{- end }}

{{- /* What a role reads of Redis: its address as `url`, its password as `password`, the authority as `ca.crt`. */}}
{{- define "scurry.redisMount" -}}
- name: redis
  mountPath: /etc/scurry/redis
  readOnly: true
{{- end }}

{{- /* (dict "root" $ "key" "worker"); "connects" for a process that was told the address by another. */}}
{{- define "scurry.redisVolume" -}}
{{- $secret := include "scurry.redisSecret" .root }}
{{- $redis := .root.Values.redis }}
{{- $password := get $redis.passwordKeys .key }}
- name: redis
  projected:
    defaultMode: 0440
    sources:
      {{- if or $password (not .connects) }}
      - secret:
          name: {{ $secret }}
          items:
            {{- if not .connects }}
            - key: {{ get $redis.keys .key }}
              path: url
            {{- end }}
            {{- with $password }}
            - key: {{ . }}
              path: password
            {{- end }}
      {{- end }}
      {{- with $redis.tls.existingSecret }}
      - secret:
          name: {{ . }}
          items:
            - key: {{ $redis.tls.key }}
              path: ca.crt
      {{- end }}
{{- end }}
