package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/internal/control"
	"aaasess/sessions/radius/radiustest"
)

// storeBefore is a store that the version of commit aaa7c72 wrote, as storeWritten says: there each record stood in the queue of
// the method whose turn it was. With AAASESS_STORE_BEFORE=PROGRAM that aaasessd writes it anew.
const (
	storeBefore        = "testdata/store-before.tar.gz"
	storeBeforeProgram = "AAASESS_STORE_BEFORE"
)

// storeSession is a session in storeBefore. Its number is its place, from 1.
type storeSession struct {
	user string
	live bool
	// Records by the queue that they wait in, in their order there.
	inG, inZ []rfc2866.AcctStatusType
}

// storeSessions are the sessions of storeBefore. The start of the first is set aside.
var storeSessions = []storeSession{
	{"aside", true, nil, nil},
	{"over", false, nil, nil},
	{"live", true, nil, nil},
	{"moved", true, []rfc2866.AcctStatusType{acctStart, acctInterim}, nil},
	{"moved-over", false, []rfc2866.AcctStatusType{acctStart, acctStop}, nil},
	{"both", true, []rfc2866.AcctStatusType{acctStart}, []rfc2866.AcctStatusType{acctInterim}},
	{"both-over", false, []rfc2866.AcctStatusType{acctStart}, []rfc2866.AcctStatusType{acctStop}},
	{"waits", true, nil, []rfc2866.AcctStatusType{acctStart, acctInterim}},
	{"waits-over", false, nil, []rfc2866.AcctStatusType{acctStart, acctStop}},
}

func storeRecord(status rfc2866.AcctStatusType, number int) string {
	return fmt.Sprintf("%s %08X", status, number)
}

// storeText is a configuration with the groups z and g. A list is as in the file; keys are of z.
func storeText(t *testing.T, listen, list, keys string, z, g netip.AddrPort) string {
	t.Helper()
	text := with(t, groupConfig(t, "z", z.String(), g.String()), "127.0.0.1:0", listen, "[group z]", list, "servers: [r0, r1]", "servers: [r0]")
	return with(t, text, "hold-down: 0s}", "hold-down: 0s"+keys+"}\n"+
		"    - {name: g, servers: [r1], timeout: 100ms, retransmit: 0, hold-down: 0s, backoff: {max-delay: 1s, retry: 1}}")
}

// writeStoreBefore has an aaasessd write the store.
func writeStoreBefore(t *testing.T, program string) {
	t.Helper()
	z, g := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	g.ignored = storeRecord(acctStart, 1)
	d := newCrashDaemon(t, newCrashHistory())
	d.older = program
	run := func(list, keys string) {
		d.configure(storeText(t, d.addr.String(), list, keys, z.addrPort(), g.addrPort()))
		d.start()
		if !d.awaitUp() {
			t.Fatal(d.history.report(), d.logs())
		}
	}
	send := func(status rfc2866.AcctStatusType, user string) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		if _, err := radiustest.Account(ctx, netip.MustParseAddrPort("127.0.0.1:0"), d.addr, packet(status, user, user)); err != nil {
			t.Fatalf("no answer: %v\n%s", err, d.logs())
		}
	}
	var spool *control.SpoolStatus
	await := func(what string, cond func() bool) {
		eventually(t, what, func() bool {
			var err error
			spool, err = d.client.Spool(t.Context())
			return err == nil && cond()
		}, &spool)
	}
	waits := func(queue string, n int) func() bool {
		return func() bool {
			at := slices.IndexFunc(spool.Queues, func(q control.Queue) bool { return q.Queue == queue })
			return at >= 0 && int(spool.Queues[at].Records) == n
		}
	}

	run("[group g]", "")
	for _, user := range []string{"aside", "over", "live"} {
		send(acctStart, user)
	}
	send(acctStop, "over")
	await("one is set aside", func() bool {
		send(acctInterim, "live") // what is answered meanwhile
		return spool.SetAside == 1
	})
	await("the others are delivered", waits("group/g", 0))
	d.end()

	z.setSilent(true)
	g.setSilent(true)
	run("[group z, group g]", "")
	for i, s := range storeSessions {
		for k, status := range s.inG {
			send(status, s.user)
			await(fmt.Sprintf("record %d of session %d is moved", k, i+1), waits("group/z", 0))
		}
	}
	d.end()

	run("[group z, group g]", ", backoff: {max-delay: 1h, retry: 32}")
	for _, s := range storeSessions {
		for _, status := range s.inZ {
			send(status, s.user)
		}
	}
	await("they wait at z", waits("group/z", 6))
	await("and at g", waits("group/g", 6))
	d.end()
	if err := packStore(storeBefore, filepath.Join(d.dir, "state")); err != nil {
		t.Fatal(err)
	}
}

