package relay

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
)

// DefaultList is the list of clients that no entry of Routes.Apply names.
const DefaultList = "default"

// Routes say which groups get the requests of a client. They must not be changed after they have
// been given to a Relay.
type Routes struct {
	// Lists has the methods of each list: names of groups, in order. Requests of a client without a
	// list, or whose list has no methods, are dropped.
	Lists map[string][]string
	// Apply has the list of clients, by the client's name. All others use DefaultList.
	Apply map[string]string
	// Groups has the groups that Lists names. Their Purpose is [client.Authentication].
	Groups map[string]*client.Group
	// Dictionary says which attributes are encrypted. nil means the standard dictionary.
	Dictionary *radius.Dictionary
}

// routes are Routes in use.
type routes struct {
	names   *radius.Dictionary
	lists   map[string][]*method
	apply   map[string]string
	methods map[string]*method
}

// method is a group as a method of lists.
type method struct {
	name  string
	group *client.Group
	*groupCounters
}

// groupCounters belong to the name of a group, so they outlive a reload.
type groupCounters struct {
	counters [groupCounterCount]atomic.Uint64
	inFlight atomic.Int64
	octets   atomic.Int64
}

// newRoutes checks Routes. A group whose name is in old keeps its counters.
func newRoutes(cfg Routes, old *routes) (*routes, error) {
	r := &routes{names: cfg.Dictionary, lists: map[string][]*method{}, apply: maps.Clone(cfg.Apply), methods: map[string]*method{}}
	if r.names == nil {
		r.names = radius.Standard()
	}
	for name, group := range cfg.Groups {
		m := &method{name: name, group: group, groupCounters: &groupCounters{}}
		if old != nil && old.methods[name] != nil {
			m.groupCounters = old.methods[name].groupCounters
		}
		r.methods[name] = m
	}
	for list, groups := range cfg.Lists {
		r.lists[list] = []*method{}
		for _, name := range groups {
			m := r.methods[name]
			if m == nil {
				return nil, fmt.Errorf("relay: list %q: there is no group %q", list, name)
			}
			if slices.Contains(r.lists[list], m) {
				return nil, fmt.Errorf("relay: list %q has group %q twice", list, name)
			}
			r.lists[list] = append(r.lists[list], m)
		}
	}
	for client, list := range cfg.Apply {
		if r.lists[list] == nil {
			return nil, fmt.Errorf("relay: client %q: there is no list %q", client, list)
		}
	}
	return r, nil
}

// of returns the methods of a client, or nil.
func (r *routes) of(client string) []*method {
	if list, ok := r.apply[client]; ok {
		return r.lists[list]
	}
	return r.lists[DefaultList]
}

// withServer returns a method whose group has a server: preferably the one with this name. If there is
// none, it returns nil.
func withServer(methods []*method, name, server string) (found *method) {
	for _, m := range methods {
		if m.group.Has(server) && (found == nil || m.name == name) {
			found = m
		}
	}
	return found
}
