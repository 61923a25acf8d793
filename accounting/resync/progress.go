package resync

import (
	"encoding/binary"
	"fmt"
	"time"

	"aaasess/accounting"
	"aaasess/internal/cursor"
	"aaasess/sessions"
)

// State is the state of a resync.
type State uint8

// The states.
const (
	Running  State = 1
	Done     State = 2
	Canceled State = 3
)

// String returns the name of the state.
func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case Done:
		return "done"
	case Canceled:
		return "canceled"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Progress is how far a resync has come.
type Progress struct {
	State  State
	Type   sessions.EventType // what sessions are told with: Start or Interim
	Rate   uint32             // records a second
	Began  time.Time
	Ended  time.Time      // zero while it runs
	Next   sessions.ID    // where the next part begins; 0: there is none
	Before sessions.Stamp // when it began, on the table's clock

	Total    uint64 // live sessions when it began
	Sessions uint64 // live sessions that it has come to
	Records  uint64 // records that it has made for them
	// LeftOut counts the others, by their reason.
	LeftOut [accounting.NullUsername + 1]uint64
}

// count counts a session, and returns the type of its record.
func (p *Progress) count(t sessions.EventType, leftOut accounting.LeftOut) sessions.EventType {
	p.Sessions++
	if leftOut == accounting.Included {
		p.Records++
	} else {
		p.LeftOut[leftOut]++
	}
	return t
}

const progressVersion = 1

// append appends the stored form.
func (p *Progress) append(b []byte) []byte {
	b = append(b, progressVersion, byte(p.State), byte(p.Type))
	b = binary.BigEndian.AppendUint32(b, p.Rate)
	b = appendSeconds(appendSeconds(b, p.Began), p.Ended)
	b = binary.BigEndian.AppendUint32(b, uint32(p.Next))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Before))
	for _, n := range p.counts() {
		b = binary.BigEndian.AppendUint64(b, *n)
	}
	return b
}

func (p *Progress) counts() []*uint64 {
	l := &p.LeftOut
	return []*uint64{
		&p.Total, &p.Sessions, &p.Records,
		&l[accounting.Elsewhere], &l[accounting.StopOnlyList], &l[accounting.Fallback], &l[accounting.NullUsername],
	}
}

// parseProgress parses what append wrote, and nothing else.
func parseProgress(b []byte) (p Progress, err error) {
	c := cursor.New(b)
	version := c.Octet()
	p.State, p.Type, p.Rate = State(c.Octet()), sessions.EventType(c.Octet()), c.Uint32()
	p.Began, p.Ended = seconds(c.Uint64()), seconds(c.Uint64())
	p.Next, p.Before = sessions.ID(c.Uint32()), sessions.Stamp(c.Uint64())
	for _, n := range p.counts() {
		*n = c.Uint64()
	}
	ok := c.OK() && len(c.Rest()) == 0 && version == progressVersion && p.State >= Running && p.State <= Canceled &&
		(p.Type == sessions.Start || p.Type == sessions.Interim) && p.Rate > 0 && (p.State == Running) == p.Ended.IsZero()
	if !ok {
		return Progress{}, fmt.Errorf("%w: %d octets", ErrState, len(b))
	}
	return p, nil
}

// appendSeconds appends a time as seconds since 1970, 0 for none.
func appendSeconds(b []byte, t time.Time) []byte {
	n := uint64(0)
	if !t.IsZero() {
		n = uint64(t.Unix())
	}
	return binary.BigEndian.AppendUint64(b, n)
}

func seconds(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}
