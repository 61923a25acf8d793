// Package rows fills a session table with the rows of bench/stand/peers/rows.h, which the C peers
// serve.
package rows

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Fill returns a table with the sessions 1 to n, which are also the MIB rows 1 to n.
func Fill(n uint32) (*sessions.Table, error) {
	j := &discardJournal{}
	table := sessions.New(sessions.Config{}, j)
	for id := uint32(1); id <= n; id++ {
		if err := table.Apply(start(id), nil); err != nil {
			return nil, fmt.Errorf("session %d: %w", id, err)
		}
	}
	j.afterBatch()
	table.View() // the first reader makes it
	// The measurement must not include the garbage of filling.
	runtime.GC()
	return table, nil
}

// start is the start of session id: the values of rows.h, and other usual attributes of an
// Accounting-Request.
func start(id uint32) sessions.Event {
	const portCount = 48
	port := 1 + id%portCount
	name := fmt.Sprintf("%016X", id)
	address := binary.BigEndian.AppendUint32(nil, 10<<24|id&0xffffff)

	a := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.Start))
	a = radius.AppendAttribute(a, radius.AcctSessionID, name)
	a = radius.AppendAttribute(a, radius.UserName, fmt.Sprintf("user%010d@isp.test", id))
	a = radius.AppendAttribute(a, radius.FramedIPAddress, string(address))
	a = radius.AppendUint32(a, radius.NASPort, port)
	return sessions.Event{
		Type:          sessions.Start,
		NAS:           sessions.NAS{Addr: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Identifier: "bench"},
		AcctSessionID: name, Kind: sessions.Network, At: time.Now(),
		Attrs: radius.Attributes(a), PortIfIndex: port,
	}
}

// discardJournal is a journal that stores nothing.
type discardJournal struct {
	afterBatch func()
}

// Accepting implements sessions.Journal.
func (*discardJournal) Accepting() error { return nil }

// Commit implements sessions.Journal.
func (*discardJournal) Commit(_ sessions.Change, done func(error)) {
	if done != nil {
		done(nil)
	}
}

// Route implements sessions.Journal: nothing is accounted.
func (*discardJournal) Route(*sessions.Session) string { return "" }

// Adopt implements sessions.Journal.
func (*discardJournal) Adopt(old []*sessions.Session) ([]string, error) {
	return make([]string, len(old)), nil
}

// AfterBatch implements sessions.Journal: all sessions are one batch.
func (j *discardJournal) AfterBatch(fn func()) { j.afterBatch = fn }
