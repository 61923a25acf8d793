package config

import (
	"fmt"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/servers"
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
			Listed: ofRADIUS.isListed(at),
		})
	}
	for _, at := range ofTACACS.byPriority() {
		r := &raw.TACACS.Servers[at]
		all = append(all, servers.Identity{
			Protocol: servers.TACACS, Name: string(r.Name), Host: string(r.Address), AuthPort: r.Port, AcctPort: r.Port,
			Listed: ofTACACS.isListed(at),
		})
	}
	return all
}
