package radiusclient

import (
	"aaasess/mib"
	"aaasess/sessions/radius/dae"
)

// dynAuthRoot is radiusDynAuthClientMIBObjects.
var dynAuthRoot = mib.MustOID("1.3.6.1.2.1.145.1")

var dynAuthIdentity = mib.Identity{
	ID:    mib.MustOID("1.3.6.1.2.1.145"), // radiusDynAuthClientMIB
	Descr: "RADIUS-DYNAUTH-CLIENT-MIB: Disconnect-Requests and CoA-Requests to NASes (RFC 4672)",
}

// dynAuthState is the pinned state of the module.
type dynAuthState struct {
	view  *dae.NASView
	nases table[nas]
}

// nas is a row of radiusDynAuthServerTable.
type nas struct {
	*dae.NASStats
	inetAddress
	identifier         string
	roundTrip, counted uint32 // TimeTicks
}

func newDynAuthState(v *dae.NASView) *dynAuthState {
	s := &dynAuthState{view: v, nases: table[nas]{make([]uint32, 0, len(v.List)), make([]nas, 0, len(v.List))}}
	for i := range v.List {
		st := &v.List[i]
		s.nases.add(st.Index, nas{
			NASStats: st, inetAddress: newInetAddress(st.Addr.Addr()), identifier: adminString(st.Identifier),
			roundTrip: roundTrip(st.RoundTripTime), counted: ticks(v.Now.Sub(st.Since)),
		})
	}
	return s
}

// messageStatistic is a column about Disconnect-Requests and one about CoA-Requests.
type messageStatistic struct {
	disconnect, coa string // the names
	kind            mib.Type
	get             func(*dae.MessageStats) uint64
}

// messageStatistics are in the order of the columns.
var messageStatistics = []messageStatistic{
	{"radiusDynAuthClientDisconRequests", "radiusDynAuthClientCoARequests", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.Requests }},
	{"radiusDynAuthClientDisconAuthOnlyRequests", "radiusDynAuthClientCoAAuthOnlyRequest", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.AuthorizeOnlyRequests }},
	{"radiusDynAuthClientDisconRetransmissions", "radiusDynAuthClientCoARetransmissions", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.Retransmissions }},
	{"radiusDynAuthClientDisconAcks", "radiusDynAuthClientCoAAcks", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.ACKs }},
	{"radiusDynAuthClientDisconNaks", "radiusDynAuthClientCoANaks", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.NAKs }},
	{"radiusDynAuthClientDisconNakAuthOnlyRequest", "radiusDynAuthClientCoANakAuthOnlyRequest", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.AuthorizeOnlyNAKs }},
	{"radiusDynAuthClientDisconNakSessNoContext", "radiusDynAuthClientCoANakSessNoContext", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.NoContextNAKs }},
	{"radiusDynAuthClientMalformedDisconResponses", "radiusDynAuthClientMalformedCoAResponses", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.Malformed }},
	{"radiusDynAuthClientDisconBadAuthenticators", "radiusDynAuthClientCoABadAuthenticators", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.BadAuthenticators }},
	{"radiusDynAuthClientDisconPendingRequests", "radiusDynAuthClientCoAPendingRequests", mib.Gauge32, func(m *dae.MessageStats) uint64 { return m.Pending }},
	{"radiusDynAuthClientDisconTimeouts", "radiusDynAuthClientCoATimeouts", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.Timeouts }},
	{"radiusDynAuthClientDisconPacketsDropped", "radiusDynAuthClientCoAPacketsDropped", mib.Counter32, func(m *dae.MessageStats) uint64 { return m.Dropped }},
}

type (
	dynAuthScalar = mib.Scalar[*dynAuthState]
	dynAuthColumn = mib.Column[*dynAuthState, *nas]
)

// NewDynAuth creates RADIUS-DYNAUTH-CLIENT-MIB (RFC 4672). view returns the statistics of all NASes:
// [dae.Disconnector.NASView].
func NewDynAuth(view func() *dae.NASView) mib.Part {
	return &mib.Module[*dynAuthState]{
		Name: "RADIUS-DYNAUTH-CLIENT-MIB", Root: dynAuthRoot, Identity: dynAuthIdentity,
		Pin:     pin(view, newDynAuthState),
		Objects: dynAuthObjects(),
	}
}

func dynAuthObjects() []mib.Object[*dynAuthState] {
	scalars, entry := dynAuthRoot.Append(1), dynAuthRoot.Append(2, 1)
	rows := rowsOf(func(s *dynAuthState) *table[nas] { return &s.nases })
	scalar := func(sub uint32, name string, get func(*dae.NASView) uint64) mib.Object[*dynAuthState] {
		return dynAuthScalar{
			Def: mib.Def{Name: name, OID: scalars.Append(sub), Type: mib.Counter32, Access: mib.ReadOnly},
			Get: func(s *dynAuthState, v *mib.Value) { v.SetCounter32(get(s.view)) },
		}
	}
	sub := uint32(1) // radiusDynAuthServerIndex is not accessible
	column := func(name string, t mib.Type, get func(*nas, *mib.Value)) mib.Object[*dynAuthState] {
		sub++
		return dynAuthColumn{Def: mib.Def{Name: name, OID: entry.Append(sub), Type: t, Access: mib.ReadOnly}, Rows: rows, Get: get}
	}
	objects := []mib.Object[*dynAuthState]{
		scalar(1, "radiusDynAuthClientDisconInvalidServerAddresses", func(v *dae.NASView) uint64 { return v.InvalidDisconnectAddresses }),
		scalar(2, "radiusDynAuthClientCoAInvalidServerAddresses", func(v *dae.NASView) uint64 { return v.InvalidCoAAddresses }),
		column("radiusDynAuthServerAddressType", mib.Integer32, func(r *nas, v *mib.Value) { v.SetInteger32(r.kind) }),
		column("radiusDynAuthServerAddress", mib.OctetString, func(r *nas, v *mib.Value) { v.SetOctets(r.octets) }),
		column("radiusDynAuthServerClientPortNumber", mib.Gauge32, func(r *nas, v *mib.Value) { v.SetGauge32(uint32(r.Addr.Port())) }),
		column("radiusDynAuthServerID", mib.OctetString, func(r *nas, v *mib.Value) { v.SetOctets(r.identifier) }),
		column("radiusDynAuthClientRoundTripTime", mib.TimeTicks, func(r *nas, v *mib.Value) { v.SetTimeTicks(r.roundTrip) }),
	}
	set := func(t mib.Type, v *mib.Value, n uint64) {
		if t == mib.Gauge32 {
			v.SetGauge32(uint32(n))
		} else {
			v.SetCounter32(n)
		}
	}
	for _, st := range messageStatistics {
		objects = append(objects, column(st.disconnect, st.kind, func(r *nas, v *mib.Value) { set(st.kind, v, st.get(&r.Disconnect)) }))
	}
	for _, st := range messageStatistics {
		objects = append(objects, column(st.coa, st.kind, func(r *nas, v *mib.Value) { set(st.kind, v, st.get(&r.CoA)) }))
	}
	return append(objects,
		column("radiusDynAuthClientUnknownTypes", mib.Counter32, func(r *nas, v *mib.Value) { v.SetCounter32(r.UnknownTypes) }),
		column("radiusDynAuthClientCounterDiscontinuity", mib.TimeTicks, func(r *nas, v *mib.Value) { v.SetTimeTicks(r.counted) }))
}
