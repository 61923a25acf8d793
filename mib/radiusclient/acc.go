package radiusclient

import (
	"aaasess/internal/servers"
	"aaasess/mib"
)

// accRoot is radiusAccClientMIBObjects.
var accRoot = mib.MustOID("1.3.6.1.2.1.67.2.2.1")

var accIdentity = mib.Identity{
	ID:    mib.MustOID("1.3.6.1.2.1.67.2.2"), // radiusAccClientMIB
	Descr: "RADIUS-ACC-CLIENT-MIB: RADIUS accounting servers and their statistics (RFC 4670)",
}

var accNames = serverNames{
	invalidAddresses: "radiusAccClientInvalidServerAddresses",
	identifier:       "radiusAccClientIdentifier",
	oldAddress:       "radiusAccServerAddress",
	oldPort:          "radiusAccClientServerPortNumber",
	addressType:      "radiusAccServerInetAddressType",
	address:          "radiusAccServerInetAddress",
	port:             "radiusAccClientServerInetPortNumber",
	since:            "radiusAccClientCounterDiscontinuity",
}

// accStatistics are in the order of the columns of both tables.
var accStatistics = []statistic{
	{"radiusAccClientRoundTripTime", "radiusAccClientExtRoundTripTime", mib.TimeTicks, serverRoundTrip},
	counterOf("radiusAccClientRequests", "radiusAccClientExtRequests", func(r *server) uint64 { return r.Requests }),
	counterOf("radiusAccClientRetransmissions", "radiusAccClientExtRetransmissions", func(r *server) uint64 { return r.Retransmissions }),
	counterOf("radiusAccClientResponses", "radiusAccClientExtResponses", func(r *server) uint64 { return r.Responses }),
	counterOf("radiusAccClientMalformedResponses", "radiusAccClientExtMalformedResponses", func(r *server) uint64 { return r.MalformedResponses }),
	counterOf("radiusAccClientBadAuthenticators", "radiusAccClientExtBadAuthenticators", func(r *server) uint64 { return r.BadAuthenticators }),
	{"radiusAccClientPendingRequests", "radiusAccClientExtPendingRequests", mib.Gauge32, serverPending},
	counterOf("radiusAccClientTimeouts", "radiusAccClientExtTimeouts", func(r *server) uint64 { return r.Timeouts }),
	counterOf("radiusAccClientUnknownTypes", "radiusAccClientExtUnknownTypes", func(r *server) uint64 { return r.UnknownTypes }),
	counterOf("radiusAccClientPacketsDropped", "radiusAccClientExtPacketsDropped", func(r *server) uint64 { return r.PacketsDropped }),
}

// NewAcc creates RADIUS-ACC-CLIENT-MIB (RFC 4670). view returns the current view of all servers; it
// returns the same one as long as nothing has changed, or for a short time.
func NewAcc(view func() *servers.View) mib.Part {
	p := &purpose{
		port:             func(e *servers.Entry) uint16 { return e.AcctPort },
		stats:            func(e *servers.Entry) *servers.Stats { return &e.Accounting },
		invalidAddresses: func(v *servers.View) uint64 { return v.InvalidAcctAddresses },
	}
	return &mib.Module[*serverState]{
		Name: "RADIUS-ACC-CLIENT-MIB", Root: accRoot, Identity: accIdentity,
		Pin:     pin(view, p.state),
		Objects: serverObjects(accRoot.Append(1), accNames, accStatistics),
	}
}
