package config

import (
	"errors"
	"fmt"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
)

// dictionary makes the names of attributes: the built-in ones, and those of the files; nil if a file has a fault.
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

// clients makes the NASes of the file. Without a dictionary their attributes are not checked.
func (d checker) clients(raw []rawClient, dictionary *radius.Dictionary) []Client {
	names, prefixes := d.Unique(), d.Unique()
	clients := make([]Client, 0, len(raw))
	for i, r := range raw {
		path := fmt.Sprintf("radius.clients[%d]", i)
		names.Check(path+".name", string(r.Name), "the name of")
		if r.Address.IsValid() {
			prefixes.Check(path+".address", r.Address.String(), "the client of")
		}
		c := Client{Name: string(r.Name), Prefix: r.Address, Secret: r.Secret, Disconnect: ClientDisconnect{
			Address: r.Disconnect.Address, Port: uint16(r.Disconnect.Port), Secret: r.Disconnect.Secret,
			SourceAddress: r.Disconnect.SourceAddress,
		}}
		for j, a := range r.Disconnect.Attributes {
			c.Disconnect.Attributes = append(c.Disconnect.Attributes, string(a))
			if dictionary == nil {
				continue
			}
			if err := nasradius.CheckAttributes(dictionary, c.Disconnect.Attributes); err != nil {
				d.Fault(fmt.Sprintf("%s.disconnect.attributes[%d]", path, j), "%q: %v", a, errors.Unwrap(err))
				c.Disconnect.Attributes = c.Disconnect.Attributes[:len(c.Disconnect.Attributes)-1]
			}
		}
		d.checkDisconnectSource(path+".disconnect", &c)
		clients = append(clients, c)
	}
	return clients
}

// checkDisconnectSource finds a source address that is not of the family of where the requests go.
func (d checker) checkDisconnectSource(path string, c *Client) {
	from, to, what := c.Disconnect.SourceAddress, c.Disconnect.Address, "disconnect.address"
	if !to.IsValid() {
		if d.Faulty(path + ".address") {
			return
		}
		to, what = c.Prefix.Addr(), "the client"
	}
	if from.IsValid() && to.IsValid() && from.Is4() != to.Is4() {
		d.Fault(path+".source-address", "%s is %s, but %s has %s, which is %s", from, family(from), what, to, family(to))
	}
}
