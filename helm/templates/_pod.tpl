{{/*
What the pods of all roles have in common. Each is given (dict "root" $ "role" ... "own" ...): the role is bot, worker,
watch or doctor, and own the values of the Deployment whose variables and volumes it has.
*/}}

{{- define "coldmigrate.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.securityContext.runAsUser }}
runAsUser: {{ . }}
runAsGroup: {{ . }}
{{- end }}
{{- with .Values.securityContext.fsGroup }}
fsGroup: {{ . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "coldmigrate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "coldmigrate.probe" -}}
httpGet:
  path: {{ .path }}
  port: health
{{ toYaml .times }}
{{- end }}

{{- define "coldmigrate.env" -}}
{{- if .root.Values.redis.existingSecret }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.redis.existingSecret }}
      key: {{ .root.Values.redis.urlKey }}
{{- end }}
{{- with .own.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "coldmigrate.mounts" -}}
- name: config
  mountPath: /etc/coldmigrate
  readOnly: true
{{- if ne .role "doctor" }}
- name: {{ eq .role "bot" | ternary "slack" "vcenters" }}
  mountPath: /run/secrets/{{ eq .role "bot" | ternary "slack" "vcenters" }}
  readOnly: true
{{- end }}
{{- if eq .role "watch" }}
{{- if .own.existingSecret }}
- name: watch
  mountPath: /run/secrets/watch
  readOnly: true
{{- end }}
{{- if and .own.syslog.enabled .own.syslog.tlsPort }}
- name: syslog
  mountPath: /run/secrets/syslog
  readOnly: true
{{- end }}
{{- end }}
{{- if or .root.Values.caBundle.configMap .root.Values.caBundle.secret }}
- name: ca
  mountPath: /etc/coldmigrate-ca
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- with .own.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "coldmigrate.volumes" -}}
{{- with .root.Values }}
- name: config
  configMap:
    name: {{ include "coldmigrate.configMap" $.root }}
{{- if eq $.role "bot" }}
- name: slack
  secret:
    secretName: {{ .slack.existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .slack.appTokenKey }}
        path: app-token
      - key: {{ .slack.botTokenKey }}
        path: bot-token
{{- else if ne $.role "doctor" }}
- name: vcenters
  secret:
    secretName: {{ .vcenters.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- if eq $.role "watch" }}
{{- with $.own.existingSecret }}
- name: watch
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- if and $.own.syslog.enabled $.own.syslog.tlsPort }}
- name: syslog
  secret:
    secretName: {{ $.own.syslog.tlsSecret }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- with .caBundle }}
{{- if .configMap }}
- name: ca
  configMap:
    name: {{ .configMap }}
    items: [{key: {{ .key }}, path: ca.crt}]
{{- else if .secret }}
- name: ca
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items: [{key: {{ .key }}, path: ca.crt}]
{{- end }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .tmpSizeLimit }}
{{- with $.own.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}
