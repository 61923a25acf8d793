//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"aaasess/internal/partner"
)

// TestPrometheusAuthenticates: Prometheus scrapes a daemon that wants TLS and a password, as
// docs/metrics.md describes it. Without the password, or without TLS, it gets nothing.
func TestPrometheusAuthenticates(t *testing.T) {
	files := partner.NewCertificates(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("a password"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	webConfig := filepath.Join(t.TempDir(), "web.yml")
	text := fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\nbasic_auth_users: {prometheus: %q}\n", files.Server, files.ServerKey, hash)
	if err := os.WriteFile(webConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := launch(t, httpConfig(t, ", web-config: "+webConfig), environment{})
	job := func(name, keys string) string {
		return fmt.Sprintf("  - job_name: %s\n    static_configs: [{targets: [%q]}]\n%s", name, l.d.http.Addrs()[0].String(), keys)
	}
	tls := fmt.Sprintf("    scheme: https\n    tls_config: {ca_file: %s, server_name: %s}\n", files.Authority, partner.ServerName)
	p := partner.Prometheus(t, "global: {scrape_interval: 500ms}\nscrape_configs:\n"+
		job("right", tls+"    basic_auth: {username: prometheus, password: a password}\n")+
		job("wrong", tls+"    basic_auth: {username: prometheus, password: another}\n")+
		job("nobody", tls)+job("plain", "    basic_auth: {username: prometheus, password: a password}\n"))
	var data struct {
		ActiveTargets []struct{ ScrapePool, Health, LastError string }
	}
	eventually(t, "all jobs have been tried", func() bool {
		if err := p.API("targets", nil, &data); err != nil {
			t.Fatal(err)
		}
		return len(data.ActiveTargets) == 4 && !slices.ContainsFunc(data.ActiveTargets, func(a struct{ ScrapePool, Health, LastError string }) bool { return a.Health == "unknown" })
	}, &data)
	want := map[string][2]string{"right": {"up", ""}, "wrong": {"down", "401 Unauthorized"}, "nobody": {"down", "401 Unauthorized"}, "plain": {"down", "400 Bad Request"}}
	for _, a := range data.ActiveTargets {
		if w := want[a.ScrapePool]; a.Health != w[0] || !strings.Contains(a.LastError, w[1]) {
			t.Errorf("%s is %s: %s", a.ScrapePool, a.Health, a.LastError)
		}
	}
}
