{{- /*
A process of ours that serves: gateway, functions, worker, bridge.
(dict "root" $ "name" "gateway" "component" "gateway" "values" component "more" (labels of its own) "args" list
 "ports" list of (name, port) "scraped" 8002 "env" text "mounts" text "volumes" text "init" text "probe" "calls" "live" path "ready" path
 "redis" "gateway" or "" "annotations" text)
*/}}
{{- define "scurry.process" -}}
{{- $root := .root }}
{{- $c := .values }}
{{- $full := include "scurry.fullname" $root }}
{{- $pause := $c.preStopSeconds | default 0 }}
{{- $inner := and (ne .component "gateway") $root.Values.tls.existingSecret }}
{{- if $inner }}{{ $_ := set . "scheme" "HTTPS" }}{{ end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $full }}-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "scurry.labels" . | nindent 4 }}
    {{- with .more }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- if not (dig "autoscaling" "enabled" false $c) }}
  replicas: {{ $c.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      {{- include "scurry.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
      {{- with .more }}{{ toYaml . | nindent 6 }}{{ end }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels: {{- include "scurry.labels" . | nindent 8 }}
        {{- with .more }}{{ toYaml . | nindent 8 }}{{ end }}
        {{- with $c.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .component }}
        {{- with include "scurry.scraped" (dict "root" $root "port" .scraped "scheme" .scheme) }}{{ . | nindent 8 }}{{ end }}
        {{- with .annotations }}{{ . | nindent 8 }}{{ end }}
        {{- with $c.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ $full }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      # The pause before SIGTERM, what the process takes to finish, and 10 s more.
      terminationGracePeriodSeconds: {{ add $pause $c.drainSeconds 10 }}
      securityContext: {{- include "scurry.podSecurity" (dict "user" 10001 "fsGroup" true) | nindent 8 }}
      {{- include "scurry.placement" (dict "root" $root "values" $c "component" .component "more" .more) | nindent 6 }}
      {{- with .init }}
      initContainers: {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "scurry.image" (dict "root" $root "image" $c.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          env:
            - name: SCURRY_HOST
              value: 0.0.0.0
            {{- include "scurry.commonEnv" $root | nindent 12 }}
            {{- include "scurry.logEnv" $root | nindent 12 }}
            {{- if .redis }}{{ include "scurry.redisEnv" $root | nindent 12 }}{{ end }}
            {{- if $inner }}
            - name: SCURRY_TLS_CERT
              value: /etc/scurry/tls/tls.crt
            - name: SCURRY_TLS_KEY
              value: /etc/scurry/tls/tls.key
            {{- if ne .component "bridge" }}
            - name: SCURRY_TLS_CLIENT_CA
              value: /etc/scurry/tls/ca.crt
            {{- end }}
            {{- end }}
            {{- with .env }}{{ . | nindent 12 }}{{ end }}
            {{- with include "scurry.moreEnv" $c.env }}{{ . | nindent 12 }}{{ end }}
          {{- with include "scurry.envFrom" $c.envFromSecrets }}{{ . | nindent 10 }}{{ end }}
          ports:
            {{- range .ports }}
            - name: {{ first . }}
              containerPort: {{ last . }}
            {{- end }}
          {{- include "scurry.probes" . | nindent 10 }}
          {{- if $pause }}
          lifecycle:
            preStop:
              exec: {command: [sleep, {{ $pause | quote }}]}
          {{- end }}
          resources: {{- toYaml $c.resources | nindent 12 }}
          securityContext: {{- include "scurry.containerSecurity" . | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            {{- if $inner }}{{ include "scurry.tlsMount" $root | nindent 12 }}{{ end }}
            {{- if .redis }}{{ include "scurry.redisMount" $root | nindent 12 }}{{ end }}
            {{- with .mounts }}{{ . | nindent 12 }}{{ end }}
      volumes:
        - name: tmp
          emptyDir: {}
        {{- if $inner }}{{ include "scurry.tlsVolume" $root | nindent 8 }}{{ end }}
        {{- with .redis }}{{ include "scurry.redisVolume" (dict "root" $root "key" .) | nindent 8 }}{{ end }}
        {{- with .volumes }}{{ . | nindent 8 }}{{ end }}
{{- end }}

{{- /* Start and life look at the process alone, readiness at whether it can serve. */}}
{{- define "scurry.probes" -}}
{{- if eq (.scheme | default "HTTP") "PORT" -}}
{{- /* With client certificates no probe gets further than the port. */ -}}
startupProbe:
  tcpSocket: {port: {{ .probe }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  tcpSocket: {port: {{ .probe }}}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  tcpSocket: {port: {{ .probe }}}
  periodSeconds: 5
{{- else -}}
{{- $scheme := .scheme | default "HTTP" -}}
startupProbe:
  httpGet: {path: {{ .live }}, port: {{ .probe }}, scheme: {{ $scheme }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: {{ .live }}, port: {{ .probe }}, scheme: {{ $scheme }}}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: {{ .ready }}, port: {{ .probe }}, scheme: {{ $scheme }}}
  {{- toYaml (.patience | default (dict "periodSeconds" 2 "timeoutSeconds" 2)) | nindent 2 }}
{{- end }}
{{- end }}

{{- /* A Service and a disruption budget: the same dict; "headless" says which kind of Service. */}}
{{- define "scurry.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "scurry.fullname" .root }}-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "scurry.labels" . | nindent 4 }}
    {{- with .more }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- if .headless }}
  clusterIP: None
  {{- end }}
  selector:
    {{- include "scurry.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with .more }}{{ toYaml . | nindent 4 }}{{ end }}
  ports:
    {{- range .ports }}
    - name: {{ first . }}
      port: {{ last . }}
      targetPort: {{ first . }}
    {{- end }}
{{- end }}

{{- define "scurry.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "scurry.fullname" .root }}-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "scurry.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "scurry.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
      {{- with .more }}{{ toYaml . | nindent 6 }}{{ end }}
{{- end }}

{{- /* More of a Deployment by its use of the CPU, or by what lies unread in the stream. */}}
{{- define "scurry.autoscaler" -}}
{{- $root := .root }}
{{- $a := .values.autoscaling }}
{{- $target := printf "%s-%s" (include "scurry.fullname" $root) .name }}
{{- if eq $a.kind "keda" }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $target }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "scurry.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    name: {{ $target }}
  minReplicaCount: {{ $a.minReplicas }}
  maxReplicaCount: {{ $a.maxReplicas }}
  pollingInterval: 5
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: {{ $a.scaleDownSeconds }}
  triggers:
    - type: redis-streams
      metadata:
        address: {{ required "autoscaling.kind keda needs keda.address, host:port of Redis." (include "scurry.kedaAddress" $root) }}
        stream: {{ $root.Values.keyPrefix }}:requests
        consumerGroup: scurry-job
        lagCount: {{ $a.lagCount | quote }}
        enableTLS: {{ $root.Values.keda.tls | quote }}
      {{- with $root.Values.keda.authentication }}
      authenticationRef:
        name: {{ . }}
      {{- end }}
{{- else }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $target }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "scurry.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $target }}
  minReplicas: {{ $a.minReplicas }}
  maxReplicas: {{ $a.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $a.cpuPercent }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: {{ $a.scaleDownSeconds }}
{{- end }}
{{- end }}

{{- define "scurry.kedaAddress" -}}
{{- if .Values.keda.address }}{{ .Values.keda.address }}{{ else if .Values.redis.development.enabled }}{{ include "scurry.fullname" . }}-redis.{{ .Release.Namespace }}:6379{{ end }}
{{- end }}

{{- /* All objects of a process, one after another. */}}
{{- define "scurry.processObjects" -}}
{{ include "scurry.process" . }}
{{- if .ports }}
{{- if not .noService }}
---
{{ include "scurry.service" . }}
{{- end }}
{{- end }}
---
{{ include "scurry.budget" . }}
{{- if dig "autoscaling" "enabled" false .values }}
---
{{ include "scurry.autoscaler" . }}
{{- end }}
{{- end }}
