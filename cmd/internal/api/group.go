package api

import "time"

// GroupMethod returns the name of the method of a server group, as events and explanations have it.
func GroupMethod(name string) string { return "group " + name }

// GroupQueue returns the name of the queue of a server group, as a [Queue] has it.
func GroupQueue(name string) string { return "group/" + name }

// ServerGroup is the JSON form of a group of servers (S3: a radius-server-policy). The names of the
// fields never change.
type ServerGroup struct {
	Name string `json:"name"`
	// Protocol is that of all servers of the group.
	Protocol    Protocol  `json:"protocol"`
	Description string    `json:"description"`
	AcctOnOff   AcctOnOff `json:"acctOnOff"`
	// RelaysLogins: Access-Requests are relayed to the group.
	RelaysLogins bool `json:"relaysLogins,omitempty"`
	// SourceAddress is the source address of requests; "" lets the system choose.
	SourceAddress string `json:"sourceAddress"`
	// AccessAlgorithm is direct (the first server that is up), round-robin or least-outstanding. It is
	// direct for TACACS+.
	AccessAlgorithm string `json:"accessAlgorithm"`
	// BatchSize is how many records in a row go to one server with least-outstanding; absent with
	// the other algorithms.
	BatchSize int `json:"batchSize,omitempty"`
	// HoldDown is the time that a failed server is skipped; 0: no server is skipped.
	HoldDown Seconds `json:"holdDown"`
	// DeadCriteria says when a server counts as failed. Absent: when a record had all its normal
	// transmissions, and nothing was heard from the server since the first of them.
	DeadCriteria *DeadCriteria `json:"deadCriteria,omitempty"`
	// Window is the number of records that may wait for answers at the same time.
	Window int `json:"window"`
	// DrainRate is the rate at which a backlog is sent, in records a second; 0: no limit but
	// Window.
	DrainRate float64 `json:"drainRate"`
	// LastManagementChange is the last time that a changed configuration of the group was loaded;
	// absent: unknown.
	LastManagementChange time.Time `json:"lastManagementChange,omitzero"`
	// Waiting is the number of records that wait for the group; absent: unknown.
	Waiting *uint64 `json:"waiting,omitempty"`
	// Servers are in the order of the configuration.
	Servers []GroupServer `json:"servers"`
	// Managed is what SNMP managers have changed of a group of all servers of a protocol; absent:
	// nothing.
	Managed *ManagedServers `json:"managed,omitempty"`
}

// Protocol is what a server understands.
type Protocol string

// The protocols.
const (
	RADIUS Protocol = "radius"
	TACACS Protocol = "tacacs+"
)

// AcctOnOff is the state of Accounting-On and -Off of a group (R63, S3), and of the system records of
// a TACACS+ group.
type AcctOnOff struct {
	// Enabled: acct-on-off is configured. The group sends On and Off, or monitors another group.
	Enabled bool `json:"enabled"`
	// Blocked: records wait until the Accounting-On is answered that the group waits for.
	Blocked bool `json:"blocked"`
	// OperStateChange: the group is blocked until its own Accounting-On is answered.
	OperStateChange bool `json:"operStateChange"`
	// Group is the acct-on-off-group that this server group controls; "": none.
	Group string `json:"group"`
	// MonitorGroup is the acct-on-off-group that this server group waits for. If it is set, the
	// server group sends neither On nor Off itself. "": none.
	MonitorGroup string `json:"monitorGroup"`
	// After is the first method of the system list, if this group is a later one: the group gets the
	// Accounting-On only if the methods before it do not answer, and waits for it. "": it is none.
	After string `json:"after,omitempty"`
	// State is the state of the sending.
	State AcctState `json:"state"`
	// SessionID is the Acct-Session-Id of the current On and Off; "": none yet.
	SessionID string `json:"sessionId"`
	// LastStateChange is when State last changed; absent: never.
	LastStateChange time.Time `json:"lastStateChange,omitzero"`
	// Trigger is why the last On or Off was sent, such as startUp; "": none was sent.
	Trigger string `json:"trigger"`
	// Server is the name of the server that answered; "": none has.
	Server string `json:"server"`
}

// AcctState is the state of Accounting-On and -Off, by the names of S3.
type AcctState string

// The states of S3.
const (
	SendAcctOn   AcctState = "sendAcctOn"  // On is being sent, until a server answers
	StateOn      AcctState = "on"          // a server has answered On
	SendAcctOff  AcctState = "sendAcctOff" // Off is being sent
	StateOff     AcctState = "off"         // a server has answered Off
	OffNoResp    AcctState = "OffNoResp"   // Off was sent, and no server answered
	StateUnknown AcctState = "unknown"     // neither has been sent
)

// Sends reports whether the group sends Accounting-On and -Off itself.
func (a *AcctOnOff) Sends() bool { return a.Enabled && a.MonitorGroup == "" && a.After == "" }

