package stand

import (
	"io"
	"strings"
	"testing"

	"aaasess/accounting"
	"aaasess/bench/nasload"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// TestFillTableOfMany: the NASes have the sessions in turn, with the names that the daemon would
// read from their packets.
func TestFillTableOfMany(t *testing.T) {
	st, table, err := OpenTable(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := fillTable(table, 10, 4); err != nil {
		t.Fatal(err)
	}
	count := map[sessions.NAS]int{}
	for s := range table.View().All() {
		count[*s.NAS]++
	}
	want := map[sessions.NAS]int{}
	for i, rows := range []int{3, 3, 2, 2} {
		m := nasload.NASNumber(i)
		want[sessions.NAS{Addr: m.Addr, Local: nasload.Loopback(), IPv4: m.Addr, Identifier: m.Identifier}] = rows
	}
	if diff := cmp.Diff(want, count, cmp.Comparer(func(a, b sessions.NAS) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFillTable: each session is in the table and has a record.
func TestFillTable(t *testing.T) {
	st, table, err := OpenTable(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	const n = 5000 // more than may be in flight
	if err := fillTable(table, n, 1); err != nil {
		t.Fatal(err)
	}
	if got := table.View().Len(); got != n {
		t.Errorf("%d sessions, want %d", got, n)
	}
	for _, q := range st.Queues() {
		if q.Name == accounting.Group("isp").Queue() && q.Len != n {
			t.Errorf("%d records, want %d", q.Len, n)
		}
	}
	if len(st.Queues()) == 0 {
		t.Error("no records")
	}
}

// A closed store is an error.
func TestFillTableFails(t *testing.T) {
	st, table, err := OpenTable(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fillTable(table, 10, 1); err == nil {
		t.Error("no error, although the store is closed")
	}
}

func TestRunFillArguments(t *testing.T) {
	for _, args := range [][]string{nil, {t.TempDir()}, {t.TempDir(), "many", "1"}, {t.TempDir(), "1", "0"}, {t.TempDir(), "1"}} {
		var out strings.Builder
		if err := runFill(args, io.Writer(&out)); err == nil || out.Len() > 0 {
			t.Errorf("%q: error %v, output %q", args, err, out.String())
		}
	}
}
