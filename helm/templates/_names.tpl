{{/* Names and labels. */}}

{{- define "coldmigrate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "coldmigrate.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "coldmigrate.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "coldmigrate.selector" -}}
app.kubernetes.io/name: {{ include "coldmigrate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "coldmigrate.labels" -}}
{{ include "coldmigrate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "coldmigrate.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "coldmigrate.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "coldmigrate.configMap" -}}
{{- default (include "coldmigrate.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{/* The roles that run, by their commands. */}}
{{- define "coldmigrate.roles" -}}
[bot, worker{{ if .Values.watcher.enabled }}, watch{{ end }}]
{{- end }}

{{/* The ports that syslog comes in at, as a list of name, port and protocol. */}}
{{- define "coldmigrate.syslogPorts" -}}
{{- $ports := list }}
{{- with .Values.watcher.syslog }}
{{- if .enabled }}
{{- if .udpPort }}{{ $ports = append $ports (dict "name" "syslog-udp" "port" .udpPort "protocol" "UDP") }}{{ end }}
{{- if .tcpPort }}{{ $ports = append $ports (dict "name" "syslog-tcp" "port" .tcpPort "protocol" "TCP") }}{{ end }}
{{- if .tlsPort }}{{ $ports = append $ports (dict "name" "syslog-tls" "port" .tlsPort "protocol" "TCP") }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $ports }}
{{- end }}

{{- define "coldmigrate.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}
