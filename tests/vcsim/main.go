// Command vcsim starts govmomi's vCenter simulator for the contract tests.
//
// What lives here: flags, the inventory's shape, and a life that ends with the parent's. The simulated vCenter is the
// library's; its relocation is replaced (relocate.go), because the library leaves half of the inventory stale, and so is
// its look-up by UUID (uuids.go), which esxcli breaks.
// What may not live here: anything that the product could mistake for its own idea of vSphere.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
)

type options struct {
	listen, user, password, apiVersion, certOut   string
	datacenters, clusters, hosts, datastores, vms int
	poweredOff                                    bool
}

// ready is the one line on stdout that tells the parent where to knock.
type ready struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Cert     string `json:"cert"`
}

func main() {
	if err := run(parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "vcsim:", err)
		os.Exit(1)
	}
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.listen, "l", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	flag.StringVar(&o.user, "username", "administrator@vsphere.local", "the only user who may log in")
	flag.StringVar(&o.password, "password", "", "that user's password (required)")
	flag.StringVar(&o.apiVersion, "api-version", "8.0.3.0", "API version that clients negotiate")
	flag.StringVar(&o.certOut, "cert-out", "", "where to write the certificate authority, as PEM (required)")
	flag.IntVar(&o.datacenters, "dc", 2, "datacenters")
	flag.IntVar(&o.clusters, "cluster", 1, "clusters per datacenter")
	flag.IntVar(&o.hosts, "host", 2, "hosts per cluster")
	flag.IntVar(&o.datastores, "ds", 2, "datastores per datacenter")
	flag.IntVar(&o.vms, "vm", 2, "virtual machines per cluster")
	flag.BoolVar(&o.poweredOff, "powered-off", false, "leave the virtual machines powered off")
	flag.Parse()
	return o
}

func run(o options) error {
	if o.password == "" || o.certOut == "" {
		return fmt.Errorf("-password and -cert-out are required")
	}
	model := newModel(o)
	defer model.Remove() // the datastores are folders under the temporary directory
	if err := model.Create(); err != nil {
		return fmt.Errorf("create the inventory: %w", err)
	}
	alignNetworkNames(model.Service.Context)
	intercept(model.Service.Context)

	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return fmt.Errorf("-l %q: %w", o.listen, err)
	}
	chain, authority, err := issueCertificate(host)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.WriteFile(o.certOut, authority, 0o600); err != nil {
		return err
	}
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{chain}, MinVersion: tls.VersionTLS12}
	model.Service.Listen = &url.URL{Host: o.listen, User: url.UserPassword(o.user, o.password)}
	server := model.Service.NewServer()

	where := *server.URL
	where.User = nil
	line := ready{URL: where.String(), User: o.user, Password: o.password, Cert: o.certOut}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	waitForTheEnd()
	return nil // without server.Close: it would wait for long polls that nobody will answer any more
}

func newModel(o options) *simulator.Model {
	model := simulator.VPX()
	model.Datacenter, model.Cluster, model.ClusterHost, model.Host = o.datacenters, o.clusters, o.hosts, 0
	model.Datastore, model.Machine = o.datastores, o.vms
	model.Autostart = !o.poweredOff
	model.ServiceContent.About.ApiVersion = o.apiVersion
	model.ServiceContent.About.Version = productVersion(o.apiVersion)
	return model
}

// productVersion turns 8.0.3.0 into 8.0.3, as a vCenter shows both.
func productVersion(apiVersion string) string {
	parts := strings.Split(apiVersion, ".")
	return strings.Join(parts[:min(3, len(parts))], ".")
}

// waitForTheEnd returns when stdin closes, the parent dies or a signal asks for it. Stdin alone is not enough: a
// process that the parent started later may hold a copy of the pipe open.
func waitForTheEnd() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(closed)
	}()
	parent := os.Getppid()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-closed:
			return
		case <-tick.C:
			if os.Getppid() != parent {
				return
			}
		}
	}
}
