package api

import "time"

// SpoolStatus is how the records that wait for servers are kept (R60), as JSON.
type SpoolStatus struct {
	Disk Disk `json:"disk"`
	// Queues in the order in which they are to be shown, without that of the records set aside. There
	// is one for each server group, and one for each that is no longer configured but has records.
	Queues []Queue `json:"queues"`
	// SetAside is how many records are set aside.
	SetAside uint64 `json:"setAside"`
	// Damage is what could not be read on the disk and is lost, until it is forgotten by command.
	Damage []Damage `json:"damage"`
}

// Damage is records of a queue, or a part of the daemon's state, that could not be read on the disk.
type Damage struct {
	Queue   string    `json:"queue"`           // "group/NAME" or "local"; "": the state, which the next start will miss
	First   uint64    `json:"first,omitempty"` // numbers of the records in the queue
	Last    uint64    `json:"last,omitempty"`
	Records int64     `json:"records"` // that are lost; of the state how many keys at most, -1: not known
	At      time.Time `json:"at"`      // when it was noticed
	Reason  string    `json:"reason"`
}

// Disk is the place where the spool is. Sizes are octets.
type Disk struct {
	Folder  string `json:"folder"`
	Size    int64  `json:"size"`    // what the daemon's files take
	MaxSize int64  `json:"maxSize"` // what they may take; 0: any
	Free    int64  `json:"free"`    // free for the daemon; -1: the disk doesn't tell
	MinFree int64  `json:"minFree"` // below this new events are refused; 0: never
	// Warning is what runs short, before events have to be refused; "": nothing.
	Warning string `json:"warning"`
	// Accepting is "yes", or why new events are refused now: NASes get no answer and send again.
	Accepting string `json:"accepting"`
}

// Queue is the records that wait for one method.
type Queue struct {
	Queue string `json:"queue"` // "group/NAME" or "local"
	// Configured: the method is in the configuration. One that a reload has removed still delivers as long
	// as live sessions or records name it, or the daemon ends.
	Configured bool      `json:"configured"`
	Records    uint64    `json:"records"`            // that wait
	Bytes      *uint64   `json:"bytes,omitempty"`    // octets that they take; absent: not known
	Oldest     time.Time `json:"oldest,omitzero"`    // when the event of the oldest of them happened; absent: none waits
	Lost       bool      `json:"lost"`               // none of the methods of some of its records runs
	Rerouted   string    `json:"rerouted,omitempty"` // the list that its records go by, as they were told to ([RerouteRequest])
	InFlight   int       `json:"inFlight"`           // records with the method now, of whatever queue
	Delivered  uint64    `json:"delivered"`          // records taken by the method since the start, of whatever queue
	Elsewhere  uint64    `json:"elsewhere"`          // records of the queue taken by other methods of their lists
	Superseded uint64    `json:"superseded"`         // interims dropped as a later record had the same and more
	SetAside   uint64    `json:"setAside"`           // records set aside: refused, damaged or never answered
	Refused    uint64    `json:"refused"`            // those of them that the method refused
	NoResponse uint64    `json:"noResponse"`         // times that nobody answered a record, be its schedule over or not
	DownSince  time.Time `json:"downSince,omitzero"` // since when nobody answers; absent: not down
	NextProbe  time.Time `json:"nextProbe,omitzero"` // when the next record is tried while down; absent: not waiting for that
	Hold       Hold      `json:"hold"`
	Draining   bool      `json:"draining"` // a backlog is being sent, at the drain rate
}

// Hold says whether a queue waits for an Accounting-On (R63).
type Hold string

// The holds.
const (
	HoldOpen Hold = "open" // it does not
	HoldHeld Hold = "held" // nothing is sent before the Accounting-On is answered
	HoldAway Hold = "away" // nobody answers the Accounting-On: records with a next method go there
)

// SetAside is a record that was taken out of its queue: refused by the server, damaged, or never
// answered while others were. The names in it come from the network.
type SetAside struct {
	Seq     uint64    `json:"seq"`     // its number, from 1, never used again
	From    string    `json:"from"`    // the queue that it was in
	At      time.Time `json:"at"`      // when it was set aside, RFC 3339
	Reason  string    `json:"reason"`  // why
	Session string    `json:"session"` // Acct-Session-Id, eight hex digits; "" if it is damaged
	Type    string    `json:"type"`    // start, interim or stop; "" if it is damaged
	List    string    `json:"list"`    // accounting type and method list, "network/default"
	User    string    `json:"user"`    // User-Name; "" if there is none
	// Attributes in the order of sending; only when one record is asked for.
	Attributes []Attribute `json:"attributes,omitempty"`
	// Raw is the octets of a damaged record in hex; only when one record is asked for.
	Raw string `json:"raw,omitempty"`
}

// Attribute is one attribute of a record as text.
type Attribute struct {
	Name  string `json:"name"`  // of RFC 2865..2869, or its number
	Value string `json:"value"` // text, number, address, or hex with 0x
}

// SetAsideList is a part of the records that are set aside, in the order of Seq.
type SetAsideList struct {
	Records []SetAside `json:"records"`
	Next    uint64     `json:"next,omitempty"` // what to give as after for the next part; absent: this was the last
}

// RecordsRequest says which of the records set aside are meant: Seqs or All, one of them.
type RecordsRequest struct {
	// Seqs are at most MaxSeqs. All are worked on, or none if one of them is not there.
	Seqs []uint64 `json:"seqs,omitempty"`
	// All means all that are set aside.
	All bool `json:"all,omitempty"`
}

// RecordsAnswer is the answer to a [RecordsRequest] or [RerouteRequest].
type RecordsAnswer struct {
	Records int `json:"records"` // how many were replayed or dropped, or wait in the queue that was rerouted
}

// ForgetAnswer says how many entries of [SpoolStatus] Damage were forgotten.
type ForgetAnswer struct {
	Entries int `json:"entries"`
}

// RerouteRequest has the records of a queue whose method is not configured any more go by a method list
// (R60): those that wait, and those that come to it later. It holds until the method is configured again.
type RerouteRequest struct {
	// Queue is where the records wait, as in [Queue]: "group/NAME" or "local". They stay there, and so
	// those of a session stay in order.
	Queue string `json:"queue"`
	// List is the accounting type and name of a method list, "network/default". The records go to its
	// methods, those that it has when they are sent, behind the methods of their own lists.
	List string `json:"list"`
}
