package sessions

import (
	"encoding/binary"
	"fmt"

	"aaasess/sessions/silence"
)

// hearing is the clock of [Session.Silence].
type hearing struct {
	silence.Clock
	stored silence.Time // what the newest commit has of it
}

// save adds the clock to a change, if it has advanced.
func (h *hearing) save(c *Change) {
	if now := h.Now(); now != h.stored {
		h.stored = now
		c.State = append(c.State, Put{Key: hearingKey, Value: appendHearing(nil, now)})
	}
}

// BeatHearing advances [Table.HeardTime] by the time since the last call, if the table accepted events
// at both and refused none in between. Call it every [silence.BeatEvery], from when NASes can be heard.
func (t *Table) BeatHearing() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hearing.Beat(t.clock.now().Sub(0), t.journal.Accepting() == nil)
}

// HeardTime returns the time on the clock of [Session.Silence]. It stands while NASes cannot be heard.
// After a restart it continues from the time in the newest commit.
func (t *Table) HeardTime() silence.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hearing.Now()
}

// StaleSession is a session to end, and when its NAS had been heard last when that was decided.
type StaleSession struct {
	ID    ID
	Heard silence.Time
}

// EndStale ends sessions that their NASes have stopped reporting (R23), without those that were heard
// of since. Their stop records have the last counters, the time of the newest record and the cause
// Lost-Carrier, or Admin-Reset if an operator is ending the session. If the NAS reports one again, it
// returns, see docs/sessions.md. EndStale returns those that it ended, as they were. After an error it
// has ended none; otherwise done is called when that is durable.
func (t *Table) EndStale(stale []StaleSession, done func(error)) (ended []*Session, err error) {
	t.RefreshLinks()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	var c Change
	for _, d := range stale {
		if s := t.rows.get(d.ID); s != nil && s.Silence.Heard == d.Heard && !t.closings.anyCovers(s) {
			t.end(&c, s, nil, 0, CauseLostCarrier)
			ended = append(ended, s)
		}
	}
	t.commit(c, done)
	return ended, nil
}

const hearingVersion = 1

var hearingKey = []byte("h")

func appendHearing(b []byte, at silence.Time) []byte {
	return binary.AppendUvarint(append(b, hearingVersion), uint64(at))
}

// parseHearing reads what appendHearing wrote.
func parseHearing(b []byte) (silence.Time, error) {
	d := newDecoder(b)
	d.version(hearingVersion)
	at := silence.Time(d.Uvarint32())
	return at, d.end("time of hearing")
}

// silence reads when the NAS of a session was heard.
func (d *decoder) silence(more byte) (r silence.Record) {
	if more&moreSilence == 0 {
		return r
	}
	next := func() silence.Time { return silence.Time(d.Uvarint32()) }
	heard, since := next(), next()
	d.Require(since <= heard)
	r = silence.Record{Heard: heard, Mark: heard - since, Gap: next(), Interval: next(), Alike: d.Octet()}
	d.Require(r != silence.Record{})
	return r
}

// appendSilence appends what silence reads.
func appendSilence(b []byte, r *silence.Record) []byte {
	for _, n := range [...]silence.Time{r.Heard, r.Heard - r.Mark, r.Gap, r.Interval} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return append(b, r.Alike)
}