// DeadCriteria says when a server counts as failed (R61). Both conditions must hold.
type DeadCriteria struct {
	Time  Seconds `json:"time"`  // no valid answer for this time
	Tries int     `json:"tries"` // consecutive timeouts
}

// GroupServer is a server of a group.
type GroupServer struct {
	Index          int    `json:"index"` // from 1
	Name           string `json:"name"`
	Address        string `json:"address"`
	AccountingPort uint16 `json:"accountingPort"`
	// AuthenticationPort is where Access-Requests go; absent: the group does not authenticate.
	AuthenticationPort uint16 `json:"authenticationPort,omitempty"`
	// Created: an SNMP manager has created the server. It is not in the configuration file.
	Created bool `json:"created,omitempty"`
	// OperState is unknown (nothing was sent to it yet), up or down: that of its port for accounting, and
	// without one that of its port for authentication.
	OperState string `json:"operState"`
	// State is that of the server as a whole; absent: unknown.
	State *ServerState `json:"state,omitempty"`
	// Timeout is how long a transmission waits for its answer.
	Timeout Seconds `json:"timeout"`
	// Retransmit is the number of transmissions after the first one.
	Retransmit int `json:"retransmit"`
	// Backoff describes the transmissions after those (R62); absent: there are none.
	Backoff *Backoff `json:"backoff,omitempty"`
	// Statistics are those of accounting.
	Statistics ServerStatistics `json:"statistics"`
	// Authentication are the statistics of authentication; absent: the group does not authenticate.
	Authentication *AuthenticationStatistics `json:"authentication,omitempty"`
	// Test says how the server is tested when it is idle or down; absent: it is not.
	Test *ServerTest `json:"test,omitempty"`
	// TACACS has what only TACACS+ servers have; absent for a RADIUS server.
	TACACS *TACACSServer `json:"tacacs,omitempty"`
}

// ServerState is the state of a server as network management sees it (CISCO-AAA-SERVER-MIB): it is down
// while a port is down that a group uses, and up otherwise.
type ServerState struct {
	OperState        string    `json:"operState"`        // up or down (casState)
	Since            time.Time `json:"since"`            // of this state (casCurrentStateDuration)
	PreviousDuration Seconds   `json:"previousDuration"` // of the state before; 0: there was none (casPreviousStateDuration)
	TotalDeadTime    Seconds   `json:"totalDeadTime"`    // how long it was down in all (casTotalDeadTime)
	DeadCount        uint64    `json:"deadCount"`        // how often it was declared down (casDeadCount)
}

// ServerTest describes the test requests to a RADIUS server that is idle or down (S4).
type ServerTest struct {
	// Username is the user of the test requests; "" if they are Status-Servers (RFC 5997).
	Username string `json:"username"`
	// IdleTime is how long a port has no valid answer before it is tested.
	IdleTime Seconds `json:"idleTime"`
	// AuthenticationPort and AccountingPort say which ports are tested, if they are used.
	AuthenticationPort bool `json:"authenticationPort"`
	AccountingPort     bool `json:"accountingPort"`
}

// TACACSServer has the settings and counters that a TACACS+ server has beside those of a RADIUS
// server (RFC 8907).
type TACACSServer struct {
	// SingleConnection: the server is asked to take many records over one connection.
	SingleConnection bool `json:"singleConnection"`
	// Agreed: it has agreed to that, by its latest answer that could, and keeps to it.
	Agreed bool `json:"agreed"`
	// MaxConnections is how many connections to the server may be open.
	MaxConnections int `json:"maxConnections"`
	// Watchdog is the flags of interims: with-start or plain.
	Watchdog    string `json:"watchdog"`
	Connections int    `json:"connections"` // open now
	Opened      uint64 `json:"opened"`      // connections in all
	Failed      uint64 `json:"failed"`      // connections that could not be opened, or ended before an answer
	Errors      uint64 `json:"errors"`      // answers with status ERROR
	Follows     uint64 `json:"follows"`     // answers with status FOLLOW
}

// Backoff describes transmissions at intervals that double, after the normal ones (R62).
type Backoff struct {
	MaxDelay Seconds `json:"maxDelay"` // longest interval
	Retry    int     `json:"retry"`    // number of transmissions
}

