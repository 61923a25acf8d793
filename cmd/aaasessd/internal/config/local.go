package config

import (
	"fmt"
	"os/user"
	"strconv"

	"aaasess/cmd/internal/strictyaml"
	naslocal "aaasess/sessions/local"
)

type rawLocalSocket struct {
	Socket        strictyaml.Path  `yaml:"socket" default:"var/local.sock" restart:"yes" doc:"Path of the Unix socket. Every user may connect to it, if its folder lets them; access says who may do what."`
	NASIdentifier string           `yaml:"nas-identifier" default:"" min:"1" max:"253" restart:"yes" doc:"NAS-Identifier of the sessions. If missing, the name of the host. When it changes, sessions that are live keep the old one, and only reports with their user name and calling station find them."`
	Access        []rawLocalAccess `yaml:"access" max:"256" doc:"Who may do what, by the credentials of the process that connects. root, and the user that aaasessd runs as, may do everything. Nobody else may do anything that is not listed here."`
	Commands      []rawCommand     `yaml:"commands" max:"256" doc:"Commands that end sessions, of this host or of NASes without RFC 5176. A session names one when it starts."`
	OpenVPN       []rawOpenVPN     `yaml:"openvpn" max:"256" doc:"OpenVPN servers whose management interface ends sessions."`
}

type rawLocalAccess struct {
	User  accountText `yaml:"user" default:"" doc:"Name or number of a user. An entry has a user or a group."`
	Group accountText `yaml:"group" default:"" doc:"Name or number of a group: its members, whether it is their primary group or not. A session that one member reports belongs to the group."`
	May   []string    `yaml:"may" required:"yes" min:"1" max:"4" each:"enum:\"read write disconnect command\"" doc:"read: list sessions and follow events; write: report sessions and commands; disconnect: end sessions; command: report commands, but only those of the user who connects."`
}

// rights are the rights of local.access by their names.
var rights = map[string]naslocal.Right{"read": naslocal.Read, "write": naslocal.Write, "disconnect": naslocal.Disconnect, "command": naslocal.Command}

// localSocket returns the local socket, or nil if the file has none.
func (d checker) localSocket(raw *rawLocalSocket, hostname func() (string, error)) *naslocal.Config {
	if raw == nil {
		return nil
	}
	d.checkSocket("local.socket", string(raw.Socket))
	out := &naslocal.Config{Socket: string(raw.Socket), NASIdentifier: nasIdentifier(raw.NASIdentifier, hostname)}
	for i, a := range raw.Access {
		path := fmt.Sprintf("local.access[%d]", i)
		rule := naslocal.Rule{Owner: d.owner(path, &a)}
		for _, name := range a.May {
			rule.May |= rights[name]
		}
		out.Access = append(out.Access, rule)
	}
	return out
}

// owner returns the user or group of an entry of local.access.
func (d checker) owner(path string, raw *rawLocalAccess) naslocal.Owner {
	switch {
	case (raw.User == "") == (raw.Group == ""):
		if !d.Faulty(path+".user") && !d.Faulty(path+".group") {
			d.Fault(path, "must have a user or a group")
		}
	case raw.User != "":
		return naslocal.Owner{ID: d.systemID(path+".user", "user", string(raw.User), func(name string) (string, error) {
			u, err := user.Lookup(name)
			if err != nil {
				return "", err
			}
			return u.Uid, nil
		})}
	}
	if raw.Group == "" {
		return naslocal.Owner{}
	}
	return naslocal.Owner{Group: true, ID: d.systemID(path+".group", "group", string(raw.Group), func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})}
}

// systemID returns the number of a user or group of this host.
func (d checker) systemID(path, what, text string, lookUp func(name string) (string, error)) uint32 {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return uint32(n)
	}
	id, err := lookUp(text)
	n, numeric := strconv.ParseUint(id, 10, 32)
	if err != nil || numeric != nil {
		d.Fault(path, "there is no %s %s on this host", what, text)
	}
	return uint32(n)
}
