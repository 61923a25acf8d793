package cas

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/internal/logtest"
	"aaasess/internal/servers"
	"aaasess/mib"
)

var mustAddr = netip.MustParseAddr

// image is all that a SET can change.
type image struct {
	Overlay servers.Overlay
	Table   []string
	Making  []making
	Enabled bool
}

func (d *daemon) image(t testing.TB) image {
	return image{d.overlay, d.walk(t, Root.Append(1)), alive(*d.mod.making.Load(), d.now), d.enabled}
}

func diffImages(before, after image) string {
	return cmp.Diff(before, after, cmpopts.EquateEmpty(), cmp.AllowUnexported(making{}, key{}, columns{}, port{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }))
}

// test makes the test phase of a SET that must pass it.
func (d *daemon) test(t testing.TB, text string) *mib.Set {
	t.Helper()
	set, err := d.tree.Test(assign(text))
	if err != nil {
		t.Fatalf("SET %s: %v", text, err)
	}
	return set
}

// TestUndo: a SET that another module has refused leaves nothing.
func TestUndo(t *testing.T) {
	const four = "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7,casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8,casConfigRowStatus.2.9=4 casAddress.2.9=192.0.2.9,casConfigRowStatus.2.10=5 casAddress.2.10=192.0.2.10 casKey.2.10=k"
	tests := []struct{ name, set string }{
		{"created", "casConfigRowStatus.2.11=4 casAddress.2.11=192.0.2.11"},
		{"in the making", "casConfigRowStatus.2.11=5"},
		{"activated", "casConfigRowStatus.2.10=1 casKey.2.10=other"},
		{"destroyed, of the file", "casConfigRowStatus.2.1=6"},
		{"destroyed, the first", "casConfigRowStatus.2.7=6"},
		{"destroyed, all", "casConfigRowStatus.2.9=6 casConfigRowStatus.2.8=6 casConfigRowStatus.2.10=6 casConfigRowStatus.2.7=6"},
		{"an address that moves", "casConfigRowStatus.2.11=4 casAddress.2.11=192.0.2.8 casConfigRowStatus.2.8=6"},
		{"a column", "casKey.2.10=other casAuthenPort.2.10=1"},
		{"the scalar", "casServerStateChangeEnable.0=1"},
		{"nothing", "casServerStateChangeEnable.0=2 casConfigRowStatus.2.99=6"},
		{"all kinds", "casServerStateChangeEnable.0=1 casConfigRowStatus.2.1=6 casConfigRowStatus.2.10=1 casConfigRowStatus.2.8=6 casConfigRowStatus.2.11=5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
			d.must(t, strings.Split(four, ",")...)
			before := d.image(t)
			set := d.test(t, tt.set)
			if err := set.Commit(); err != nil {
				t.Fatal(err)
			}
			if same := diffImages(before, d.image(t)) == ""; same != (tt.name == "nothing") {
				t.Error("the commit does nothing")
			}
			if err := set.Undo(); err != nil {
				t.Fatal(err)
			}
			if diff := diffImages(before, d.image(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUndoAfterOthers: another SET was made between a commit and its undo. What it has changed stays. If it
// has changed the same, nothing can be restored, and the error is undoFailed.
func TestUndoAfterOthers(t *testing.T) {
	const rows = "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7,casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8,casConfigRowStatus.2.9=5 casAddress.2.9=192.0.2.9"
	tests := []struct {
		name, first, second string
		failed              bool
	}{
		{"other rows", "casConfigRowStatus.2.7=6 casConfigRowStatus.2.10=5", "casConfigRowStatus.2.8=6 casConfigRowStatus.2.11=4 casAddress.2.11=192.0.2.11 casKey.2.9=k", false},
		{"a row is created again", "casConfigRowStatus.2.7=6", "casConfigRowStatus.2.7=5", true},
		{"a row in the making is created again", "casConfigRowStatus.2.9=6", "casConfigRowStatus.2.9=4 casAddress.2.9=192.0.2.99", true},
		{"the created row is destroyed", "casConfigRowStatus.2.10=4 casAddress.2.10=192.0.2.10", "casConfigRowStatus.2.10=6", true},
		{"the changed row is changed", "casKey.2.9=a", "casKey.2.9=b", true},
		{"the changed row is active", "casKey.2.9=a", "casConfigRowStatus.2.9=1", true},
		{"the address is taken", "casConfigRowStatus.2.7=6", "casConfigRowStatus.2.10=4 casAddress.2.10=192.0.2.7", true},
		{"the index of a server of the file", "casConfigRowStatus.2.1=6", "casConfigRowStatus.2.1=5", true},
		{"the scalar", "casServerStateChangeEnable.0=1", "casServerStateChangeEnable.0=1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, alone := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1")), newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
			d.must(t, strings.Split(rows, ",")...)
			alone.must(t, strings.Split(rows, ",")...)
			first := d.test(t, tt.first)
			if err := first.Commit(); err != nil {
				t.Fatal(err)
			}
			d.must(t, tt.second)
			between := d.image(t)
			err := first.Undo()
			if se, _ := errors.AsType[*mib.SetError](err); tt.failed != (se != nil && se.Status == mib.UndoFailed) {
				t.Fatalf("undo: %v", err)
			}
			want := between
			if !tt.failed {
				alone.must(t, tt.second)
				want = alone.image(t)
			}
			if diff := diffImages(want, d.image(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTwoManagers: the SETs of two managers pass the test, then both are committed. If the second one
// cannot be made after the first one, it is commitFailed and changes nothing.
func TestTwoManagers(t *testing.T) {
	const complete = "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7"
	tests := []struct{ name, before, first, second, want string }{
		{"one index", "", complete, "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.8", "commitFailed 1"},
		{"one index, not active", "", "casConfigRowStatus.2.7=5", "casConfigRowStatus.2.7=5", "commitFailed 1"},
		{"one address", "", complete, "casAddress.2.8=192.0.2.7 casConfigRowStatus.2.8=4", "commitFailed 2"},
		{"different rows", "", complete, "casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8", "noError"},
		{"destroyed, then changed", "casConfigRowStatus.2.7=5", "casConfigRowStatus.2.7=6", "casKey.2.7=x", "commitFailed 1"},
		{"active, then changed", "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.7", "casConfigRowStatus.2.7=1", "casConfigRowStatus.2.8=5 casKey.2.7=x", "commitFailed 2"},
		{"active twice", "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.7", "casConfigRowStatus.2.7=1", "casConfigRowStatus.2.7=1", "commitFailed 1"},
		{"destroyed twice", complete, "casConfigRowStatus.2.7=6", "casConfigRowStatus.2.7=6", "noError"},
		{"two columns of a row", "casConfigRowStatus.2.7=5", "casKey.2.7=a", "casAddress.2.7=192.0.2.7", "noError"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t)
			d.must(t, tt.before)
			first, second := d.test(t, tt.first), d.test(t, tt.second)
			if err := first.Commit(); err != nil {
				t.Fatal(err)
			}
			first.Cleanup()
			between := d.image(t)
			if got := statusOf(second.Commit()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if diff := diffImages(between, d.image(t)); tt.want != "noError" && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCommitFails: the overlay cannot be applied. Nothing has changed.
func TestCommitFails(t *testing.T) {
	broken := errors.New("no space left on device")
	const text = "casServerStateChangeEnable.0=1 casConfigRowStatus.2.8=5 casConfigRowStatus.2.7=1"
	tests := []struct {
		name  string
		fails []error // of each call
		want  string
	}{
		{"the scalar", []error{broken}, "commitFailed 1"},
		{"the servers", []error{nil, broken}, "commitFailed 3"},
		{"the servers, and the scalar is not restored", []error{nil, broken, broken}, "undoFailed 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t)
			d.must(t, "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.7")
			before := d.image(t)
			calls := 0
			d.fail = func() (err error) {
				if calls < len(tt.fails) {
					err = tt.fails[calls]
				}
				calls++
				return err
			}
			err := d.set(assign(text))
			if got := statusOf(err); got != tt.want || !errors.Is(err, broken) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			after := d.image(t)
			if strings.HasPrefix(tt.want, "undoFailed") {
				before.Enabled, before.Table[0] = true, after.Table[0]
			}
			if diff := diffImages(before, after); diff != "" {
				t.Error(diff)
			}
			d.fail = nil
			d.must(t, text)
		})
	}
}

// TestCheck: a SET after which the configuration would not be valid is inconsistentValue. It is only
// checked if servers change.
func TestCheck(t *testing.T) {
	invalid := errors.New("group radius has no servers")
	d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
	checks := 0
	d.mod.Check = func(next servers.Overlay) error {
		checks++
		if len(next.Destroyed) > 0 && len(next.Created) == 0 {
			return invalid
		}
		return nil
	}
	d.must(t, "casServerStateChangeEnable.0=1 casConfigRowStatus.2.7=5")
	if checks != 0 {
		t.Errorf("%d checks", checks)
	}
	before := d.image(t)
	if err := d.set(assign("casKey.2.7=k casConfigRowStatus.2.1=6")); statusOf(err) != "inconsistentValue 2" || !errors.Is(err, invalid) {
		t.Errorf("got %v", err)
	}
	if diff := diffImages(before, d.image(t)); diff != "" {
		t.Error(diff)
	}
	d.must(t, "casConfigRowStatus.2.1=6 casConfigRowStatus.2.7=1 casAddress.2.7=192.0.2.7")
}

// TestUndoFails: the overlay cannot be applied again. The rest is as the commit has left it.
func TestUndoFails(t *testing.T) {
	broken := errors.New("no space left on device")
	log := &logtest.Buffer{}
	d := newLoggingDaemon(t, slog.New(slog.NewTextHandler(log, nil)))
	d.must(t, "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.7")
	set := d.test(t, "casConfigRowStatus.2.7=1")
	if err := set.Commit(); err != nil {
		t.Fatal(err)
	}
	before := d.image(t)
	d.fail = func() error { return broken }
	if err := set.Undo(); !errors.Is(err, broken) || statusOf(err) != "undoFailed 1" {
		t.Errorf("undo: %v", err)
	}
	if diff := diffImages(before, d.image(t)); diff != "" {
		t.Error(diff)
	}
	if log.Count("undo failed") != 1 {
		t.Errorf("log: %s", log)
	}
}

// TestTurns: a commit waits for one that is in progress, but not longer than turnWait. Reading does not
// wait.
func TestTurns(t *testing.T) {
	tests := []struct {
		name  string
		takes time.Duration // of the first one
		want  string
	}{
		{"short", 300 * time.Millisecond, "noError"},
		{"long", 600 * time.Millisecond, "commitFailed 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDaemon(t)
				first, second := d.test(t, "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7"), d.test(t, "casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8")
				inApply := make(chan struct{}, 1)
				d.fail = func() error {
					if d.limit == commitLimit {
						inApply <- struct{}{}
						time.Sleep(tt.takes)
					}
					return nil
				}
				done := make(chan error)
				go func() { done <- first.Commit() }()
				<-inApply
				begin := time.Now()
				if got := d.get("casConfigRowStatus.2.7"); got != "noSuchInstance" {
					t.Errorf("before it is applied the row is %s", got)
				}
				if time.Since(begin) != 0 {
					t.Error("reading waits")
				}
				if got := statusOf(second.Commit()); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if d := time.Since(begin); d > turnWait {
					t.Errorf("after %s", d)
				}
				if tt.want == "noError" && d.limit != commitLimit-tt.takes {
					t.Errorf("the second one may take %s", d.limit)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				if got := d.get("casConfigRowStatus.2.7"); got != "1" {
					t.Errorf("in the end the row is %s", got)
				}
			})
		})
	}
}

// TestUndoWaits: an undo is made however long another commit has the turn, and however long it takes
// itself. The agents have answered then.
func TestUndoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDaemon(t)
		set := d.test(t, "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7")
		if err := set.Commit(); err != nil {
			t.Fatal(err)
		}
		d.fail = func() error { time.Sleep(10 * time.Second); return nil }
		other := d.test(t, "casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8")
		committed := make(chan error)
		go func() { committed <- other.Commit() }()
		synctest.Wait()
		if err := set.Undo(); err != nil {
			t.Error(err)
		}
		if err := <-committed; err != nil {
			t.Error(err)
		}
		for name, want := range map[string]string{"casConfigRowStatus.2.7": "noSuchInstance", "casConfigRowStatus.2.8": "1"} {
			if got := d.get(name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	})
}

// TestRowsEnd: a row that is not active ends 5 minutes after its creation, whatever was SET since. An
// active one stays.
func TestRowsEnd(t *testing.T) {
	d := newDaemon(t)
	d.must(t, "casConfigRowStatus.2.7=5", "casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8")
	d.pass(2 * time.Minute)
	d.must(t, "casConfigRowStatus.2.9=5 casAddress.2.9=192.0.2.9")
	d.pass(3*time.Minute - time.Nanosecond)
	d.must(t, "casKey.2.7=k")
	set, late := d.test(t, "casAddress.2.7=192.0.2.7"), d.test(t, "casKey.2.9=k")
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := d.get("casConfigRowStatus.2.7"); got != "3" {
		t.Errorf("before 5 minutes it is %s", got)
	}
	d.pass(time.Nanosecond)
	if got := d.get("casConfigRowStatus.2.7"); got != "noSuchInstance" {
		t.Errorf("after 5 minutes it is %s", got)
	}
	if got := statusOf(set.Commit()); got != "commitFailed 1" {
		t.Errorf("a commit that was tested before: %s", got)
	}
	if got := statusOf(d.set(assign("casKey.2.7=k"))); got != "inconsistentName 1" {
		t.Errorf("a SET: %s", got)
	}
	d.must(t, "casConfigRowStatus.2.7=5")
	if got := d.get("casConfigRowStatus.2.9") + d.get("casConfigRowStatus.2.8"); got != "21" {
		t.Errorf("the other rows are %s", got)
	}
	d.pass(10 * time.Minute)
	if err := late.Undo(); err != nil {
		t.Errorf("undo of a row that has ended: %v", err)
	}
	if got := d.get("casConfigRowStatus.2.9") + d.get("casConfigRowStatus.2.8"); got != "noSuchInstance1" {
		t.Errorf("in the end the other rows are %s", got)
	}
}

// TestClockSteps: the end of a row has a monotonic reading, so steps of the time of day do not matter.
func TestClockSteps(t *testing.T) {
	d := newDaemon(t)
	d.mod.Now = time.Now
	d.must(t, "casConfigRowStatus.2.7=5", "casKey.2.7=k")
	if ends := (*d.mod.making.Load())[0].ends(); !strings.Contains(ends.String(), " m=") {
		t.Errorf("the row ends at %s", ends)
	}
}

// TestLog: each server and the scalar have a line with the sender, never with the key.
func TestLog(t *testing.T) {
	log := &logtest.Buffer{}
	d := newLoggingDaemon(t, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), entryOf(servers.RADIUS, 1, "192.0.2.1"))
	set, err := d.tree.TestBy(mib.Requester{Name: "carol", Address: "198.51.100.1:4000"}, assign("casServerStateChangeEnable.0=1 casConfigRowStatus.2.1=6 casKey.2.7=S3CRET casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casConfigRowStatus.1.8=5 casKey.1.8=S3CRET"))
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Commit(); err != nil {
		t.Fatal(err)
	}
	if log.String() != "" {
		t.Errorf("before cleanup: %s", log)
	}
	set.Cleanup()
	const by = `by=carol from=198.51.100.1:4000 `
	for _, line := range []string{
		`level=INFO msg="server created by SNMP" ` + by + `server=snmp-radius-7 address=192.0.2.7`,
		`level=INFO msg="server destroyed by SNMP" ` + by + `server=radius1 address=192.0.2.1`,
		`level=INFO msg="snmp: value changed by a SET" ` + by + `object=casServerStateChangeEnable now=true`,
		`level=DEBUG msg="server row in the making changed by SNMP" ` + by + `object=casConfigRowStatus.1.8 now=3`,
	} {
		if log.Count(line) != 1 {
			t.Errorf("no line %s", line)
		}
	}
	if log.Count("\n") != 4 || strings.Contains(log.String(), "S3CRET") {
		t.Errorf("log: %s", log)
	}
}
