package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SetAsideRecords is the queue in the [RecordName] of a set-aside record.
const SetAsideRecords = "set-aside"

// RecordName is the name of a waiting or set-aside record: its queue, a colon, and its number
// there, "group/isp:812".
type RecordName struct {
	Queue string
	Seq   uint64
}

// String returns the name.
func (n RecordName) String() string { return n.Queue + ":" + strconv.FormatUint(n.Seq, 10) }

// ParseRecordName parses the result of String.
func ParseRecordName(text string) (RecordName, error) {
	i := strings.LastIndexByte(text, ':')
	if i > 0 {
		if seq, err := strconv.ParseUint(text[i+1:], 10, 64); err == nil {
			return RecordName{text[:i], seq}, nil
		}
	}
	return RecordName{}, fmt.Errorf("%w: %q is not the name of a record, such as group/isp:812", ErrQuery, text)
}

// ExplainPath returns the path of the Explanation of a session ID or a RecordName.
func ExplainPath(name string) string { return PathExplain + "/" + url.PathEscape(name) }

// Explanation says how the accounting of a session or record was decided, and where its records are
// (R93).
type Explanation struct {
	// Session is absent if no live session has the number.
	Session *Session `json:"session,omitempty"`
	// Granted is what the Access-Accept of the session's user has granted; absent if the session is not
	// live, or authentication has said nothing of it.
	Granted []Attribute `json:"granted,omitempty"`
	// Decision was made at the first packet of the session. Absent if the session is not live.
	Decision *Decision `json:"decision,omitempty"`
	// Now is what the present configuration would decide if the session began now. Absent if that
	// is the same as Decision, or if the session is not live. A list that makes no records is known
	// only here: sessions do not keep it.
	Now *Decision `json:"now,omitempty"`
	// Accepted says which records of the session count as accepted. Absent if the session is not
	// accounted, and for a record. If the session is not live, the present list of the name in its
	// records counts; absent if there is none.
	Accepted *Acceptance `json:"accepted,omitempty"`
	// StopWaits is when the stop of a session that has ended becomes a record at the latest: it is on
	// disk, and waits for the stops of its network sessions. Absent if none waits.
	StopWaits *time.Time `json:"stopWaits,omitempty"`
	// Methods are those of the Decision, else those of the records.
	Methods []ExplainedMethod `json:"methods"`
	// Records are those of the session that wait or are set aside, by queue; for a record, only
	// that one.
	Records []ExplainedRecord `json:"records"`
	// Complete is false if a queue was too long to search all of it.
	Complete bool `json:"complete"`
}

// Decision is what the accounting policy decides for a session.
type Decision struct {
	// Accounted: the session has a list that makes records. If not, the other fields are empty, but
	// for the List and Reason of a Now.
	Accounted bool   `json:"accounted"`
	List      string `json:"list"`   // "network/default"; "network/dnis:7777" is an entry of the DNIS map
	Record    string `json:"record"` // start-stop, stop-only or stop-failure
	// Reason is the conditions that led to the list. "" for a default list and for the DNIS map.
	Reason    string `json:"reason"`
	Broadcast bool   `json:"broadcast"` // each record goes to all Methods, else to the first that answers
	// InterimsToFirst: the interims of a broadcast go only to the first of the Methods.
	InterimsToFirst bool `json:"interimsToFirst,omitempty"`
	// DelayStart is how many seconds a start without an address waits for one; absent: not at all.
	DelayStart float64 `json:"delayStart,omitempty"`
	// SuppressNullUsername: no records are made while the session has no User-Name.
	SuppressNullUsername bool `json:"suppressNullUsername,omitempty"`
	// Methods are in the order in which they are tried.
	Methods []string `json:"methods"`
}

// Acceptance says which records of a session count as accepted.
type Acceptance struct {
	// By are the methods that accept them: of a broadcast the groups with acknowledge-broadcast, else
	// its first method.
	By []string `json:"by"`
	// All says that each of By must accept a record, as with broadcast. Else one of them is enough.
	All bool `json:"all"`
	// Missing is the number of records that are not accepted yet: they wait or are set aside. If the
	// Explanation is not Complete, there may be more.
	Missing int `json:"missing"`
}

// ExplainedMethod is a method of a list, and the state that decides whether records go to it.
type ExplainedMethod struct {
	Method string `json:"method"` // "group isp" or local
	Queue  string `json:"queue"`
	// Records is the number of records that wait in Queue, of all sessions.
	Records uint64 `json:"records"`
	// State is up, down or unknown, as the OperState of the Queue, or held (records wait until its
	// Accounting-On is answered), away (no server answers its Accounting-On), or removed from the
	// configuration.
	State     string            `json:"state"`
	Rerouted  string            `json:"rerouted,omitempty"` // the list that its records go to instead ("spool reroute")
	DownSince time.Time         `json:"downSince,omitzero"`
	NextProbe time.Time         `json:"nextProbe,omitzero"` // when a method that is down gets the next record
	Servers   []ExplainedServer `json:"servers,omitempty"`
}

// ExplainedServer is a server of a group, in the order in which they are tried.
type ExplainedServer struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	State   string `json:"state"` // as the OperState of a GroupServer
}

// ExplainedRecord is a record that waits or is set aside.
type ExplainedRecord struct {
	Record  string    `json:"record"`  // a RecordName
	Session string    `json:"session"` // the ID of the session, or the NAS's Acct-Session-Id if it has none
	Type    string    `json:"type"`
	Resync  bool      `json:"resync,omitempty"` // a resync has made it
	At      time.Time `json:"at"`               // when the event happened
	List    string    `json:"list"`
	// Next are the methods that follow that of the queue.
	Next []string `json:"next"`
	// State is ready, inFlight, behind (an earlier record of the session goes first), retrying,
	// noMethod (no method is available), leaving (it is being set aside), unread (records before
	// it in the queue go first), noAddress (the start waits for the address of its user) or setAside.
	State  string    `json:"state"`
	Method string    `json:"method,omitempty"` // that has it or gets it next; absent: none
	NextAt time.Time `json:"nextAt,omitzero"`  // when it is sent again, if it is retrying; with noAddress, when it is sent at the latest
	Tries  int       `json:"tries"`            // sends that ended without an answer
	Before uint64    `json:"before"`           // at most so many records are before it in the queue
	Reason string    `json:"reason,omitempty"` // why it was set aside
	From   string    `json:"from,omitempty"`   // the queue that it was in, if it was set aside
}
