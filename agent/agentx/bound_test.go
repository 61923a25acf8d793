package agentx

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/posteo/go-agentx/pdu"
	"pgregory.net/rapid"

	"aaasess/mib"
)

// TestTransactionsBounded: a master never ends its SETs, so the oldest ones are dropped.
func TestTransactionsBounded(t *testing.T) {
	f := NewFixture(t, 2)
	m := established(t, f)
	for tx := uint32(1); tx <= 3*maxTransactions; tx++ {
		ask(t, m, session7(tx, 2*tx), testOf(Varbind(FixtureTable.Append(5, 1), 7)))
		ask(t, m, session7(tx, 2*tx+1), &CommitSet{})
	}
	if len(m.sets.open) != maxTransactions {
		t.Errorf("%d transactions are kept", len(m.sets.open))
	}
	cleanups := 0
	m.end()
	for _, c := range f.Calls() {
		if c == "cleanup column5.1=7" {
			cleanups++
		}
	}
	if cleanups != 3*maxTransactions {
		t.Errorf("%d of %d are cleaned up", cleanups, 3*maxTransactions)
	}
}

// TestTestSetsBounded: a master extends a SET without end. Beyond the limits its TestSets are
// refused, nothing of them is kept, and the SET as a whole fails.
func TestTestSetsBounded(t *testing.T) {
	cell := FixtureTable.Append(5, 1)
	wide := make([]mib.Varbind, 10000) // some 440,000 octets
	for i := range wide {
		wide[i] = Varbind(cell, 7)
	}
	tests := []struct {
		name     string
		vbs      []mib.Varbind
		accepted int
		index    uint16
	}{
		{"many", []mib.Varbind{Varbind(cell, 7)}, maxTestSets, 1},
		{"many without variables", nil, maxTestSets, 0},
		{"large", wide, 2, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFixture(t, 2)
			m := established(t, f)
			const sent = 3 * maxTestSets
			for n := 1; n <= sent; n++ {
				want, index := pdu.ErrorNone, uint16(0)
				if n > tt.accepted {
					want, index = pdu.Error(mib.ResourceUnavailable), tt.index
				}
				if r := ask(t, m, session7(1, uint32(n)), &TestSet{Varbinds: tt.vbs}); r.Error != want || r.Index != index {
					t.Fatalf("TestSet %d: %s index %d, want %s index %d", n, codeName(r.Error), r.Index, codeName(want), index)
				}
				if n > 10 && len(tt.vbs) > 100 {
					break
				}
			}
			if s := m.sets.open[0]; len(m.sets.open) != 1 || len(s.tests) != 0 {
				t.Errorf("%d transactions, %d TestSets are kept", len(m.sets.open), len(s.tests))
			}
			if r := ask(t, m, session7(1, sent+1), &CommitSet{}); r.Error != pdu.Error(mib.CommitFailed) {
				t.Errorf("the CommitSet is answered with %s", codeName(r.Error))
			}
			if r := ask(t, m, session7(1, sent+2), &UndoSet{}); r.Error != pdu.ErrorNone {
				t.Errorf("the UndoSet is answered with %s", codeName(r.Error))
			}
			if f.Rows()[0].Num != 0 {
				t.Error("something was set")
			}
			// After its end the transaction id can be used again, and others are not affected.
			ask(t, m, session7(1, sent+3), &CleanupSet{})
			for tx := uint32(1); tx <= 2; tx++ {
				if r := ask(t, m, session7(tx, sent+4), testOf(Varbind(cell, 7))); r.Error != pdu.ErrorNone {
					t.Errorf("transaction %d: %s", tx, codeName(r.Error))
				}
			}
		})
	}
}

// TestTestSetRefused has the octets of the first TestSet beyond the limit, and of its answer.
func TestTestSetRefused(t *testing.T) {
	m := established(t, NewFixture(t, 2))
	for n := range uint32(maxTestSets) {
		ask(t, m, session7(8, n+1), testOf(Varbind(FixtureTable.Append(5, 1), 7)))
	}
	request := unhex(t, `01 08 10 00  00000007 00000008 00000fff 00000024
		0002 0000  06 04 00 00 00000001 0001869f 00000001 00000002 00000001 00000005  00000007`)
	want := unhex(t, `01 12 10 00  00000007 00000008 00000fff 00000008  00000000 000d 0001`)
	h, _, err := nextPDU(request)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.handle(h, request, nil, testTime)
	if err != nil || string(got) != string(want) {
		t.Errorf("answered with\n%x, want\n%x, error %v", got, want, err)
	}
}

