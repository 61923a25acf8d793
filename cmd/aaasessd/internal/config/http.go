package config

import (
	"fmt"
	"net/netip"

	"aaasess/cmd/aaasessd/internal/web"
	"aaasess/cmd/internal/strictyaml"
)

type rawHTTP struct {
	Listen    []netip.AddrPort `yaml:"listen" default:"127.0.0.1:9161" min:"1" max:"64" restart:"yes" doc:"Addresses and ports, as radius.accounting.listen, but of TCP."`
	WebConfig *strictyaml.Path `yaml:"web-config" restart:"yes" doc:"The web configuration of Prometheus' exporter-toolkit, with TLS and basic authentication. aaasessd reads the file, its certificates and its password hashes again for each connection. If missing, neither TLS nor authentication: then listen on loopback only, or where nobody else can connect."`
	Hosts     []hostText       `yaml:"hosts" max:"64" doc:"Further names and addresses that requests may have in their Host header, without a port. The address that a request was sent to and localhost always may. Other requests are refused: a page in a browser could send them."`
	Pprof     bool             `yaml:"pprof" default:"false" doc:"Whether /debug/pprof/ has profiles of the running daemon, for developers. They cost CPU time while they are made."`
}

// http returns the HTTP listener, or nil if the file has none.
func (d checker) http(raw *rawHTTP) *web.Config {
	if raw == nil {
		return nil
	}
	out := &web.Config{Listen: d.listen("http.listen", raw.Listen), Settings: web.Settings{Pprof: raw.Pprof}}
	if raw.WebConfig != nil {
		out.WebConfig = string(*raw.WebConfig)
	}
	hosts := d.Unique()
	for i, host := range raw.Hosts {
		hosts.Check(fmt.Sprintf("http.hosts[%d]", i), string(host), "in")
		out.Hosts = append(out.Hosts, string(host))
	}
	for i, addr := range raw.Listen {
		if !addr.Addr().IsLoopback() && out.WebConfig == "" {
			d.AddWarning(fmt.Sprintf("http.listen[%d]", i), "everybody who can connect to %s can read the metrics: without http.web-config there is neither TLS nor authentication", addr)
		}
	}
	return out
}
