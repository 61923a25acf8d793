package config

import (
	"fmt"
	"net/netip"

	"aaasess/cmd/aaasessd/internal/web"
	"aaasess/cmd/internal/strictyaml"
)

type rawHTTP struct {
	Listen     []netip.AddrPort `yaml:"listen" default:"127.0.0.1:9161" min:"1" max:"64" restart:"yes" doc:"Addresses and ports, as radius.accounting.listen, but of TCP."`
	WebConfig  *strictyaml.Path `yaml:"web-config" restart:"yes" doc:"The web configuration of Prometheus' exporter-toolkit, with TLS and basic authentication. aaasessd reads the file, its certificates and its password hashes again for each connection. If missing, neither TLS nor authentication: then listen on loopback only, or where nobody else can connect."`
	Hosts      []hostText       `yaml:"hosts" max:"64" doc:"Further names and addresses that requests may have in their Host header, without a port. The address that a request was sent to and localhost always may. Other requests are refused: a page in a browser could send them."`
	Pprof      bool             `yaml:"pprof" default:"false" doc:"Whether /debug/pprof/ has profiles of the running daemon, for developers. They cost CPU time while they are made."`
	StatusPage *bool            `yaml:"status-page" doc:"Whether / is the status page: sessions, servers and the spool in a browser. It has the names of users. If missing, it is there if all addresses of listen are on loopback, or web-config has basic_auth_users or requires client certificates."`
	Disconnect bool             `yaml:"disconnect" default:"false" doc:"Whether persons may disconnect sessions on the status page. web-config must authenticate them: by basic_auth_users, or by client certificates that it requires. Each disconnect is logged with their name."`
}

// StatusPage says whether there is a status page, and what it may do.
type StatusPage struct {
	// Wanted is what the file says; nil: it says nothing.
	Wanted *bool
	// Disconnect: authenticated persons may disconnect sessions.
	Disconnect bool
}

func (raw *rawHTTP) statusPage() StatusPage {
	if raw == nil {
		return StatusPage{}
	}
	return StatusPage{raw.StatusPage, raw.Disconnect}
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
	if raw.Disconnect && out.WebConfig == "" {
		d.Fault("http.disconnect", "needs http.web-config: without it nobody is authenticated")
	}
	if raw.Disconnect && raw.StatusPage != nil && !*raw.StatusPage {
		d.AddWarning("http.disconnect", "has no effect without the status page")
	}
	hosts := d.Unique()
	for i, host := range raw.Hosts {
		hosts.Check(fmt.Sprintf("http.hosts[%d]", i), string(host), "in")
		out.Hosts = append(out.Hosts, string(host))
	}
	for i, addr := range raw.Listen {
		if !addr.Addr().IsLoopback() && out.WebConfig == "" {
			if raw.StatusPage != nil && *raw.StatusPage {
				d.AddWarning("http.status-page", "everybody who can connect to %s can see the names of users: without http.web-config there is no authentication", addr)
			}
			d.AddWarning(fmt.Sprintf("http.listen[%d]", i), "everybody who can connect to %s can read the metrics: without http.web-config there is neither TLS nor authentication", addr)
		}
	}
	return out
}