// TestSessionBounded: SETs that a master does not end have limited octets together. The next SET is
// refused, with a reason for the log, until there is room again.
func TestSessionBounded(t *testing.T) {
	cell := FixtureTable.Append(5, 1)
	const half = maxTestOctets / 2
	send := func(t *testing.T, m *machine, tx, packet uint32, octets int, want pdu.Error) {
		t.Helper()
		h := session7(tx, packet)
		h.PayloadLength = uint32(octets)
		code, _ := m.sets.test(m.tree, m.by, &h, []mib.Varbind{Varbind(cell, 7)})
		m.takeFailure(tx)
		logged := code == pdu.Error(mib.ResourceUnavailable) && packet == 1
		if code != want || logged != errors.Is(m.setFailed, errManySets) {
			t.Errorf("SET %d: %s, want %s; for the log: %v", tx, codeName(code), codeName(want), m.setFailed)
		}
		m.setFailed = nil
	}
	tests := map[string]struct {
		end  func(m *machine) // after four SETs that fill the session
		want pdu.Error        // of another SET
	}{
		"not ended":             {func(*machine) {}, pdu.Error(mib.ResourceUnavailable)},
		"committed":             {func(m *machine) { m.sets.commit(1) }, pdu.Error(mib.ResourceUnavailable)},
		"committed and undone":  {func(m *machine) { m.sets.commit(1); m.sets.undo(1) }, pdu.ErrorNone},
		"undone":                {func(m *machine) { m.sets.undo(1) }, pdu.ErrorNone},
		"cleaned up":            {func(m *machine) { m.sets.cleanup(1) }, pdu.ErrorNone},
		"committed, cleaned up": {func(m *machine) { m.sets.commit(1); m.sets.cleanup(1) }, pdu.ErrorNone},
		"refused at its next PDU": {func(m *machine) {
			h := session7(1, 9)
			m.sets.test(m.tree, m.by, &h, []mib.Varbind{Varbind(cell, 110)})
		}, pdu.ErrorNone},
		"too many others": {func(m *machine) {
			for tx := range uint32(maxTransactions) {
				h := session7(100+tx, 1)
				m.sets.test(m.tree, m.by, &h, nil)
			}
		}, pdu.ErrorNone},
		"the session has ended": {func(m *machine) { m.end() }, pdu.ErrorNone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := established(t, NewFixture(t, 1))
			for tx := range uint32(4) {
				send(t, m, tx+1, 1, half, pdu.ErrorNone)
			}
			tt.end(m)
			send(t, m, 5, 1, half, tt.want)
			send(t, m, 5, 2, 0, tt.want)
			if code, _ := m.sets.commit(5); (code == pdu.ErrorNone) != (tt.want == pdu.ErrorNone) {
				t.Errorf("its CommitSet: %s", codeName(code))
			}
		})
	}
}

// heldWriter is a mib.Writer whose changes take time to undo.
type heldWriter struct{ undoTakes time.Duration } // of the changes that follow

func (*heldWriter) Writable(mib.Def) bool                       { return true }
func (w *heldWriter) Test([]mib.Assignment) (mib.Change, error) { return heldChange(*w), nil }

type heldChange struct{ undoTakes time.Duration }

func (heldChange) Commit() error { return nil }
func (heldChange) Cleanup()      {}
func (c heldChange) Undo() error { time.Sleep(c.undoTakes); return nil }

// TestSessionBoundsUndoes: what an undo keeps counts until it is done, also after the CleanupSet of its
// SET.
func TestSessionBoundsUndoes(t *testing.T) {
	for _, cleanedUp := range []bool{false, true} {
		t.Run(fmt.Sprint("cleaned up ", cleanedUp), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, test := slowMachine(t, &heldWriter{undoTakes: time.Minute})
				send := func(tx uint32, octets int, want pdu.Error) {
					t.Helper()
					h := session7(tx, 1)
					h.PayloadLength = uint32(octets)
					if code, _ := m.sets.test(m.tree, m.by, &h, test.Varbinds); code != want {
						t.Errorf("SET %d: %s, want %s", tx, codeName(code), codeName(want))
					}
				}
				for tx := uint32(1); tx <= 2; tx++ {
					send(tx, maxTestOctets, pdu.ErrorNone)
					m.sets.commit(tx)
					m.sets.undo(tx)
					if cleanedUp {
						m.sets.cleanup(tx)
					}
				}
				send(3, 4, pdu.Error(mib.ResourceUnavailable))
				time.Sleep(2 * time.Minute)
				send(4, maxTestOctets, pdu.ErrorNone)
			})
		})
	}
}

