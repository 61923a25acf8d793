package agentx_test

import (
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
)

// figures returns the answers of each operation, and the values of res.error above 0.
func figures(s *agentx.Subagent) map[string]map[string]uint64 {
	out := map[string]map[string]uint64{}
	for _, op := range s.Operations() {
		if op.AnswerTime.Total == 0 {
			continue
		}
		out[op.Name] = map[string]uint64{"answers": op.AnswerTime.Total}
		for _, e := range op.Errors {
			if e.Answers > 0 {
				out[op.Name][e.Name] = e.Answers
			}
		}
	}
	return out
}

// TestOperations: an answer counts for the type of its PDU, with the res.error that it has. Pings and
// CleanupSets count for none.
func TestOperations(t *testing.T) {
	type counts = map[string]map[string]uint64
	row, other := agentx.FixtureTable.Append(5, 1), agentx.FixtureOther.Append(1, 0)
	get := &agentx.Get{Ranges: []agentx.SearchRange{{Start: value.OID(row)}, {Start: value.OID(other)}}}
	for _, tt := range []struct {
		name string
		ask  func(m *agentxtest.Master) error
		want counts
	}{
		{"a Get", func(m *agentxtest.Master) error { _, err := m.Exchange(m.Header(), get); return err }, counts{"Get": {"answers": 1}}},
		{"two at once", func(m *agentxtest.Master) error {
			m.SendRaw(agentx.AppendPDU(agentx.AppendPDU(nil, m.Header(), get), m.Header(), &agentx.GetNext{Ranges: get.Ranges}))
			_, _, err := m.Receive()
			if err == nil {
				_, _, err = m.Receive()
			}
			return err
		}, counts{"Get": {"answers": 1}, "GetNext": {"answers": 1}}},
		{"a GetBulk", func(m *agentxtest.Master) error {
			_, err := m.Exchange(m.Header(), &agentx.GetBulk{MaxRepetitions: 2, Ranges: get.Ranges})
			return err
		}, counts{"GetBulk": {"answers": 1}}},
		{"a SET", func(m *agentxtest.Master) error { return m.Set(agentx.Varbind(row, 7)) }, counts{"TestSet": {"answers": 1}, "CommitSet": {"answers": 1}}},
		{"a SET that is refused", func(m *agentxtest.Master) error { _ = m.Set(agentx.Varbind(row, 112)); return nil }, counts{"TestSet": {"answers": 1, "inconsistentValue": 1}}},
		{"a commit that fails", func(m *agentxtest.Master) error { _ = m.Set(agentx.Varbind(other, 214)); return nil }, counts{
			"TestSet": {"answers": 1}, "CommitSet": {"answers": 1, "commitFailed": 1}, "UndoSet": {"answers": 1},
		}},
		{"another session", func(m *agentxtest.Master) error {
			h := m.Header()
			h.SessionID++
			_, err := m.Exchange(h, get)
			return err
		}, counts{"Get": {"answers": 1, "notOpen": 1}}},
		{"another session, in the other byte order", func(m *agentxtest.Master) error {
			h := m.Header()
			h.SessionID++
			h.Flags ^= pdu.FlagNetworkByteOrder
			_, err := m.Exchange(h, get)
			return err
		}, counts{"Get": {"answers": 1, "notOpen": 1}}},
		{"a Ping", func(m *agentxtest.Master) error { _, err := m.Exchange(m.Header(), &agentx.Ping{}); return err }, counts{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, nil)
				if err := tt.ask(r.up(t)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if diff := cmp.Diff(tt.want, figures(r.Subagent)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestUsualCodes: each res.error that a type usually has is there before it occurs, so that its first
// occurrence is an increase.
func TestUsualCodes(t *testing.T) {
	want := map[string]int{"Get": 3, "GetNext": 3, "GetBulk": 3, "TestSet": 13, "CommitSet": 3, "UndoSet": 3}
	got := map[string]int{}
	for _, op := range agentx.New(agentx.Config{}, agentx.NewFixture(t, 1).Tree).Operations() {
		got[op.Name] = len(op.Errors)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// slowReader is the master's end of a connection that waits before each read.
type slowReader struct {
	net.Conn
	wait *atomic.Int64
}

func (s slowReader) Read(b []byte) (int, error) {
	time.Sleep(time.Duration(s.wait.Load())) // in the time of synctest
	return s.Conn.Read(b)
}

// TestAnswerTime: the time to an answer lasts until it is written, also if the master is slow to read it.
func TestAnswerTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wait atomic.Int64
		r := &running{fixture: agentx.NewFixture(t, 10), masters: make(chan *agentxtest.Master, 1), log: &lockedBuffer{}, heard: &sentPDUs{start: time.Now()}}
		r.start(agentx.Config{Dial: agentxtest.Dial(func(conn net.Conn, id uint32) {
			r.masters <- agentxtest.NewMaster(slowReader{conn, &wait}, id, agentxtest.Agree)
		})})
		t.Cleanup(r.stop)
		m := r.up(t)
		wait.Store(int64(2 * time.Second))
		for range 2 { // the master waits for the first answer already
			if _, err := m.Get(agentx.FixtureTable.Append(5, 1)); err != nil {
				t.Fatal(err)
			}
		}
		wait.Store(0)
		synctest.Wait()
		for _, op := range r.Operations() {
			if op.Type == pdu.TypeGet && (op.AnswerTime.Total != 2 || op.AnswerTime.Sum != 2*time.Second) {
				t.Errorf("%d answers in %v", op.AnswerTime.Total, op.AnswerTime.Sum)
			}
		}
	})
}
