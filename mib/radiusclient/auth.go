package radiusclient

import (
	"aaasess/internal/servers"
	"aaasess/mib"
)

// authRoot is radiusAuthClientMIBObjects.
var authRoot = mib.MustOID("1.3.6.1.2.1.67.1.2.1")

var authIdentity = mib.Identity{
	ID:    mib.MustOID("1.3.6.1.2.1.67.1.2"), // radiusAuthClientMIB
	Descr: "RADIUS-AUTH-CLIENT-MIB: RADIUS authentication servers and their statistics (RFC 4668)",
}

var authNames = serverNames{
	invalidAddresses: "radiusAuthClientInvalidServerAddresses",
	identifier:       "radiusAuthClientIdentifier",
	oldAddress:       "radiusAuthServerAddress",
	oldPort:          "radiusAuthClientServerPortNumber",
	addressType:      "radiusAuthServerInetAddressType",
	address:          "radiusAuthServerInetAddress",
	port:             "radiusAuthClientServerInetPortNumber",
	since:            "radiusAuthClientCounterDiscontinuity",
}

// authStatistics are in the order of the columns of both tables.
var authStatistics = []statistic{
	{"radiusAuthClientRoundTripTime", "radiusAuthClientExtRoundTripTime", mib.TimeTicks, serverRoundTrip},
	counterOf("radiusAuthClientAccessRequests", "radiusAuthClientExtAccessRequests", func(r *server) uint64 { return r.Requests }),
	counterOf("radiusAuthClientAccessRetransmissions", "radiusAuthClientExtAccessRetransmissions", func(r *server) uint64 { return r.Retransmissions }),
	counterOf("radiusAuthClientAccessAccepts", "radiusAuthClientExtAccessAccepts", func(r *server) uint64 { return r.Accepts }),
	counterOf("radiusAuthClientAccessRejects", "radiusAuthClientExtAccessRejects", func(r *server) uint64 { return r.Rejects }),
	counterOf("radiusAuthClientAccessChallenges", "radiusAuthClientExtAccessChallenges", func(r *server) uint64 { return r.Challenges }),
	counterOf("radiusAuthClientMalformedAccessResponses", "radiusAuthClientExtMalformedAccessResponses", func(r *server) uint64 { return r.MalformedResponses }),
	counterOf("radiusAuthClientBadAuthenticators", "radiusAuthClientExtBadAuthenticators", func(r *server) uint64 { return r.BadAuthenticators }),
	{"radiusAuthClientPendingRequests", "radiusAuthClientExtPendingRequests", mib.Gauge32, serverPending},
	counterOf("radiusAuthClientTimeouts", "radiusAuthClientExtTimeouts", func(r *server) uint64 { return r.Timeouts }),
	counterOf("radiusAuthClientUnknownTypes", "radiusAuthClientExtUnknownTypes", func(r *server) uint64 { return r.UnknownTypes }),
	counterOf("radiusAuthClientPacketsDropped", "radiusAuthClientExtPacketsDropped", func(r *server) uint64 { return r.PacketsDropped }),
}

// NewAuth creates RADIUS-AUTH-CLIENT-MIB (RFC 4668). view is as for [NewAcc]. The statistics of a server
// that no authentication uses are zero.
func NewAuth(view func() *servers.View) mib.Part {
	p := &purpose{
		port:             func(e *servers.Entry) uint16 { return e.AuthPort },
		stats:            func(e *servers.Entry) *servers.Stats { return &e.Authentication },
		invalidAddresses: func(v *servers.View) uint64 { return v.InvalidAuthAddresses },
	}
	return &mib.Module[*serverState]{
		Name: "RADIUS-AUTH-CLIENT-MIB", Root: authRoot, Identity: authIdentity,
		Pin:     pin(view, p.state),
		Objects: serverObjects(authRoot.Append(1), authNames, authStatistics),
	}
}
