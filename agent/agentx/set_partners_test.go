//go:build partners

package agentx_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
	"aaasess/mib"
)

// failingOID is a scalar of another subagent whose commit always fails.
var failingOID = mib.MustOID("1.3.6.1.4.1.99999.3.1")

type failingWriter struct{}

func (failingWriter) Writable(mib.Def) bool                     { return true }
func (failingWriter) Test([]mib.Assignment) (mib.Change, error) { return failingWriter{}, nil }
func (failingWriter) Commit() error                             { return errors.New("never") }
func (failingWriter) Undo() error                               { return nil }
func (failingWriter) Cleanup()                                  {}

// withFailing runs a step while that other subagent runs.
func withFailing(do step) step {
	return func(t *testing.T, s *partner.SnmpdProc, sub *agentx.Subagent) {
		tree, err := mib.New(&mib.Module[int]{
			Name: "failing", Root: failingOID, Pin: func() int { return 0 }, Writer: failingWriter{},
			Objects: []mib.Object[int]{mib.Scalar[int]{
				Def: mib.Def{Name: "failing", OID: failingOID, Type: mib.Integer32, Access: mib.ReadWrite},
				Get: func(_ int, v *mib.Value) { v.SetInteger32(0) },
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree))
		defer stop()
		do(t, s, sub)
	}
}

// TestPartnerSet sets values with snmpset, and gets each error-status for a SET.
func TestPartnerSet(t *testing.T) {
	s, f, _ := master(t, "unix", false, 3)
	set := func(args ...string) string {
		args = append([]string{"-v2c", "-c", partner.WriteCommunity, "-On", "-t", "5", "-r", "0", s.Addr}, args...)
		out, err := partner.Try(t, 10*time.Second, "snmpset", args...)
		if err != nil {
			return err.Error()
		}
		return out
	}
	cell := oid(agentx.FixtureTable, 5, 2)
	if got := set(cell, "i", "7", oid(agentx.FixtureTable, 5, 3), "i", "8"); strings.Count(got, "INTEGER") != 2 {
		t.Errorf("snmpset said %q", got)
	}
	if rows := f.Rows(); rows[1].Num != 7 || rows[2].Num != 8 {
		t.Errorf("rows %+v", rows)
	}
	// The new value can be read at once.
	if got := tool(t, s, "snmpget", s.Addr, cell); got[0] != cell+" = INTEGER: 7" {
		t.Errorf("then snmpget says %q", got)
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"genErr", []string{cell, "i", "105"}, "genError"},
		{"noAccess", []string{cell, "i", "106"}, "noAccess"},
		{"wrongType", []string{cell, "i", "107"}, "wrongType"},
		{"wrongLength", []string{cell, "i", "108"}, "wrongLength"},
		{"wrongEncoding", []string{cell, "i", "109"}, "wrongEncoding"},
		{"wrongValue", []string{cell, "i", "110"}, "wrongValue"},
		{"noCreation", []string{cell, "i", "111"}, "noCreation"},
		{"inconsistentValue", []string{cell, "i", "112"}, "inconsistentValue"},
		{"resourceUnavailable", []string{cell, "i", "113"}, "resourceUnavailable"},
		{"notWritable", []string{cell, "i", "117"}, "notWritable"},
		{"inconsistentName", []string{cell, "i", "118"}, "inconsistentName"},
		{"commitFailed", []string{cell, "i", "213"}, "commitFailed"},
		{"a type that is not the object's", []string{cell, "s", "x"}, "wrongType"},
		{"a read-only column", []string{oid(agentx.FixtureTable, 4, 2), "u", "1"}, "notWritable"},
		{"a row that is not there", []string{oid(agentx.FixtureTable, 5, 9), "i", "1"}, "noCreation"},
		{"the second of two", []string{oid(agentx.FixtureTable, 5, 1), "i", "1", cell, "i", "112"}, "inconsistentValue"},
		{"both subtrees, the second", []string{oid(agentx.FixtureTable, 5, 1), "i", "1", oid(agentx.FixtureOther, 1, 0), "i", "214"}, "commitFailed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := f.Rows()
			got := set(tt.args...)
			if !strings.Contains(got, "Reason: "+tt.want) && !strings.Contains(got, "Reason: ("+tt.want+")") {
				t.Errorf("snmpset said %q, want %s", got, tt.want)
			}
			if diff := cmp.Diff(before, f.Rows()); diff != "" {
				t.Errorf("refused, and rows changed (-before +after):\n%s", diff)
			}
			if failed := oid(agentx.FixtureTable, 5, 1); len(tt.args) > 3 && strings.Contains(got, "Failed object: "+failed) {
				t.Errorf("snmpset reports the first variable: %q", got)
			}
		})
	}
	t.Run("undoFailed", func(t *testing.T) {
		withFailing(func(t *testing.T, s *partner.SnmpdProc, _ *agentx.Subagent) {
			if got := set(cell, "i", "300", failingOID.String()+".0", "i", "1"); !strings.Contains(got, "Reason: undoFailed") {
				t.Errorf("snmpset said %q", got)
			}
		})(t, s, nil)
	})
}

// slowCommit is a writer whose commit takes time.
type slowCommit struct {
	takes                   time.Duration
	commits, undos, cleanup atomic.Int32
}

func (*slowCommit) Writable(mib.Def) bool                       { return true }
func (w *slowCommit) Test([]mib.Assignment) (mib.Change, error) { return w, nil }
func (w *slowCommit) Commit() error                             { time.Sleep(w.takes); w.commits.Add(1); return nil }
func (w *slowCommit) Undo() error                               { w.undos.Add(1); return nil }
func (w *slowCommit) Cleanup()                                  { w.cleanup.Add(1) }

