package api

import "time"

// SpoolStatus is the JSON form of the status of the spool, the records that wait for servers (R60).
type SpoolStatus struct {
	Disk Disk `json:"disk"`
	// Queues are in the order to show them. There is one for each configured method, and one for
	// each method that is no longer configured but has records.
	Queues []Queue `json:"queues"`
	// SetAside is the number of set-aside records.
	SetAside uint64 `json:"setAside"`
	// Damage is what could not be read from the disk and is lost. "aaasess spool forget-damage"
	// clears it.
	Damage []Damage `json:"damage"`
}

// Damage describes records of a queue, or a part of the daemon's state, that could not be read from
// the disk.
type Damage struct {
	Queue   string    `json:"queue"`           // "group/NAME" or "local"; "": the state, which is lost at the next start
	First   uint64    `json:"first,omitempty"` // number of the first lost record in the queue
	Last    uint64    `json:"last,omitempty"`  // number of the last one
	Records int64     `json:"records"`         // number of lost records; of the state: of keys at most, -1 if unknown
	At      time.Time `json:"at"`              // when it was detected
	Reason  string    `json:"reason"`
}

// Disk is the disk of the spool. Sizes are in octets.
type Disk struct {
	Folder  string `json:"folder"`
	Size    int64  `json:"size"`    // size of the daemon's files
	MaxSize int64  `json:"maxSize"` // limit of Size; 0: none
	Free    int64  `json:"free"`    // free space for the daemon; -1: unknown
	MinFree int64  `json:"minFree"` // minimum of Free; 0: none
	// Warning is set when Free is below WarnFree or Size is above WarnSize. Once the daemon rejects
	// events, it accepts them again when Free is at least AcceptFree and Size is at most AcceptSize.
	// 0: no limit.
	WarnFree   int64 `json:"warnFree"`
	WarnSize   int64 `json:"warnSize"`
	AcceptFree int64 `json:"acceptFree"`
	AcceptSize int64 `json:"acceptSize"`
	// Warning says why the daemon may soon have to reject events; "": no reason.
	Warning string `json:"warning"`
	// Accepting is "yes", or why the daemon rejects new events now: it does not answer the NASes,
	// which retransmit.
	Accepting string `json:"accepting"`
}

// Queue is the records that wait for one method.
type Queue struct {
	Queue string `json:"queue"` // "group/NAME" or "local"
	// Configured: the method is in the configuration. After a reload that removed it, a method
	// still delivers as long as live sessions or records name it.
	Configured bool   `json:"configured"`
	Records    uint64 `json:"records"` // records that wait
	// Bytes is the octets of these records; of more than 4096 an estimate. Absent: unknown.
	Bytes      *uint64   `json:"bytes,omitempty"`
	Oldest     time.Time `json:"oldest,omitzero"`    // time of the event of the oldest waiting record; absent: none waits
	Lost       bool      `json:"lost"`               // some records have no running method
	Rerouted   string    `json:"rerouted,omitempty"` // the list of a [RerouteRequest]
	InFlight   int       `json:"inFlight"`           // records of any queue that the method has not answered yet
	Delivered  uint64    `json:"delivered"`          // records of any queue that the method accepted since the start
	Elsewhere  uint64    `json:"elsewhere"`          // records of this queue that other methods of their lists accepted
	Superseded uint64    `json:"superseded"`         // interims dropped because a later record includes them
	SetAside   uint64    `json:"setAside"`           // records set aside: rejected, damaged or never answered
	Refused    uint64    `json:"refused"`            // set-aside records that the method rejected
	NoResponse uint64    `json:"noResponse"`         // how often the method did not answer a record
	// OperState is unknown (no server has answered yet, or the method does not run), up, or down;
	// the file is up until it cannot be written.
	OperState string    `json:"operState"`
	DownSince time.Time `json:"downSince,omitzero"` // since when no server answers; absent: not down
	NextProbe time.Time `json:"nextProbe,omitzero"` // time of the next probe while down; absent: none is scheduled
	Hold      Hold      `json:"hold"`
	Draining  bool      `json:"draining"` // a backlog is being sent, at the drain rate
}

// Hold says whether a queue waits for an Accounting-On (R63).
type Hold string

// The holds.
const (
	HoldOpen Hold = "open" // it does not wait
	HoldHeld Hold = "held" // records wait until the Accounting-On is answered
	HoldAway Hold = "away" // no server answers the Accounting-On: records go to the next method of their list
)

// SetAside is a record that was removed from its queue because a server rejected it, because it is
// damaged, or because no server answered it while others were answered. Its texts come from the
// network.
type SetAside struct {
	Seq     uint64    `json:"seq"`              // number from 1; never used again
	From    string    `json:"from"`             // the queue that it was in
	At      time.Time `json:"at"`               // when it was set aside
	Reason  string    `json:"reason"`           // why it was set aside
	Session string    `json:"session"`          // the ID of the session, eight hex digits; the NAS's Acct-Session-Id if it has none; "" if the record is damaged
	Type    string    `json:"type"`             // start, interim or stop; "" if the record is damaged
	Resync  bool      `json:"resync,omitempty"` // a resync has made it
	List    string    `json:"list"`             // accounting type and method list, "network/default"
	User    string    `json:"user"`             // User-Name; "" if there is none
	// Attributes are in the order of sending. Lists do not have them.
	Attributes []Attribute `json:"attributes,omitempty"`
	// Raw is the octets of a damaged record in hex. Lists do not have it.
	Raw string `json:"raw,omitempty"`
}

// Attribute is one attribute of a record as text.
type Attribute struct {
	Name  string `json:"name"`  // from the dictionary, or its number
	Value string `json:"value"` // text, number, address, or hex with 0x
}

// SetAsideList is a part of the set-aside records, in the order of Seq.
type SetAsideList struct {
	Records []SetAside `json:"records"`
	Next    uint64     `json:"next,omitempty"` // the parameter after for the next part; absent in the last part
}

// RecordsRequest selects set-aside records. Exactly one of Seqs and All is set.
type RecordsRequest struct {
	// Seqs are at most MaxSeqs numbers. If one of them is not set aside, no record is changed.
	Seqs []uint64 `json:"seqs,omitempty"`
	// All selects every set-aside record.
	All bool `json:"all,omitempty"`
}

// RecordsAnswer is the answer to a [RecordsRequest] or [RerouteRequest].
type RecordsAnswer struct {
	Records int `json:"records"` // number of replayed or dropped records, or of records in the rerouted queue
}

// ForgetAnswer is the answer to the request that clears the Damage of a [SpoolStatus].
type ForgetAnswer struct {
	Entries int `json:"entries"` // number of entries removed
}

// RerouteRequest has the records of a queue delivered by a method list, because the method of the
// queue is no longer configured (R60). It applies to the records that wait and to those that are
// added later, until the method is configured again.
type RerouteRequest struct {
	// Queue is the queue as in [Queue]: "group/NAME" or "local". The records stay in it, so the
	// records of a session stay in order.
	Queue string `json:"queue"`
	// List is the accounting type and name of a method list, such as "network/default". The records
	// go to the methods that the list has when they are sent. The methods of their own list come
	// first.
	List string `json:"list"`
}
