package api

// DynAuthStatus is the status of the requests of servers to end and change sessions, in a section of a
// [Status].
type DynAuthStatus struct {
	Listener DynAuthListenerStatus `json:"listener"`
	Relay    DynAuthRelayStatus    `json:"relay"`
}

// DynAuthSection is the name of the section of a [DynAuthStatus]. It is missing if the daemon takes no
// such requests.
const DynAuthSection = "dynamicAuthorization"

// DynAuthListenerStatus is the status of the listener for Disconnect-Requests and CoA-Requests.
type DynAuthListenerStatus struct {
	DynAuthListenerCounters
	Servers []DynAuthServerStatus `json:"servers"` // one for each address, in the order of the configuration
}

// DynAuthServerStatus is the status of one address of a server.
type DynAuthServerStatus struct {
	Name    string `json:"name"`
	Address string `json:"address"` // a prefix
	DynAuthListenerCounters
}

// DynAuthListenerCounters count since the daemon started.
type DynAuthListenerCounters struct {
	Requests          uint64 `json:"requests"`          // datagrams received
	Responses         uint64 `json:"responses"`         // answers sent, including repeated ones
	ACKs              uint64 `json:"acks"`              // ACKs among these
	NAKs              uint64 `json:"naks"`              // NAKs among these
	Duplicates        uint64 `json:"duplicates"`        // identical datagrams: answered again, or still in flight
	Malformed         uint64 `json:"malformed"`         // requests that could not be parsed, or are of another code
	BadAuthenticators uint64 `json:"badAuthenticators"` // wrong authenticators: usually a wrong secret
	Stale             uint64 `json:"stale"`             // Event-Timestamp too far from the clock, or missing; and replays
	UnknownClients    uint64 `json:"unknownClients"`    // datagrams from an address of no server; 0 for a server
	Refused           uint64 `json:"refused"`           // requests that were left unanswered
	Dropped           uint64 `json:"dropped"`           // answers that could not be sent
}

// DynAuthRelayStatus says what became of the requests that the listener has passed on.
type DynAuthRelayStatus struct {
	Disconnects uint64 `json:"disconnects"` // Disconnect-Requests, without copies
	CoAs        uint64 `json:"coas"`        // CoA-Requests, without copies
	ACKs        uint64 `json:"acks"`        // of NASes
	NAKs        uint64 `json:"naks"`        // of NASes
	Silent      uint64 `json:"silent"`      // the NAS did not answer
	Incomplete  uint64 `json:"incomplete"`  // refused with 402: nothing identifies a session
	Unknown     uint64 `json:"unknown"`     // 503: no session matches
	Ambiguous   uint64 `json:"ambiguous"`   // 508: several sessions match
	Mismatched  uint64 `json:"mismatched"`  // 403: the session has another NAS
	Prohibited  uint64 `json:"prohibited"`  // 501: the server does not account the session
	Unroutable  uint64 `json:"unroutable"`  // 502: the NAS is no client, or cannot be reached
	Unusable    uint64 `json:"unusable"`    // 404 or 407: several Acct-Session-Ids, or an encrypted value of a wrong length
	Busy        uint64 `json:"busy"`        // 506: a limit was reached
	Stops       uint64 `json:"stops"`       // stop records that aaasess made
	InFlight    int    `json:"inFlight"`    // requests that wait for their answer now
	Waiting     int    `json:"waiting"`     // sessions whose stop aaasess will make if their NAS does not
}
