package overlay

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"aaasess/internal/servers"
)

// version is that of the file's format. Another one is not read: an older program must not lose what
// a newer one has written.
const version = 1

// document is the file.
type document struct {
	Version     int         `json:"version"`
	StateChange bool        `json:"casServerStateChangeEnable"`
	Created     []created   `json:"created"`
	Destroyed   []destroyed `json:"destroyed"`
}

type created struct {
	Protocol string     `json:"protocol"` // radius or tacacs
	Index    uint32     `json:"casIndex"`
	Address  netip.Addr `json:"address"`
	AuthPort uint16     `json:"casAuthenPort"`
	AcctPort uint16     `json:"casAcctPort"`
	Key      []byte     `json:"casKey,omitempty"` // in base64: it may have any octets
}

type destroyed struct {
	Protocol string `json:"protocol"`
	Name     string `json:"name"`
}

// append appends the text of a file.
func (c *content) append(b []byte) ([]byte, error) {
	doc := document{Version: version, StateChange: c.stateChange, Created: []created{}, Destroyed: []destroyed{}}
	for i := range c.overlay.Created {
		e := &c.overlay.Created[i]
		doc.Created = append(doc.Created, created{e.Protocol.String(), e.Index, e.Addr, e.AuthPort, e.AcctPort, []byte(e.Key)})
	}
	for _, e := range c.overlay.Destroyed {
		doc.Destroyed = append(doc.Destroyed, destroyed{e.Protocol.String(), e.Name})
	}
	text, err := json.MarshalIndent(&doc, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(append(b, text...), '\n'), nil
}

var errFormat = errors.New("not a file of servers that managers have changed")

// parse reads the text of a file.
func parse(b []byte) (c content, err error) {
	var doc document
	if err := json.Unmarshal(b, &doc); err != nil {
		// The error could quote a part of a key.
		return content{}, fmt.Errorf("%w: it is not JSON of the right types", errFormat)
	}
	if doc.Version != version {
		return content{}, fmt.Errorf("%w: its version is %d, want %d", errFormat, doc.Version, version)
	}
	c.stateChange = doc.StateChange
	for i := range doc.Created {
		e := &doc.Created[i]
		p, err := protocol(e.Protocol)
		if err != nil {
			return content{}, err
		}
		c.overlay.Created = append(c.overlay.Created, servers.Created{
			Protocol: p, Index: e.Index, Addr: e.Address, AuthPort: e.AuthPort, AcctPort: e.AcctPort, Key: string(e.Key),
		})
	}
	for _, e := range doc.Destroyed {
		p, err := protocol(e.Protocol)
		if err != nil {
			return content{}, err
		}
		c.overlay.Destroyed = append(c.overlay.Destroyed, servers.Key{Protocol: p, Name: e.Name})
	}
	return c, nil
}

// protocol returns the protocol with a name.
func protocol(name string) (servers.Protocol, error) {
	for _, p := range []servers.Protocol{servers.RADIUS, servers.TACACS} {
		if name == p.String() {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%w: protocol %q", errFormat, name)
}