// boundStep is a PDU of a master, or its restart.
type boundStep struct {
	pdu       pdu.Type // 0: the master restarts
	tx        uint32
	packet    uint32
	octets    int           // of a TestSet
	undoTakes time.Duration // for an UndoSet
}

// TestSessionBoundHolds: whatever a master sends and leaves out, in any order, a session never keeps
// more than its limit: neither in open SETs nor in undoes that go on after the end of their SET. A
// SET whose TestSets were all accepted, and that is still open, can be committed.
func TestSessionBoundHolds(t *testing.T) {
	steps := rapid.SliceOf(rapid.Custom(func(t *rapid.T) boundStep {
		return boundStep{
			rapid.SampledFrom([]pdu.Type{pdu.TypeTestSet, pdu.TypeTestSet, pdu.TypeTestSet, pdu.TypeCommitSet, pdu.TypeUndoSet, pdu.TypeCleanupSet, 0}).Draw(t, "pdu"),
			rapid.Uint32Range(1, 40).Draw(t, "transaction"),
			rapid.Uint32Range(1, 8).Draw(t, "packet"),
			rapid.SampledFrom([]int{0, 24, 40_000, maxTestOctets / 2, maxTestOctets, maxTestOctets + 4}).Draw(t, "octets"),
			time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond,
		}
	}))
	rapid.Check(t, func(rt *rapid.T) {
		plan := steps.Draw(rt, "steps")
		var failure string
		synctest.Test(t, func(t *testing.T) {
			failure = runBoundSteps(t, plan)
			time.Sleep(time.Hour) // until all undoes have ended
		})
		if failure != "" {
			rt.Fatal(failure)
		}
	})
}

// runBoundSteps returns what is wrong after one of the steps, or nothing.
func runBoundSteps(t *testing.T, plan []boundStep) string {
	w := &heldWriter{}
	m, _ := slowMachine(t, w)
	sizes := map[[2]uint32]int{}           // of TestSets, by transaction and packet
	takes := map[[2]uint32]time.Duration{} // their undoes
	undoing := map[time.Time]int{}         // octets, by the end of the undo
	kept := func(tr *transaction) (n int) {
		for _, test := range tr.tests {
			if test.set != nil {
				n += sizes[[2]uint32{tr.id, test.packetID}]
			}
		}
		return n
	}
	for i, s := range plan {
		tr := m.sets.find(s.tx)
		switch s.pdu {
		case pdu.TypeTestSet:
			repeated := tr != nil && slices.ContainsFunc(tr.tests, func(test testedSet) bool { return test.packetID == s.packet })
			w.undoTakes = s.undoTakes
			if !repeated {
				sizes[[2]uint32{s.tx, s.packet}], takes[[2]uint32{s.tx, s.packet}] = s.octets, s.undoTakes
			}
			h := session7(s.tx, s.packet)
			h.PayloadLength = uint32(s.octets)
			m.sets.test(m.tree, m.by, &h, []mib.Varbind{Varbind(FixtureRoot.Append(1, 0), 1)})
		case pdu.TypeCommitSet:
			good := tr != nil && tr.phase == tested
			if code, _ := m.sets.commit(s.tx); good && code != pdu.ErrorNone {
				return fmt.Sprintf("step %d: commit of %d: %s", i, s.tx, codeName(code))
			}
		case pdu.TypeUndoSet:
			if tr != nil && tr.phase == committed {
				end := time.Now()
				for _, test := range tr.tests {
					end = end.Add(takes[[2]uint32{s.tx, test.packetID}])
				}
				undoing[end] += kept(tr)
			}
			m.sets.undo(s.tx)
		case pdu.TypeCleanupSet:
			m.sets.cleanup(s.tx)
		default: // the limit is that of a session, which ends
			m.end()
			clear(undoing)
		}
		held := 0
		for _, tr := range m.sets.open {
			if tr.undoing == nil {
				held += kept(tr)
			}
		}
		for until, octets := range undoing {
			if time.Now().Before(until) {
				held += octets
			}
		}
		if held > maxSessionOctets {
			return fmt.Sprintf("step %d: %d octets are held", i, held)
		}
	}
	return ""
}
