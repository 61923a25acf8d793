package config

import "fmt"

// clients makes the NASes of the file.
func (d *decoder) clients(raw []rawClient) []Client {
	names, prefixes := d.unique(), d.unique()
	clients := make([]Client, 0, len(raw))
	for i, r := range raw {
		path := fmt.Sprintf("radius.clients[%d]", i)
		names.check(path+".name", string(r.Name), "the name of")
		if r.Address.IsValid() {
			prefixes.check(path+".address", r.Address.String(), "the client of")
		}
		c := Client{Name: string(r.Name), Prefix: r.Address, Secret: r.Secret, Disconnect: ClientDisconnect{
			Address: r.Disconnect.Address, Port: uint16(r.Disconnect.Port), Secret: r.Disconnect.Secret,
			SourceAddress: r.Disconnect.SourceAddress,
		}}
		attributes := d.unique()
		for j, a := range r.Disconnect.Attributes {
			attributes.check(fmt.Sprintf("%s.disconnect.attributes[%d]", path, j), string(a), "in")
			c.Disconnect.Attributes = append(c.Disconnect.Attributes, string(a))
		}
		d.checkDisconnectSource(path+".disconnect", &c)
		clients = append(clients, c)
	}
	return clients
}

// checkDisconnectSource finds a source address that is not of the family of where the requests go.
func (d *decoder) checkDisconnectSource(path string, c *Client) {
	from, to, what := c.Disconnect.SourceAddress, c.Disconnect.Address, "disconnect.address"
	if !to.IsValid() {
		if d.faulty(path + ".address") {
			return
		}
		to, what = c.Prefix.Addr(), "the client"
	}
	if from.IsValid() && to.IsValid() && from.Is4() != to.Is4() {
		d.fault(path+".source-address", "%s is %s, but %s has %s, which is %s", from, family(from), what, to, family(to))
	}
}
