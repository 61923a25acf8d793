package radiusclient

import (
	"cmp"
	"encoding/binary"
	"slices"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// serverState is the pinned state of a module about servers.
type serverState struct {
	invalidAddresses uint64 // packets
	identifier       string
	ext              table[server] // the table for all addresses
	ipv4             table[server] // the deprecated one
}

// server is a row of both tables.
type server struct {
	*servers.Stats
	inetAddress
	ipv4      uint32 // in host byte order; only in the deprecated table
	port      uint16
	roundTrip uint32 // TimeTicks
	counted   uint32 // TimeTicks since Stats.CountedSince
}

// purpose is what servers of a module are for.
type purpose struct {
	port  func(*servers.Entry) uint16 // 0: the server is not used for that
	stats func(*servers.Entry) *servers.Stats
	// invalidAddresses is from a View.
	invalidAddresses func(*servers.View) uint64
}

// state makes the state for a view.
func (p *purpose) state(v *servers.View) *serverState {
	s := &serverState{invalidAddresses: p.invalidAddresses(v), identifier: adminString(v.NASIdentifier)}
	var list []*servers.Entry
	for i := range v.Entries {
		if e := &v.Entries[i]; e.Protocol == servers.RADIUS && p.port(e) != 0 {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *servers.Entry) int { return cmp.Compare(a.Number, b.Number) })
	for _, e := range list {
		st := p.stats(e)
		r := server{
			Stats: st, inetAddress: newInetAddress(e.Addr), port: p.port(e),
			roundTrip: roundTrip(st.RoundTripTime),
		}
		if !st.CountedSince.IsZero() {
			r.counted = ticks(st.Discontinuity(v.Now))
		}
		if r.kind == inetIPv4 {
			r.ipv4 = binary.BigEndian.Uint32([]byte(r.octets))
			s.ipv4.add(e.Number, r)
		}
		s.ext.add(e.Number, r)
	}
	return s
}

type (
	serverScalar = mib.Scalar[*serverState]
	serverColumn = mib.Column[*serverState, *server]
)

// statistic is a column that both tables have.
type statistic struct {
	old, ext string // the names
	kind     mib.Type
	get      func(*server, *mib.Value)
}

func counterOf(old, ext string, get func(*server) uint64) statistic {
	return statistic{old, ext, mib.Counter32, func(r *server, v *mib.Value) { v.SetCounter32(get(r)) }}
}

// serverNames has the names of the objects that the modules have in common. The names of columns are in
// their order.
type serverNames struct {
	invalidAddresses, identifier      string
	oldAddress, oldPort               string // of the deprecated table
	addressType, address, port, since string // of the Ext table
}

// serverObjects returns the objects below radiusAccClient or radiusAuthClient.
func serverObjects(client mib.OID, names serverNames, statistics []statistic) []mib.Object[*serverState] {
	oldRows := rowsOf(func(s *serverState) *table[server] { return &s.ipv4 })
	extRows := rowsOf(func(s *serverState) *table[server] { return &s.ext })
	def := func(parent mib.OID, sub int, name string, t mib.Type) mib.Def {
		return mib.Def{Name: name, OID: parent.Append(uint32(sub)), Type: t, Access: mib.ReadOnly}
	}
	oldEntry, extEntry := client.Append(3, 1), client.Append(4, 1)
	old := func(sub int, name string, t mib.Type, get func(*server, *mib.Value)) mib.Object[*serverState] {
		return serverColumn{Def: def(oldEntry, sub, name, t), Rows: oldRows, Get: get}
	}
	ext := func(sub int, name string, t mib.Type, get func(*server, *mib.Value)) mib.Object[*serverState] {
		return serverColumn{Def: def(extEntry, sub, name, t), Rows: extRows, Get: get}
	}
	objects := []mib.Object[*serverState]{
		serverScalar{
			Def: def(client, 1, names.invalidAddresses, mib.Counter32),
			Get: func(s *serverState, v *mib.Value) { v.SetCounter32(s.invalidAddresses) },
		},
		serverScalar{
			Def: def(client, 2, names.identifier, mib.OctetString),
			Get: func(s *serverState, v *mib.Value) { v.SetOctets(s.identifier) },
		},
		old(2, names.oldAddress, mib.IpAddress, func(r *server, v *mib.Value) { v.SetIPAddress(r.ipv4) }),
		old(3, names.oldPort, mib.Integer32, func(r *server, v *mib.Value) { v.SetInteger32(int32(r.port)) }),
		ext(2, names.addressType, mib.Integer32, func(r *server, v *mib.Value) { v.SetInteger32(r.kind) }),
		ext(3, names.address, mib.OctetString, func(r *server, v *mib.Value) { v.SetOctets(r.octets) }),
		ext(4, names.port, mib.Gauge32, func(r *server, v *mib.Value) { v.SetGauge32(uint32(r.port)) }),
	}
	for i, st := range statistics {
		objects = append(objects, old(4+i, st.old, st.kind, st.get), ext(5+i, st.ext, st.kind, st.get))
	}
	return append(objects, ext(5+len(statistics), names.since, mib.TimeTicks, func(r *server, v *mib.Value) { v.SetTimeTicks(r.counted) }))
}

// The statistics that both modules have.
func serverRoundTrip(r *server, v *mib.Value) { v.SetTimeTicks(r.roundTrip) }
func serverPending(r *server, v *mib.Value)   { v.SetGauge32(uint32(max(0, r.PendingRequests))) }