// TestPartnerSlowCommit: a commit takes long. snmpd gets each answer before it repeats the PDU, the
// manager gets one within a second, and a late commit is undone: it has one effect or none.
func TestPartnerSlowCommit(t *testing.T) {
	tests := []struct {
		name    string
		takes   time.Duration
		reason  string // "" for a SET that succeeds
		undone  int32
		cleanup int32
	}{
		{"slow", 400 * time.Millisecond, "", 0, 1},
		{"late", 700 * time.Millisecond, "commitFailed", 1, 0},
		{"hangs", 2500 * time.Millisecond, "undoFailed", 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := partner.Snmpd(t, partner.SnmpdOptions{Config: []string{"agentXTimeout 1", "agentXRetries 5"}})
			w := &slowCommit{takes: tt.takes}
			tree, err := mib.New(&mib.Module[int]{
				Name: "slow", Root: agentx.FixtureRoot, Pin: func() int { return 0 }, Writer: w,
				Objects: []mib.Object[int]{mib.Scalar[int]{
					Def: mib.Def{Name: "slow", OID: agentx.FixtureRoot.Append(1), Type: mib.Integer32, Access: mib.ReadWrite},
					Get: func(_ int, v *mib.Value) { v.SetInteger32(5) },
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree)
			start(t, sub)
			begin := time.Now()
			args := []string{"-v2c", "-c", partner.WriteCommunity, "-On", "-t", "8", "-r", "0", s.Addr, oid(agentx.FixtureRoot, 1, 0), "i", "1"}
			_, err = partner.Try(t, 10*time.Second, "snmpset", args...)
			if took := time.Since(begin); took > 1500*time.Millisecond {
				t.Errorf("answered after %s", took)
			}
			if tt.reason == "" && err != nil || tt.reason != "" && (err == nil || !strings.Contains(err.Error(), "Reason: "+tt.reason)) {
				t.Errorf("snmpset said %v, want %q", err, tt.reason)
			}
			eventually(t, "the SET has ended", func() bool { return w.undos.Load() == tt.undone && w.cleanup.Load() == tt.cleanup })
			if n := w.commits.Load(); n != 1 {
				t.Errorf("%d commits", n)
			}
			if st := sub.Stats(); st.Connects != 1 || st.Received[pdu.TypeCommitSet] != 1 {
				t.Errorf("%d connections, %d CommitSets", st.Connects, st.Received[pdu.TypeCommitSet])
			}
		})
	}
}

// slowUndo is a writer of a number whose undo takes time.
type slowUndo struct {
	takes time.Duration
	n     atomic.Int32
}

func (*slowUndo) Writable(mib.Def) bool                       { return true }
func (w *slowUndo) Test([]mib.Assignment) (mib.Change, error) { return w, nil }
func (w *slowUndo) Commit() error                             { w.n.Store(1); return nil }
func (w *slowUndo) Undo() error                               { time.Sleep(w.takes); w.n.Store(0); return nil }
func (*slowUndo) Cleanup()                                    {}

// TestPartnerUndo: another subagent refuses a commit, so snmpd undoes ours. The manager gets its
// answer after our undo; if that takes long, it gets undoFailed, and snmpd serves others meanwhile.
func TestPartnerUndo(t *testing.T) {
	tests := []struct {
		name   string
		takes  time.Duration
		reason string
		within time.Duration
		after  string // the value that is read then
	}{
		{"slow", 400 * time.Millisecond, "commitFailed", 900 * time.Millisecond, "INTEGER: 0"},
		{"hangs", 4 * time.Second, "undoFailed", 900 * time.Millisecond, "INTEGER: 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := partner.Snmpd(t, partner.SnmpdOptions{})
			w := &slowUndo{takes: tt.takes}
			tree, err := mib.New(&mib.Module[int]{
				Name: "slow", Root: agentx.FixtureRoot, Pin: func() int { return 0 }, Writer: w,
				Objects: []mib.Object[int]{mib.Scalar[int]{
					Def: mib.Def{Name: "slow", OID: agentx.FixtureRoot.Append(1), Type: mib.Integer32, Access: mib.ReadWrite},
					Get: func(_ int, v *mib.Value) { v.SetInteger32(w.n.Load()) },
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree)
			start(t, sub)
			cell := oid(agentx.FixtureRoot, 1, 0)
			withFailing(func(t *testing.T, s *partner.SnmpdProc, _ *agentx.Subagent) {
				begin := time.Now()
				args := []string{"-v2c", "-c", partner.WriteCommunity, "-On", "-t", "8", "-r", "0", s.Addr, cell, "i", "1", failingOID.String() + ".0", "i", "1"}
				_, err := partner.Try(t, 10*time.Second, "snmpset", args...)
				took := time.Since(begin)
				if err == nil || !strings.Contains(err.Error(), "Reason: "+tt.reason) {
					t.Errorf("snmpset said %v, want %s", err, tt.reason)
				}
				if took < min(tt.takes, 700*time.Millisecond) || took > tt.within {
					t.Errorf("answered after %s", took)
				}
				if got := tool(t, s, "snmpget", s.Addr, cell); got[0] != cell+" = "+tt.after {
					t.Errorf("then snmpget says %q", got)
				}
			})(t, s, sub)
			eventually(t, "it is undone", func() bool { return w.n.Load() == 0 })
			if st := sub.Stats(); st.Connects != 1 || st.Received[pdu.TypeUndoSet] != 1 {
				t.Errorf("%d connections, %d UndoSets", st.Connects, st.Received[pdu.TypeUndoSet])
			}
		})
	}
}
