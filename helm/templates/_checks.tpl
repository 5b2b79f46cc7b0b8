{{/* Values that contradict each other, or lack something: one sentence that says what to do. */}}

{{- define "coldmigrate.check" -}}
{{- if and .Values.config .Values.existingConfigMap }}
{{- fail "config and existingConfigMap are both given: keep one of them." }}
{{- end }}
{{- if not (or .Values.config .Values.existingConfigMap) }}
{{- fail "config is empty: give coldmigrate.toml with --set-file config=coldmigrate.toml, or name a ConfigMap in existingConfigMap. (`coldmigrate init` writes one to begin with.)" }}
{{- end }}
{{- if regexMatch "xox[a-z]-|xapp-" .Values.config }}
{{- fail "config holds a Slack token: put it into a Secret, name that in slack.existingSecret, and write app_token_file = \"/run/secrets/slack/app-token\" and bot_token_file = \"/run/secrets/slack/bot-token\"." }}
{{- end }}
{{- if not .Values.slack.existingSecret }}
{{- fail "slack.existingSecret is empty: name the Secret that holds Slack's two tokens." }}
{{- end }}
{{- if not .Values.vcenters.existingSecret }}
{{- fail "vcenters.existingSecret is empty: name the Secret that holds a password for each vCenter." }}
{{- end }}
{{- if eq .Values.slack.existingSecret .Values.vcenters.existingSecret }}
{{- fail "slack.existingSecret and vcenters.existingSecret are the same: the bot must not hold vCenters' passwords, nor workers Slack's tokens. Make two Secrets." }}
{{- end }}
{{- if and (eq .Values.slack.existingSecret .Values.redis.existingSecret) .Values.redis.existingSecret }}
{{- fail "redis.existingSecret and slack.existingSecret are the same: workers read the one and must not hold the other. Make two Secrets." }}
{{- end }}
{{- if and (not .Values.redis.existingSecret) .Values.config (not (regexMatch "(?m)^\\s*\\[redis\\]" .Values.config)) }}
{{- fail "Nothing says where Redis is: name the Secret with its URL in redis.existingSecret, or give [redis] in the config." }}
{{- end }}
{{- if and .Values.caBundle.configMap .Values.caBundle.secret }}
{{- fail "caBundle.configMap and caBundle.secret are both given: keep one of them." }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: name the one to use, so that pods do not run as the namespace's default." }}
{{- end }}
{{- if and (eq (.Values.strategy.maxUnavailable | toString) "0") (eq (.Values.strategy.maxSurge | toString) "0") }}
{{- fail "strategy.maxUnavailable and strategy.maxSurge are both 0: no rollout could ever begin. Let one of them be 1." }}
{{- end }}
{{- if and .Values.podDisruptionBudget.enabled (eq (.Values.podDisruptionBudget.maxUnavailable | toString) "0") }}
{{- fail "podDisruptionBudget.maxUnavailable is 0: no node could be drained any more. Let it be 1; a worker hands its jobs over in seconds." }}
{{- end }}
{{- with .Values.watcher }}
{{- if and .existingSecret (eq .existingSecret $.Values.slack.existingSecret) }}
{{- fail "watcher.existingSecret and slack.existingSecret are the same: watchers must not hold Slack's tokens. Make two Secrets." }}
{{- end }}
{{- if and .syslog.enabled (not .enabled) }}
{{- fail "watcher.syslog.enabled is true and watcher.enabled is false: nobody would answer. Let both be true, or none." }}
{{- end }}
{{- if and .syslog.enabled (not (or .syslog.udpPort .syslog.tcpPort .syslog.tlsPort)) }}
{{- fail "watcher.syslog opens no port: give udpPort, tcpPort or tlsPort." }}
{{- end }}
{{- if and .syslog.enabled .syslog.tlsPort (not .syslog.tlsSecret) }}
{{- fail "watcher.syslog.tlsSecret is empty: name the Secret with the certificate that hosts are shown." }}
{{- end }}
{{- end }}
{{- range $role := list "bot" "worker" "watcher" }}
{{- range (index $.Values $role).extraEnv }}
{{- if regexMatch "^(xox[a-z]-|xapp-)" (default "" .value) }}
{{- fail (printf "%s.extraEnv holds a Slack token in plain text in %s: take it from a Secret with valueFrom." $role .name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
