package api

import "time"

// ServerGroup is a group of accounting servers as JSON (S3: a radius-server-policy). The names of the
// fields stay.
type ServerGroup struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	AcctOnOff   AcctOnOff `json:"acctOnOff"`
	// SourceAddress is where requests leave from; "" leaves that to the system.
	SourceAddress string `json:"sourceAddress"`
	// AccessAlgorithm is direct (the first server that is up) or round-robin.
	AccessAlgorithm string `json:"accessAlgorithm"`
	// HoldDown is for how long a server that failed is skipped, in seconds; 0: none is ever skipped.
	HoldDown Seconds `json:"holdDown"`
	// DeadCriteria is when a server counts as failed; absent: when a record had all its normal
	// transmissions and the server said nothing meanwhile.
	DeadCriteria *DeadCriteria `json:"deadCriteria,omitempty"`
	// Window is how many records may wait for answers at once.
	Window int `json:"window"`
	// DrainRate is at how many records a second a backlog is sent; 0: as fast as the window opens.
	DrainRate float64 `json:"drainRate"`
	// LastManagementChange is when the configuration of the group was last loaded with a change,
	// RFC 3339; absent: not known.
	LastManagementChange time.Time `json:"lastManagementChange,omitzero"`
	// Waiting is how many records wait for the group; absent: not known.
	Waiting *uint64 `json:"waiting,omitempty"`
	// Servers in the order of the configuration.
	Servers []GroupServer `json:"servers"`
}

// AcctOnOff is what a group does with Accounting-On and -Off (R63, S3).
type AcctOnOff struct {
	// Enabled: acct-on-off is configured, be it to send them or to monitor a group.
	Enabled bool `json:"enabled"`
	// Blocked: nothing is sent to the group, as the Accounting-On that it waits for is not answered.
	Blocked bool `json:"blocked"`
	// OperStateChange: the group is blocked until its own Accounting-On is answered.
	OperStateChange bool `json:"operStateChange"`
	// Group is the acct-on-off-group that this one controls; "": none.
	Group string `json:"group"`
	// MonitorGroup is the acct-on-off-group on whose state this one waits; it sends nothing itself
	// then. "": none.
	MonitorGroup string `json:"monitorGroup"`
	// State is how far the sending is.
	State AcctState `json:"state"`
	// SessionID is the Acct-Session-Id of the present sequence of On and Off; "": none yet.
	SessionID string `json:"sessionId"`
	// LastStateChange is when State became what it is, RFC 3339; absent: never.
	LastStateChange time.Time `json:"lastStateChange,omitzero"`
	// Trigger is why the last On or Off was sent, such as startUp; "": none was.
	Trigger string `json:"trigger"`
	// Server is the name of the server that answered; "": none did.
	Server string `json:"server"`
}

// AcctState is the state of Accounting-On and -Off, by the names of S3.
type AcctState string

// The states of S3.
const (
	SendAcctOn   AcctState = "sendAcctOn"  // On is sent until a server answers
	StateOn      AcctState = "on"          // a server has answered On
	SendAcctOff  AcctState = "sendAcctOff" // Off is being sent
	StateOff     AcctState = "off"         // a server has answered Off
	OffNoResp    AcctState = "OffNoResp"   // Off was sent, and nobody answered
	StateUnknown AcctState = "unknown"     // neither has been sent
)

// Sends reports whether the group sends Accounting-On and -Off itself.
func (a *AcctOnOff) Sends() bool { return a.Enabled && a.MonitorGroup == "" }

// DeadCriteria is when a server counts as failed: both must be met (R61).
type DeadCriteria struct {
	Time  Seconds `json:"time"`  // nothing right was heard for so many seconds
	Tries int     `json:"tries"` // timeouts one after the other
}