// ServerCounters count what a server was sent for one purpose, and what it answered, since CountedSince:
// they are those of radiusAccServerExtTable (RFC 4670) or radiusAuthServerExtTable (RFC 4668), and those
// of casStatisticsTable (CISCO-AAA-SERVER-MIB). For a TACACS+ server they count packets in the place of
// datagrams. A request is a record, or an Access-Request. Status-Server counts in Tests, TestsFailed and
// StatusServer only.
type ServerCounters struct {
	// CountedSince is when the counters began, or when the daemon started if it had not ended orderly
	// before (radiusAccClientCounterDiscontinuity, radiusAuthClientCounterDiscontinuity); absent: unknown.
	CountedSince time.Time `json:"countedSince,omitzero"`

	Requests           uint64 `json:"requests"`           // requests sent, without retransmissions
	Retransmissions    uint64 `json:"retransmissions"`    // further transmissions to this server
	Responses          uint64 `json:"responses"`          // datagrams from the server, valid or not
	Timeouts           uint64 `json:"timeouts"`           // transmissions without an answer in time
	MalformedResponses uint64 `json:"malformedResponses"` // datagrams that are not valid RADIUS packets
	BadAuthenticators  uint64 `json:"badAuthenticators"`  // usually because of a wrong secret; for TACACS+, a wrong key
	Unexpected         uint64 `json:"unexpected"`         // UnknownTypes and PacketsDropped
	UnknownTypes       uint64 `json:"unknownTypes"`       // datagrams whose code is none of an answer on this port
	PacketsDropped     uint64 `json:"packetsDropped"`     // answers for which nothing waits, mostly copies
	LateResponses      uint64 `json:"lateResponses"`      // valid answers to transmissions that had timed out
	PendingRequests    uint64 `json:"pendingRequests"`    // transmissions that wait for an answer now

	RoundTripTime       Seconds `json:"roundTripTime"`       // of the last answer; 0: none yet
	AverageResponseTime Seconds `json:"averageResponseTime"` // casAcctResponseTime or casAuthenResponseTime; 0: none yet
	TimedResponses      uint64  `json:"timedResponses"`      // answers in time, of which that is the mean

	// MaxResponseTime is the longest RoundTripTime; 0: none yet.
	MaxResponseTime Seconds `json:"maxResponseTime"`

	Tests       uint64 `json:"tests"`       // requests of the server's test, which Requests has too unless they are Status-Servers
	TestsFailed uint64 `json:"testsFailed"` // those without a valid answer
	// StatusServer counts the packets of those that are Status-Servers; absent: there were none.
	StatusServer *StatusServerCounters `json:"statusServer,omitempty"`

	Successes uint64 `json:"successes"` // requests with a valid answer (casAcctTransactionSuccesses)
	Failures  uint64 `json:"failures"`  // requests without one (casAcctTransactionFailures)
}

// StatusServerCounters count Status-Servers (RFC 5997).
type StatusServerCounters struct {
	Sent      uint64 `json:"sent"`      // with retransmissions
	Responses uint64 `json:"responses"` // valid or not
	Timeouts  uint64 `json:"timeouts"`  // transmissions without an answer in time
}

// ServerStatistics are the counters of a server for one purpose, and the history of its state. A RADIUS
// server has a state for each of its ports: if one is dead, the other is suspected, until one answers.
type ServerStatistics struct {
	ServerCounters
	StateSince            time.Time `json:"stateSince,omitzero"`   // when OperState last changed
	PreviousStateDuration Seconds   `json:"previousStateDuration"` // how long it was in the state before
	TotalDeadTime         Seconds   `json:"totalDeadTime"`         // how long it was down in all
	DeadCount             uint64    `json:"deadCount"`             // how often it was declared down
	DownUntil             time.Time `json:"downUntil,omitzero"`    // end of the hold down; absent: the server is not held down
}

// AuthenticationStatistics are the counters of authentication. A server that has rejected a user has
// answered: its request counts in Successes.
type AuthenticationStatistics struct {
	ServerStatistics
	// OperState is that of the port for authentication.
	OperState  string `json:"operState"`
	Accepts    uint64 `json:"accepts"`    // Access-Accepts, valid or not
	Rejects    uint64 `json:"rejects"`    // Access-Rejects, valid or not
	Challenges uint64 `json:"challenges"` // Access-Challenges, valid or not
}

// OnOffGroup is the JSON form of an acct-on-off-group (S3).
type OnOffGroup struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Controlling []string `json:"controlling"` // server groups that send the Accounting-On, usually one
	Monitoring  []string `json:"monitoring"`  // server groups that wait for it
}

// ServerGroupList is a part of the server groups, in the order of their names.
type ServerGroupList struct {
	Groups []ServerGroup `json:"groups"`
	Next   string        `json:"next,omitempty"` // the parameter after for the next part; absent in the last part
}

// OnOffGroupList is a part of the acct-on-off-groups, in the order of their names.
type OnOffGroupList struct {
	Groups []OnOffGroup `json:"groups"`
	Next   string       `json:"next,omitempty"` // as in a ServerGroupList
}

// Action is the message that a [PerformRequest] has sent.
type Action string

// The actions.
const (
	AcctOn  Action = "acct-on"  // Accounting-On
	AcctOff Action = "acct-off" // Accounting-Off
)

// PerformRequest has an Accounting-On or -Off sent. The path has Group and Action. The body has the
// other fields; an empty body sets neither.
type PerformRequest struct {
	Group  string `json:"-"`
	Action Action `json:"-"`
	// Force sends the message even if a server has already acknowledged one.
	Force bool `json:"force,omitempty"`
	// AcctTerminateCause is the attribute of an Accounting-Off (RFC 2866 section 5.10); 0 lets the
	// daemon choose. An Accounting-On has none.
	AcctTerminateCause uint32 `json:"acctTerminateCause,omitempty"`
}
