package config

import (
	"fmt"
	"net/netip"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
)

// setGlobalSecrets gives the servers without a secret of their own that of their section.
func (d checker) setGlobalSecrets(raw *rawConfig) {
	for i := range raw.RADIUS.Servers {
		d.setGlobalSecret(fmt.Sprintf("radius.servers[%d]", i), "secret", "radius.secret", &raw.RADIUS.Servers[i].Secret, raw.RADIUS.Secret)
	}
	for i := range raw.TACACS.Servers {
		d.setGlobalSecret(fmt.Sprintf("tacacs.servers[%d]", i), "key", "tacacs.secret", &raw.TACACS.Servers[i].Key, raw.TACACS.Secret)
	}
}

// setGlobalSecret sets the secret of the server at a path to the global one, if the server has none.
// It does not repeat that one of the two is faulty.
func (d checker) setGlobalSecret(path, key, globalKey string, own *strictyaml.Secret, global strictyaml.Secret) {
	switch {
	case d.Given(path + "." + key):
	case d.Given(globalKey):
		*own = global
	default:
		d.Fault(path, "%s is missing, and there is no %s", key, globalKey)
	}
}

// identities returns all servers of the file in order of priority: those of the group of all servers
// of a protocol as it has them, then private ones.
func identities(raw *rawConfig, sections []*section) (all []servers.Identity) {
	ofRADIUS, ofTACACS := sections[0], sections[1]
	for _, at := range ofRADIUS.byPriority() {
		r := &raw.RADIUS.Servers[at]
		all = append(all, servers.Identity{
			Protocol: servers.RADIUS, Name: string(r.Name), Host: string(r.Address), AuthPort: r.AuthPort, AcctPort: r.acctPort(),
			Private: r.Private, Listed: ofRADIUS.isListed(at),
		})
	}
	for _, at := range ofTACACS.byPriority() {
		r := &raw.TACACS.Servers[at]
		all = append(all, servers.Identity{
			Protocol: servers.TACACS, Name: string(r.Name), Host: string(r.Address), AuthPort: r.Port, AcctPort: r.Port,
			Private: r.Private, Listed: ofTACACS.isListed(at),
		})
	}
	return all
}

// NewServer is what a server has that SNMP managers create: the settings of the file's section, and the
// defaults of a server.
type NewServer struct {
	RADIUS client.Member
	TACACS tacclient.Member
	// Aliases are the further addresses of RADIUS servers of the file, with the names of the servers.
	Aliases map[netip.Addr]string
}

// newServer returns what a new server has.
func (d checker) newServer(raw *rawConfig) NewServer {
	var r rawServer
	d.SetDefaults(&r)
	r.Secret = raw.RADIUS.Secret
	n := NewServer{
		RADIUS:  client.Member{Identity: r.identity(), Schedule: resend{&raw.RADIUS.Timeout, &raw.RADIUS.Retransmit, raw.RADIUS.Backoff}.and(resend{})},
		Aliases: map[netip.Addr]string{},
	}
	for i := range raw.RADIUS.Servers {
		for _, addr := range raw.RADIUS.Servers[i].Alias {
			n.Aliases[addr.Unmap()] = string(raw.RADIUS.Servers[i].Name)
		}
	}
	var s rawTACACSServer
	d.SetDefaults(&s)
	s.Key = raw.TACACS.Secret
	n.TACACS = s.member(resend{&raw.TACACS.Timeout, &raw.TACACS.Retransmit, raw.TACACS.Backoff}.and(resend{}))
	return n
}

// HasSecret reports whether the file has a secret for all servers of a protocol (radius.secret,
// tacacs.secret).
func (c *Config) HasSecret(p servers.Protocol) bool {
	if p == servers.TACACS {
		return c.NewServer.TACACS.Key != ""
	}
	return c.NewServer.RADIUS.Secret != ""
}
