package api

// ManagedServers are the servers that SNMP managers have changed on top of the configuration file, by
// SETs of casConfigTable (CISCO-AAA-SERVER-MIB).
type ManagedServers struct {
	Created   []ManagedServer `json:"created"`   // by managers; they are in the group of all servers only
	Destroyed []ManagedServer `json:"destroyed"` // servers of the file that the group of all servers does not have any more
	// GivenUp are changes that do not fit the configuration file, since the daemon started.
	GivenUp []GivenUpServer `json:"givenUp"`
}

// ManagedServer is a server that a manager has created or destroyed.
type ManagedServer struct {
	Protocol Protocol `json:"protocol"`
	Name     string   `json:"name"`
	// Address is that of a server that was created; absent for one of the file.
	Address string `json:"address,omitempty"`
}

// GivenUpServer is a change of a manager that does not count any more.
type GivenUpServer struct {
	Protocol Protocol `json:"protocol"`
	Name     string   `json:"name"`
	Created  bool     `json:"created"` // the manager had created the server; else it had destroyed it
	Reason   string   `json:"reason"`
}

// IsEmpty reports whether there is nothing to show.
func (m *ManagedServers) IsEmpty() bool {
	return len(m.Created)+len(m.Destroyed)+len(m.GivenUp) == 0
}

// Of returns the servers of one protocol.
func (m *ManagedServers) Of(p Protocol) *ManagedServers {
	out := &ManagedServers{Created: []ManagedServer{}, Destroyed: []ManagedServer{}, GivenUp: []GivenUpServer{}}
	for _, s := range m.Created {
		if s.Protocol == p {
			out.Created = append(out.Created, s)
		}
	}
	for _, s := range m.Destroyed {
		if s.Protocol == p {
			out.Destroyed = append(out.Destroyed, s)
		}
	}
	for _, s := range m.GivenUp {
		if s.Protocol == p {
			out.GivenUp = append(out.GivenUp, s)
		}
	}
	return out
}