// packStore writes the files of a store, but for its ballast and its lock.
func packStore(file, dir string) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	zip := gzip.NewWriter(out)
	w := tar.NewWriter(zip)
	defer func() { err = errors.Join(err, w.Close(), zip.Close(), out.Close()) }()
	return fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || slices.Contains([]string{"BALLAST", "LOCK"}, strings.ToUpper(entry.Name())) {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b))}); err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
}

// unpackStore makes a folder with the files that packStore wrote.
func unpackStore(t *testing.T, file, dir string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	zip, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// journal is what servers answered, in one order.
type journal struct {
	mu   sync.Mutex
	told []string
}

func (j *journal) tell(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.told = append(j.told, what)
}

// firsts are the places where things were first told; those that never were are missing.
func (j *journal) firsts() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[string]int{}
	for i, what := range slices.Backward(j.told) {
		out[what] = i
	}
	return out
}

// TestStoreBefore: all that a version before left is there, and arrives: the records of a session in the order of the queue that
// they stood in, and then what comes later.
func TestStoreBefore(t *testing.T) {
	if program := os.Getenv(storeBeforeProgram); program != "" {
		writeStoreBefore(t, program)
	}
	for _, list := range []string{"[group z, group g]", "[group g, group z]", "[group z]"} {
		t.Run(list, func(t *testing.T) { testStoreBefore(t, list) })
	}
}

func testStoreBefore(t *testing.T, list string) {
	z, g := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var answered journal
	z.tell, g.tell = answered.tell, answered.tell
	l := &inProcess{t: t, dir: t.TempDir()}
	l.file = filepath.Join(l.dir, "aaasess.yaml")
	unpackStore(t, storeBefore, filepath.Join(l.dir, "state"))
	l.configure(storeText(t, "127.0.0.1:0", list, "", z.addrPort(), g.addrPort()))
	l.start(outside{})

	var live []string
	rows, err := l.client().Sessions(t.Context(), control.Query{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for s, err := range rows.All() {
		if err != nil {
			t.Fatal(err)
		}
		live = append(live, fmt.Sprint(s.AcctSessionID, " ", s.Number))
	}
	var wantLive, want []string
	var orders [][]string // of what stood in a queue
	for i, s := range storeSessions {
		if s.live {
			wantLive = append(wantLive, fmt.Sprint(s.user, " ", i+1))
		}
		for _, queue := range [][]rfc2866.AcctStatusType{s.inG, s.inZ} {
			var order []string
			for _, status := range queue {
				order = append(order, storeRecord(status, i+1))
			}
			want = append(want, order...)
			orders = append(orders, order)
		}
	}
	slices.Sort(live)
	slices.Sort(wantLive)
	if diff := cmp.Diff(wantLive, live); diff != "" {
		t.Error("live sessions:", diff)
	}

	var missing []string
	await := func(what string, want []string) {
		t.Helper()
		eventually(t, what, func() bool {
			firsts := answered.firsts()
			missing = slices.DeleteFunc(slices.Clone(want), func(record string) bool { _, ok := firsts[record]; return ok })
			return len(missing) == 0
		}, &missing)
	}
	await("all that waited has arrived", want)
	aside, err := l.client().SetAside(t.Context(), 0, 10)
	if err != nil || len(aside.Records) != 1 || aside.Records[0].User != "aside" || aside.Records[0].From != "group/g" {
		t.Fatalf("set aside: %+v, %v", aside, err)
	}
	if n, err := l.client().Replay(t.Context(), control.RecordsRequest{All: true}); n != 1 || err != nil {
		t.Errorf("%d records are replayed, %v", n, err)
	}
	await("so has what was set aside", []string{storeRecord(acctStart, 1)})
	want = nil
	for i, s := range storeSessions {
		if s.live {
			l.mustAccount(packet(acctStop, s.user, s.user))
			want = append(want, storeRecord(acctStop, i+1))
		}
	}
	await("sessions go on under their numbers", want)

	firsts := answered.firsts()
	for _, order := range orders {
		if !slices.IsSortedFunc(order, func(a, b string) int { return firsts[a] - firsts[b] }) {
			t.Errorf("%q arrived in another order: %q", order, answered.told)
		}
	}
}
