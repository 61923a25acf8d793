package config

import (
	"errors"
	"fmt"
	"slices"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/silence"
)

// dictionary returns the dictionary of the built-in names and of the files, or nil if a file has a
// fault.
func (d checker) dictionary(files []strictyaml.Path) *radius.Dictionary {
	names := radius.Standard()
	for i, file := range files {
		var err error
		if names, err = names.With(string(file)); err != nil {
			d.Fault(fmt.Sprintf("radius.dictionaries[%d]", i), "%v", err)
			return nil
		}
	}
	return names
}

// clients returns the NASes of the file. Without a dictionary it does not check their attributes.
func (d checker) clients(raw []rawClient, onePerStation bool, dictionary *radius.Dictionary) []nasradius.Client {
	names, prefixes := d.Unique(), d.Unique()
	clients := make([]nasradius.Client, 0, len(raw))
	for i, r := range raw {
		path := fmt.Sprintf("radius.clients[%d]", i)
		names.Check(path+".name", string(r.Name), "the name of")
		if r.Address.IsValid() {
			prefixes.Check(path+".address", r.Address.String(), "the client of")
		}
		d.checkDisconnectSource(path+".disconnect", &r)
		if r.Disconnect.Profile == dae.ProfileNone && len(r.Disconnect.Attributes) > 0 {
			d.Fault(path+".disconnect.attributes", "profile none sends no requests")
		}
		clients = append(clients, nasradius.Client{
			Unique: uniqueTypes(r.RebootSign, onePerStation),
			Name:   string(r.Name), Prefix: r.Address, Secret: radius.Secret(r.Secret), Dictionary: dictionary, Kind: r.Kind, Signing: r.Signing,
			DisconnectAddr: r.Disconnect.Address, DisconnectPort: r.Disconnect.Port,
			DisconnectProfile: r.Disconnect.Profile,
			DisconnectSecret:  radius.Secret(r.Disconnect.Secret), DisconnectSource: r.Disconnect.SourceAddress,
			DisconnectAttributes: d.attributes(path+".disconnect.attributes", r.Disconnect.Attributes, dictionary),
		})
	}
	return clients
}

// attributes checks the attributes of Disconnect-Requests. It adds them one by one, so that a fault
// has the place of the attribute that causes it.
func (d checker) attributes(path string, raw []attributeText, dictionary *radius.Dictionary) (names []string) {
	if dictionary == nil {
		return nil
	}
	for i, a := range raw {
		more := append(names, string(a))
		if err := dae.CheckAttributes(dictionary, more); err != nil {
			d.Fault(fmt.Sprintf("%s[%d]", path, i), "%q: %v", a, errors.Unwrap(err))
			continue
		}
		names = more
	}
	return names
}

// checkDisconnectSource checks that the source address has the family of the destination.
func (d checker) checkDisconnectSource(path string, c *rawClient) {
	from, to, what := c.Disconnect.SourceAddress, c.Disconnect.Address, "disconnect.address"
	if !to.IsValid() {
		if d.Faulty(path + ".address") {
			return
		}
		to, what = c.Address.Addr(), "the client"
	}
	if from.IsValid() && to.IsValid() && from.Is4() != to.Is4() {
		d.Fault(path+".source-address", "%s is %s, but %s has %s, which is %s", from, family(from), what, to, family(to))
	}
}

// uniqueTypes returns the attributes of reboot-sign, and that of one-per-station.
func uniqueTypes(signs []string, onePerStation bool) (types []radius.Type) {
	for _, sign := range signs {
		switch sign {
		case "nas-port":
			types = append(types, radius.NASPort)
		case "framed-ip-address":
			types = append(types, radius.FramedIPAddress)
		case "calling-station-id":
			types = append(types, radius.CallingStationID)
		}
	}
	if onePerStation && !slices.Contains(types, radius.CallingStationID) {
		types = append(types, radius.CallingStationID)
	}
	return types
}

// Unique returns all attributes that are unique at some client.
func (c *Config) Unique() (types []radius.Type) {
	for i := range c.Listener.Clients {
		types = append(types, c.Listener.Clients[i].Unique...)
	}
	return types
}

// stale returns when sessions are stale.
func (raw *rawConfig) stale() Stale {
	of := Stale{Limits: silence.Limits(raw.Sessions.Stale), Clients: map[string]silence.Limits{}}
	for _, r := range raw.RADIUS.Clients {
		limits := of.Limits
		if r.Stale.Intervals != nil {
			limits.Intervals = *r.Stale.Intervals
		}
		if r.Stale.MaxAge != nil {
			limits.MaxAge = *r.Stale.MaxAge
		}
		if limits != of.Limits {
			of.Clients[string(r.Name)] = limits
		}
	}
	return of
}