// GroupServer is a server of a group.
type GroupServer struct {
	Index          int    `json:"index"` // from 1
	Name           string `json:"name"`
	Address        string `json:"address"`
	AccountingPort uint16 `json:"accountingPort"`
	// OperState is unknown (nothing was sent to it yet), up or down.
	OperState string `json:"operState"`
	// Timeout is how long a transmission waits for its answer, in seconds.
	Timeout Seconds `json:"timeout"`
	// Retransmit is how many transmissions follow the first.
	Retransmit int `json:"retransmit"`
	// Backoff is what follows those (R62); absent: nothing.
	Backoff    *Backoff         `json:"backoff,omitempty"`
	Statistics ServerStatistics `json:"statistics"`
}

// Backoff is how transmissions go on after the normal ones: at intervals that double (R62).
type Backoff struct {
	MaxDelay Seconds `json:"maxDelay"` // longest interval, in seconds
	Retry    int     `json:"retry"`    // how many transmissions
}

// ServerStatistics is what was counted of a server since the daemon started: radiusAccServerExtTable
// (RFC 4670), and casStatisticsTable of CISCO-AAA-SERVER-MIB for accounting.
type ServerStatistics struct {
	Requests           uint64 `json:"requests"`           // records sent, without retransmissions
	Retransmissions    uint64 `json:"retransmissions"`    // further transmissions to this server
	Responses          uint64 `json:"responses"`          // datagrams from the server, right or wrong
	Timeouts           uint64 `json:"timeouts"`           // transmissions without an answer in time
	MalformedResponses uint64 `json:"malformedResponses"` // datagrams that are no RADIUS
	BadAuthenticators  uint64 `json:"badAuthenticators"`  // mostly another secret
	Unexpected         uint64 `json:"unexpected"`         // radiusAccClientExtUnknownTypes and -PacketsDropped
	PendingRequests    uint64 `json:"pendingRequests"`    // transmissions that wait for an answer now

	RoundTripTime       Seconds `json:"roundTripTime"`       // of the latest answer; 0: none yet
	AverageResponseTime Seconds `json:"averageResponseTime"` // casAcctResponseTime; 0: none yet

	Successes uint64 `json:"successes"` // casAcctTransactionSuccesses: records that were answered rightly
	Failures  uint64 `json:"failures"`  // casAcctTransactionFailures: records that were not

	StateSince            time.Time `json:"stateSince,omitzero"`   // when OperState became what it is (casCurrentStateDuration)
	PreviousStateDuration Seconds   `json:"previousStateDuration"` // casPreviousStateDuration
	TotalDeadTime         Seconds   `json:"totalDeadTime"`         // casTotalDeadTime
	DeadCount             uint64    `json:"deadCount"`             // casDeadCount: how often it was declared down
	DownUntil             time.Time `json:"downUntil,omitzero"`    // when it is tried again; absent: it is not held down
}

// OnOffGroup is an acct-on-off-group as JSON (S3): who waits for whose Accounting-On.
type OnOffGroup struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Controlling []string `json:"controlling"` // server groups that send Accounting-On, mostly one
	Monitoring  []string `json:"monitoring"`  // server groups that wait for them
}

// ServerGroupList is a part of the server groups, in the order of their names.
type ServerGroupList struct {
	Groups []ServerGroup `json:"groups"`
	Next   string        `json:"next,omitempty"` // what to give as after for the next part; absent: this was the last
}

// OnOffGroupList is a part of the groups of acct-on-off, in the order of their names.
type OnOffGroupList struct {
	Groups []OnOffGroup `json:"groups"`
	Next   string       `json:"next,omitempty"` // as of a ServerGroupList
}

// Action is what a [PerformRequest] has sent.
type Action string

// The actions.
const (
	AcctOn  Action = "acct-on"  // Accounting-On
	AcctOff Action = "acct-off" // Accounting-Off
)

// PerformRequest has an Accounting-On or -Off sent. The body of its request has Force and
// AcctTerminateCause; none means neither.
type PerformRequest struct {
	Group  string `json:"-"` // of the path
	Action Action `json:"-"` // of the path
	// Force sends it even if a server has acknowledged the same already.
	Force bool `json:"force,omitempty"`
	// AcctTerminateCause is that attribute (RFC 2866 section 5.10) of an Accounting-Off; 0 leaves it
	// to the daemon. An Accounting-On has none.
	AcctTerminateCause uint32 `json:"acctTerminateCause,omitempty"`
}
