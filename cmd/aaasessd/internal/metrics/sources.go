package metrics

import (
	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/internal/histogram"
	"aaasess/internal/servers"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	naslocal "aaasess/sessions/local"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/radius/dynauth"
	"aaasess/sessions/radius/relay"
	"aaasess/store"
)

// Sources are where the metrics come from. A nil function is a part that the daemon does not have. None
// of them may block.
type Sources struct {
	Version, Commit string
	NotReady        func() []string // why the daemon serves nobody yet, or no more
	Reasons         func() []string // why it is degraded
	Reloads         func() Reloads

	Sessions func() Sessions

	Accounting     func() (nasradius.Stats, []nasradius.AnswerTime)
	Authentication func() (nasradius.AuthStats, []nasradius.AnswerTime)
	DynAuth        func() (nasradius.ChangeStats, []nasradius.AnswerTime)
	Relay          func() (relay.Stats, admission.Stats)
	Changes        func() dynauth.Stats
	Disconnects    func() dae.Stats

	Servers func() *servers.View
	Groups  func() []Group

	Queues       func() []methods.Queue
	Methods      func() []methods.Status
	DeliveryTime func(accounting.MethodName) histogram.Snapshot
	Records      func() accounting.RouterStats
	Interims     func() uint64 // interims that were made for NASes
	SetAside     func() uint64 // records
	WaitingStops func() int    // records that wait for those of nested sessions

	Store  func() store.Space
	Damage func() int // parts that could not be read

	Conditions func() Conditions

	SNMP             func() snmp.Stats
	SNMPOperations   func() []snmp.OperationStats
	Notifications    func() []notify.TargetStats
	AgentX           func() agentx.Stats
	AgentXOperations func() []agentx.OperationStats

	Local func() []naslocal.RequestCount
}

// Reloads counts loads of the configuration file after the start.
type Reloads struct {
	Successes, Failures uint64
	Failed              bool // the last one
}

// Sessions are the statistics of the session table.
type Sessions struct {
	View          *sessions.View
	Calls, Groups int // resource and vrrs
	Refusals      sessions.Refusals
	Stale         uint64            // ended since the start
	Superseded    map[string]uint64 // ended since the start, by attribute
	Stuck         int               // that cannot be ended
}

// Group is a server group with the names of its servers.
type Group struct {
	Protocol servers.Protocol
	Name     string
	Servers  []string
}
