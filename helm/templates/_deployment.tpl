{{/* One role as a Deployment. Given (dict "root" $ "role" "bot", "worker" or "watch" "own" its values). */}}

{{- define "coldmigrate.deployment" -}}
{{- $ := .root }}
{{- $role := .role }}
{{- $own := .own }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "coldmigrate.fullname" $ }}-{{ $role }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "coldmigrate.labels" $ | nindent 4 }}
    app.kubernetes.io/component: {{ $role }}
spec:
  replicas: {{ $own.replicas }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      {{- toYaml $.Values.strategy | nindent 6 }}
  selector:
    matchLabels:
      {{- include "coldmigrate.selector" $ | nindent 6 }}
      app.kubernetes.io/component: {{ $role }}
  template:
    metadata:
      labels:
        {{- with $own.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "coldmigrate.labels" $ | nindent 8 }}
        app.kubernetes.io/component: {{ $role }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ $role }}
        {{- if $.Values.config }}
        checksum/config: {{ sha256sum $.Values.config }}
        {{- end }}
        {{- if $.Values.metrics.annotations }}
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ $.Values.health.port | quote }}
        prometheus.io/path: /metrics
        {{- end }}
        {{- with $own.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "coldmigrate.serviceAccount" $ }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      # The pause container is process 1 then: it buries orphans, and signals work before and beyond our own handlers.
      shareProcessNamespace: true
      terminationGracePeriodSeconds: {{ $own.terminationGracePeriodSeconds }}
      securityContext:
        {{- include "coldmigrate.podSecurity" $ | nindent 8 }}
      {{- with $.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if $.Values.topologySpread.enabled }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: {{ $.Values.topologySpread.topologyKey }}
          whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
          labelSelector:
            matchLabels:
              {{- include "coldmigrate.selector" $ | nindent 14 }}
              app.kubernetes.io/component: {{ $role }}
      {{- end }}
      {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
      {{- with index $own $key }}
      {{ $key }}:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- with $own.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      containers:
        - name: {{ $role }}
          image: {{ include "coldmigrate.image" $ }}
          imagePullPolicy: {{ $.Values.image.pullPolicy }}
          args:
            - {{ $role }}
            - --config
            - /etc/coldmigrate/coldmigrate.toml
            - --log-format
            - json
            - --health-port
            - {{ $.Values.health.port | quote }}
          {{- with include "coldmigrate.env" . }}
          env:
            {{- . | nindent 12 }}
          {{- end }}
          ports:
            - name: health
              containerPort: {{ $.Values.health.port }}
              protocol: TCP
            {{- if eq $role "watch" }}
            {{- range include "coldmigrate.syslogPorts" $ | fromYamlArray }}
            - name: {{ .name }}
              containerPort: {{ .port }}
              protocol: {{ .protocol }}
            {{- end }}
            {{- end }}
          startupProbe:
            {{- include "coldmigrate.probe" (dict "path" "/startupz" "times" $.Values.health.startupProbe) | nindent 12 }}
          livenessProbe:
            {{- include "coldmigrate.probe" (dict "path" "/livez" "times" $.Values.health.livenessProbe) | nindent 12 }}
          readinessProbe:
            {{- include "coldmigrate.probe" (dict "path" "/readyz" "times" $.Values.health.readinessProbe) | nindent 12 }}
          resources:
            {{- toYaml $own.resources | nindent 12 }}
          securityContext:
            {{- include "coldmigrate.containerSecurity" $ | nindent 12 }}
          volumeMounts:
            {{- include "coldmigrate.mounts" . | nindent 12 }}
      volumes:
        {{- include "coldmigrate.volumes" . | nindent 8 }}
{{- end }}
