{{- /* Flink's settings as both ways of running the job have them; what is not said here has the values of Defaults.java in the jar. */}}
{{- define "scurry.flink" -}}
{{- $j := .Values.job }}
{{- $state := "file:///opt/flink/state" }}
{{- with $j.state.objectStore.uri }}{{ $state = trimSuffix "/" . }}{{ end }}
{{- $flink := dict
  "classloader.parent-first-patterns.additional" "org.apache.flink.statefun;org.apache.kafka;com.google.protobuf;io.scurry"
  "execution.checkpointing.interval" $j.checkpoints.interval
  "execution.shutdown-on-application-finish" "false"
  "execution.checkpointing.timeout" $j.checkpoints.timeout
  "state.backend" $j.state.backend
  "state.checkpoints.num-retained" "3"
  "state.checkpoints.dir" (printf "%s/checkpoints" $state)
  "state.savepoints.dir" (printf "%s/savepoints" $state)
  "high-availability" "org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory"
  "high-availability.storageDir" (printf "%s/ha" $state)
  "heartbeat.interval" "2000"
  "heartbeat.timeout" "8000"
  "high-availability.kubernetes.leader-election.lease-duration" "8 s"
  "high-availability.kubernetes.leader-election.renew-deadline" "6 s"
  "high-availability.kubernetes.leader-election.retry-period" "2 s"
  "restart-strategy" "exponential-delay"
  "restart-strategy.exponential-delay.initial-backoff" "1 s"
  "restart-strategy.exponential-delay.max-backoff" "1 min"
  "restart-strategy.exponential-delay.reset-backoff-threshold" "1 min"
  "taskmanager.numberOfTaskSlots" (toString $j.slots)
  "metrics.reporters" "prom"
  "metrics.reporter.prom.factory.class" "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
  "metrics.reporter.prom.port" "9249" }}
{{- if eq $j.mode "operator" }}
{{- $_ := set $flink "kubernetes.jobmanager.cpu.limit-factor" (printf "%.1f" (float64 $j.jobManager.cpuLimitFactor)) }}
{{- $_ := set $flink "kubernetes.taskmanager.cpu.limit-factor" (printf "%.1f" (float64 $j.taskManager.cpuLimitFactor)) }}
{{- else }}
{{- $_ := set $flink "kubernetes.cluster-id" (include "scurry.fullname" .) }}
{{- $_ := set $flink "kubernetes.namespace" .Release.Namespace }}
{{- $_ := set $flink "jobmanager.rpc.port" "6123" }}
{{- $_ := set $flink "high-availability.jobmanager.port" "6123" }}
{{- $_ := set $flink "blob.server.port" "6124" }}
{{- $_ := set $flink "taskmanager.rpc.port" "6122" }}
{{- $_ := set $flink "rest.port" "8081" }}
{{- $_ := set $flink "parallelism.default" (toString $j.parallelism) }}
{{- $_ := set $flink "jobmanager.memory.process.size" (printf "%dm" (int $j.jobManager.memoryMb)) }}
{{- $_ := set $flink "taskmanager.memory.process.size" (printf "%dm" (int $j.taskManager.memoryMb)) }}
{{- end }}
{{- range $key, $value := $j.flinkConfiguration }}
{{- $_ := set $flink $key (toString $value) }}
{{- end }}
{{- toYaml $flink }}
{{- end }}

{{- /* What module.yaml reads, in the JobManager alone: the result travels inside the job. */}}
{{- define "scurry.jobEnv" -}}
{{- $full := include "scurry.fullname" . }}
{{- include "scurry.redisEnv" . }}
{{ include "scurry.commonEnv" . }}
- name: SCURRY_ON_GAP
  value: {{ .Values.job.onGap }}
- name: SCURRY_CLUSTER_SERVING_TTL
  value: {{ .Values.job.clusterServingTtl }}
{{- $scheme := "http" }}
{{- if .Values.tls.existingSecret }}
{{- $scheme = "https" }}
- name: SCURRY_TLS_CA
  value: /etc/scurry/tls/ca.crt
- name: SCURRY_TLS_CLIENT_CERT
  value: /etc/scurry/tls/tls.crt
- name: SCURRY_TLS_CLIENT_KEY
  value: /etc/scurry/tls/tls.key
{{- end }}
- name: SCURRY_FUNCTIONS
  value: {{ $scheme }}://{{ $full }}-functions:8100
{{- range $name, $_ := .Values.workers.pools }}
- name: {{ include "scurry.poolVariable" $name }}
  value: {{ $scheme }}://{{ $full }}-{{ include "scurry.poolName" $name }}:8110
{{- end }}
{{- include "scurry.moreEnv" .Values.job.env }}
{{- end }}

{{- /* (dict "root" $ "connects" true): with "connects" without the address, which came with the job. */}}
{{- define "scurry.jobMounts" -}}
{{- if not .root.Values.job.state.objectStore.uri }}
- name: state
  mountPath: /opt/flink/state
{{- end }}
- name: log
  mountPath: /opt/flink/log
- name: tmp
  mountPath: /tmp
{{- if .root.Values.tls.existingSecret }}
{{ include "scurry.tlsMount" .root }}
{{- end }}
{{- if include "scurry.jobReads" . }}
{{ include "scurry.redisMount" . }}
{{- end }}
{{- end }}

{{- /* Whether there is something to read of Redis. */}}
{{- define "scurry.jobReads" -}}
{{- if or (not .connects) .root.Values.redis.tls.existingSecret .root.Values.redis.passwordKeys.job }}yes{{ end }}
{{- end }}

{{- define "scurry.jobVolumes" -}}
{{- if not .root.Values.job.state.objectStore.uri }}
- name: state
  persistentVolumeClaim:
    claimName: {{ .root.Values.job.state.claim.existing | default (printf "%s-job-state" (include "scurry.fullname" .root)) }}
{{- end }}
- name: log
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- if .root.Values.tls.existingSecret }}
{{ include "scurry.tlsVolume" .root }}
{{- end }}
{{- if include "scurry.jobReads" . }}
{{ include "scurry.redisVolume" (dict "root" .root "key" "job" "connects" .connects) }}
{{- end }}
{{- end }}

{{- define "scurry.stateSecret" -}}
{{- with .Values.job.state.objectStore.existingSecret }}{{ include "scurry.envFrom" (list .) }}{{ end }}
{{- end }}
