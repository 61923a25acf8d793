package agentx

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// phaseStep is one PDU of a SET and the expected answer, "-" for none.
type phaseStep struct {
	packet uint32
	pdu    Payload
	want   string
	index  int
}

func testOf(vbs ...mib.Varbind) *TestSet { return &TestSet{Varbinds: vbs} }

func TestTransactions(t *testing.T) {
	row := func(n uint32) mib.OID { return FixtureTable.Append(5, n) }
	other := FixtureOther.Append(1, 0)
	commit, undo, cleanup := &CommitSet{}, &UndoSet{}, &CleanupSet{}
	const test1, commit1, undo1, cleanup1 = "test column5.1=7", "commit column5.1=7", "undo column5.1=7", "cleanup column5.1=7"
	ok := "noError"
	tests := []struct {
		name  string
		steps []phaseStep
		calls []string
		num   int32 // of row 1 at the end
	}{
		{"set", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0}, {2, commit, ok, 0}, {3, cleanup, "-", 0},
		}, []string{test1, commit1, cleanup1}, 7},
		{"each PDU twice", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{2, commit, ok, 0},
			{2, commit, ok, 0},
			{3, cleanup, "-", 0},
			{3, cleanup, "-", 0},
		}, []string{test1, commit1, cleanup1}, 7},
		{"undone, each PDU twice", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{2, commit, ok, 0},
			{2, commit, ok, 0},
			{3, undo, ok, 0},
			{3, undo, ok, 0},
		}, []string{test1, commit1, undo1}, 0},
		{"tested and cleaned up", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0}, {2, cleanup, "-", 0}, {3, commit, "commitFailed", 0},
		}, []string{test1}, 0},
		{"tested and undone", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0}, {2, undo, ok, 0}, {3, commit, "commitFailed", 0},
		}, []string{test1}, 0},
		{"connection lost after the test", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
		}, []string{test1}, 0},
		{"connection lost after the commit", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0}, {2, commit, ok, 0},
		}, []string{test1, commit1, cleanup1}, 7},
		{"connection lost after the undo", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0}, {2, commit, ok, 0}, {3, undo, ok, 0},
		}, []string{test1, commit1, undo1}, 0},
		{"the test refuses, twice", []phaseStep{
			{1, testOf(Varbind(row(1), 7), Varbind(row(2), 112)), "inconsistentValue", 2},
			{1, testOf(Varbind(row(1), 7), Varbind(row(2), 112)), "inconsistentValue", 2},
			{2, cleanup, "-", 0},
		}, []string{"test column5.1=7 column5.2=112"}, 0},
		{"the commit refuses, twice", []phaseStep{
			{1, testOf(Varbind(row(2), 7), Varbind(row(1), 213)), ok, 0},
			{2, commit, "commitFailed", 2},
			{2, commit, "commitFailed", 2},
			{3, undo, ok, 0},
		}, []string{"test column5.2=7 column5.1=213", "commit column5.2=7 column5.1=213"}, 0},
		{"the second module's commit refuses: the first is undone", []phaseStep{
			{1, testOf(Varbind(row(1), 7), Varbind(other, 214)), ok, 0}, {2, commit, "commitFailed", 2}, {3, undo, ok, 0},
		}, []string{test1, "test other.0=214", commit1, "commit other.0=214", undo1}, 0},
		{"the same, and the first cannot be undone", []phaseStep{
			{1, testOf(Varbind(row(1), FailUndo), Varbind(other, 214)), ok, 0},
			{2, commit, "commitFailed", 2},
			{3, undo, "undoFailed", 2},
			{3, undo, "undoFailed", 2},
		}, []string{"test column5.1=300", "test other.0=214", "commit column5.1=300", "commit other.0=214", "undo column5.1=300"}, FailUndo},
		{"the undo fails, twice", []phaseStep{
			{1, testOf(Varbind(row(1), FailUndo)), ok, 0},
			{2, commit, ok, 0},
			{3, undo, "undoFailed", 1},
			{3, undo, "undoFailed", 1},
		}, []string{"test column5.1=300", "commit column5.1=300", "undo column5.1=300"}, FailUndo},
		{"two TestSets, each with its CommitSet", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{2, testOf(Varbind(other, 8)), ok, 0},
			{3, commit, ok, 0},
			{4, commit, ok, 0},
			{5, cleanup, "-", 0},
			{6, cleanup, "-", 0},
		}, []string{test1, "test other.0=8", commit1, "commit other.0=8", cleanup1, "cleanup other.0=8"}, 7},
		{"two TestSets, the commit of the second refuses", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{2, testOf(Varbind(other, 214)), ok, 0},
			{3, commit, "commitFailed", 1},
			{4, undo, ok, 0},
		}, []string{test1, "test other.0=214", commit1, "commit other.0=214", undo1}, 0},
		{"two TestSets, the first cannot be undone", []phaseStep{
			{1, testOf(Varbind(row(1), FailUndo)), ok, 0},
			{2, testOf(Varbind(other, 214)), ok, 0},
			{3, commit, "commitFailed", 1},
			{4, undo, "undoFailed", 1},
		}, []string{"test column5.1=300", "test other.0=214", "commit column5.1=300", "commit other.0=214", "undo column5.1=300"}, FailUndo},
		{"two TestSets, the second refused: no commit", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{2, testOf(Varbind(other, 110)), "wrongValue", 1},
			{3, commit, "commitFailed", 0},
			{4, cleanup, "-", 0},
		}, []string{test1, "test other.0=110"}, 0},
		{"two TestSets, the first refused: no commit", []phaseStep{
			{1, testOf(Varbind(other, 110)), "wrongValue", 1},
			{2, testOf(Varbind(row(1), 7)), "wrongValue", 1},
			{2, testOf(Varbind(row(1), 7)), "wrongValue", 1},
			{3, testOf(), "wrongValue", 0},
			{4, testOf(Varbind(row(9), 1)), "noCreation", 1},
			{5, commit, "commitFailed", 0},
			{6, testOf(Varbind(row(1), 7)), "wrongValue", 1},
			{7, commit, "commitFailed", 0},
			{8, undo, ok, 0},
			{9, cleanup, "-", 0},
			{10, testOf(Varbind(row(1), 7)), ok, 0},
			{11, commit, ok, 0},
		}, []string{"test other.0=110", test1, "test column5.9=1", test1, test1, commit1, cleanup1}, 7},
		{"a SET begun anew without a CleanupSet", []phaseStep{
			{1, testOf(Varbind(row(1), 7)), ok, 0},
			{2, commit, ok, 0},
			{3, testOf(Varbind(row(1), 8)), ok, 0},
			{4, commit, ok, 0},
			{5, cleanup, "-", 0},
		}, []string{test1, commit1, cleanup1, "test column5.1=8", "commit column5.1=8", "cleanup column5.1=8"}, 8},
		{"nothing was tested", []phaseStep{
			{1, commit, "commitFailed", 0}, {2, undo, "undoFailed", 0}, {3, cleanup, "-", 0},
		}, nil, 0},
		{"an empty TestSet", []phaseStep{
			{1, testOf(), ok, 0}, {2, commit, ok, 0}, {3, cleanup, "-", 0},
		}, nil, 0},
		{"read-only, wrong type, unknown", []phaseStep{
			{1, testOf(Varbind(FixtureTable.Append(4, 1), 1)), "notWritable", 1},
			{2, testOf(vb(row(1).String(), ofType(mib.Gauge32))), "wrongType", 1},
			{3, testOf(Varbind(mib.MustOID("1.3.6.1.4.1.99998.1"), 1)), "notWritable", 1},
			{4, testOf(Varbind(row(9), 1)), "noCreation", 1},
		}, []string{"test column5.9=1"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFixture(t, 2)
			m := established(t, f)
			for i, s := range tt.steps {
				got, index := "-", 0
				if r := ask(t, m, session7(1, s.packet), s.pdu); r != nil {
					got, index = codeName(r.Error), int(r.Index)
				}
				if got != s.want || index != s.index {
					t.Errorf("step %d, %s: %s index %d, want %s index %d", i+1, typeName(s.pdu.Type()), got, index, s.want, s.index)
				}
			}
			m.end()
			if diff := cmp.Diff(tt.calls, f.Calls()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if got := f.Rows()[0].Num; got != tt.num {
				t.Errorf("row 1 has %d, want %d", got, tt.num)
			}
		})
	}
}

// TestTransactionsInterleaved: two SETs at once, which no known master does.
func TestTransactionsInterleaved(t *testing.T) {
	f := NewFixture(t, 2)
	m := established(t, f)
	for tx := uint32(1); tx <= 2; tx++ {
		ask(t, m, session7(tx, tx), testOf(Varbind(FixtureTable.Append(5, tx), int32(tx))))
	}
	for tx := uint32(1); tx <= 2; tx++ {
		if r := ask(t, m, session7(tx, 10+tx), &CommitSet{}); r.Error != pdu.ErrorNone {
			t.Errorf("commit of %d: %s", tx, codeName(r.Error))
		}
	}
	ask(t, m, session7(1, 21), &UndoSet{})
	ask(t, m, session7(2, 22), &CleanupSet{})
	if rows := f.Rows(); rows[0].Num != 0 || rows[1].Num != 2 {
		t.Errorf("rows %+v", rows)
	}
	if len(m.sets.open) != 1 { // the undone one, in case its UndoSet is repeated
		t.Errorf("%d transactions are kept", len(m.sets.open))
	}
}
