//go:build tools

// Package tools names the Helm that the chart is tried with; go.mod and go.sum lock it.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
