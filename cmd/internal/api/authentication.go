package api

import "time"

// AuthenticationStatus is the status of the authentication relay, in a section of a [Status].
type AuthenticationStatus struct {
	Listener AuthListenerStatus `json:"listener"`
	Relay    RelayStatus        `json:"relay"`
	Logins   LoginStatus        `json:"logins"`
}

// AuthenticationSection is the name of the section of an [AuthenticationStatus]. It is missing if
// the daemon relays no Access-Requests.
const AuthenticationSection = "authentication"

// AuthListenerStatus is the status of the listener for Access-Requests.
type AuthListenerStatus struct {
	AuthListenerCounters
	Clients []AuthClientStatus `json:"clients"` // in the order of the configuration
}

// AuthClientStatus is the status of a client of the listener.
type AuthClientStatus struct {
	Name    string `json:"name"`
	Address string `json:"address"` // its prefix
	// LastAnswered is when the client got its last answer; absent: never since the daemon started.
	LastAnswered *time.Time `json:"lastAnswered,omitempty"`
	AuthListenerCounters
}

// AuthListenerCounters count since the daemon started.
type AuthListenerCounters struct {
	Requests          uint64 `json:"requests"`          // datagrams received
	Responses         uint64 `json:"responses"`         // answers sent, including repeated ones and those to Status-Servers
	Accepts           uint64 `json:"accepts"`           // Access-Accepts among these, without those to Status-Servers
	Rejects           uint64 `json:"rejects"`           // Access-Rejects among these
	Challenges        uint64 `json:"challenges"`        // Access-Challenges among these
	Duplicates        uint64 `json:"duplicates"`        // identical datagrams: answered again, or still in flight
	Malformed         uint64 `json:"malformed"`         // requests that could not be parsed, or are of another code
	BadAuthenticators uint64 `json:"badAuthenticators"` // wrong Message-Authenticators: usually a wrong secret
	Unsigned          uint64 `json:"unsigned"`          // requests without the Message-Authenticator that they must have
	UnknownClients    uint64 `json:"unknownClients"`    // datagrams from an address of no client; 0 for a client
	StatusServers     uint64 `json:"statusServers"`     // valid Status-Servers
	Refused           uint64 `json:"refused"`           // requests that the relay left unanswered
	Dropped           uint64 `json:"dropped"`           // answers that could not be sent
}

// RelayStatus says what became of the requests that the listener has passed to the relay.
type RelayStatus struct {
	Requests   uint64       `json:"requests"` // without copies
	Accepts    uint64       `json:"accepts"`
	Rejects    uint64       `json:"rejects"`
	Challenges uint64       `json:"challenges"`
	Dropped    RelayDropped `json:"dropped"`
	// UnknownStates counts requests with a State whose server was not known.
	UnknownStates uint64 `json:"unknownStates"`
	// LateRecords counts Access-Rejects that did not wait any longer for their stop record.
	LateRecords uint64       `json:"lateRecords"`
	InFlight    int          `json:"inFlight"` // requests that wait for their answer now
	Octets      int          `json:"octets"`   // of these requests
	States      int          `json:"states"`   // State attributes whose server is known now
	Groups      []RelayGroup `json:"groups"`   // by name
}

// RelayDropped counts requests that got no answer, by reason.
type RelayDropped struct {
	NoList     uint64 `json:"noList"`     // the client has no list
	Blocked    uint64 `json:"blocked"`    // all groups of its list were blocked (R63)
	NoResponse uint64 `json:"noResponse"` // no server answered
	Busy       uint64 `json:"busy"`       // too many requests were in flight
	Unusable   uint64 `json:"unusable"`   // the request could not be rewritten
	Looped     uint64 `json:"looped"`     // it came from this relay
	BadAnswers uint64 `json:"badAnswers"` // the answer could not be rewritten
	Stopped    uint64 `json:"stopped"`    // the relay was stopping, or a reload removed the group
}

// Total returns how many requests were dropped.
func (d *RelayDropped) Total() uint64 {
	return d.NoList + d.Blocked + d.NoResponse + d.Busy + d.Unusable + d.Looped + d.BadAnswers + d.Stopped
}

// RelayGroup is a server group as a method of authentication lists.
type RelayGroup struct {
	Name     string `json:"name"`
	InFlight int    `json:"inFlight"` // requests that the group has now
	Requests uint64 `json:"requests"` // sent to the group
	Answers  uint64 `json:"answers"`  // answered by it
	Silent   uint64 `json:"silent"`   // to which no server of the group responded
	Blocked  uint64 `json:"blocked"`  // not sent to it, because it was blocked
	Skipped  uint64 `json:"skipped"`  // not sent to it, because its servers were dead and the list has another group
	Busy     uint64 `json:"busy"`     // not sent to it, because too many were in flight
}

// LoginStatus counts what authentication has told the sessions.
type LoginStatus struct {
	Waiting    int    `json:"waiting"`    // logins whose accounting has not started
	Octets     int    `json:"octets"`     // what these need
	Accepts    uint64 `json:"accepts"`    // Access-Accepts
	Joined     uint64 `json:"joined"`     // sessions that began with the Access-Accept of their user
	Renewed    uint64 `json:"renewed"`    // Access-Accepts of the users of live sessions
	Rejected   uint64 `json:"rejected"`   // Access-Rejects that were considered for a stop record
	Expired    uint64 `json:"expired"`    // Access-Accepts that no start followed
	Ambiguous  uint64 `json:"ambiguous"`  // starts that fitted several logins, so they got none
	Forgotten  uint64 `json:"forgotten"`  // logins that were forgotten early, because there were too many
	Unnumbered uint64 `json:"unnumbered"` // Access-Requests that were to have a number, while none was durable
}

// Login is a user whom a server has accepted, and whose accounting has not started. A text is
// "" if the NAS did not send it.
type Login struct {
	Kind           string    `json:"kind"`           // that of the session which is to start; resource for a call
	User           string    `json:"user"`           // User-Name of the Access-Accept, else of the request
	NAS            string    `json:"nas"`            // its client's name in the configuration, else as nasIdentifier
	NASIdentifier  string    `json:"nasIdentifier"`  // what the NAS calls itself
	NASAddress     string    `json:"nasAddress"`     // source address of the request
	CallingStation string    `json:"callingStation"` // Calling-Station-Id
	NASPort        *uint32   `json:"nasPort,omitempty"`
	NASPortID      string    `json:"nasPortId"`          // NAS-Port-Id
	Session        string    `json:"session,omitempty"`  // the session ID that is reserved for it; absent: none
	Upstream       string    `json:"upstream,omitempty"` // the Acct-Session-Id in its Access-Request, if aaasess has put it there
	Accepted       time.Time `json:"accepted"`           // RFC 3339, UTC
	Until          time.Time `json:"until"`              // when it counts as a session that never started
	// Attributes are those of the request that say who the user is and where, and Granted those of the
	// Access-Accept that the session will have.
	Attributes []Attribute `json:"attributes"`
	Granted    []Attribute `json:"granted"`
}

// LoginList has the newest logins, newest first.
type LoginList struct {
	// Waiting is how many logins are kept in all, with those that are not accepted yet.
	Waiting int     `json:"waiting"`
	Logins  []Login `json:"logins"`
}
