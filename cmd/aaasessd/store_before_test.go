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

	"aaasess/cmd/internal/api"
	"aaasess/sessions/radius/radiustest"
)

// storeBefore is a store written by the version of commit aaa7c72, with the content of
// storeWritten. In that version each record was in the queue of the method that was to deliver it.
// With AAASESS_STORE_BEFORE=PROGRAM, that aaasessd writes it again.
const (
	storeBefore        = "testdata/store-before.tar.gz"
	storeBeforeProgram = "AAASESS_STORE_BEFORE"
)

// storeSession is a session in storeBefore. Its number is its place, from 1.
type storeSession struct {
	user string
	live bool
	// Records by their queue, in order.
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

// storeText returns a configuration with the groups z and g. list is the method list; keys are
// further keys of z.
func storeText(t *testing.T, listen, list, keys string, z, g netip.AddrPort) string {
	t.Helper()
	text := with(t, groupConfig(t, "z", z.String(), g.String()), "127.0.0.1:0", listen, "[group z]", list, "servers: [r0, r1]", "servers: [r0]")
	return with(t, text, "hold-down: 0s}", "hold-down: 0s"+keys+"}\n"+
		"    - {name: g, servers: [r1], timeout: 100ms, retransmit: 0, hold-down: 0s, backoff: {max-delay: 1s, retry: 1}}")
}

// storeWriter runs an older aaasessd that writes a store.
type storeWriter struct {
	*crashDaemon
	z, g  *upstream
	spool *api.SpoolStatus // from the last request
}

// run starts a life with a method list.
func (w *storeWriter) run(list, keys string) {
	w.t.Helper()
	w.configure(storeText(w.t, w.addr.String(), list, keys, w.z.addrPort(), w.g.addrPort()))
	w.start()
	if !w.awaitUp() {
		w.t.Fatal(w.history.report(), w.logs())
	}
}

func (w *storeWriter) send(status rfc2866.AcctStatusType, user string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	if _, err := radiustest.Account(ctx, netip.MustParseAddrPort("127.0.0.1:0"), w.addr, packet(status, user, user)); err != nil {
		w.t.Fatalf("no answer: %v\n%s", err, w.logs())
	}
}

// await waits for a condition on the status of the spool.
func (w *storeWriter) await(what string, cond func() bool) {
	w.t.Helper()
	eventually(w.t, what, func() bool {
		var err error
		w.spool, err = w.client.Spool(w.t.Context())
		return err == nil && cond()
	}, &w.spool)
}

// awaitLen waits until a queue has this number of records.
func (w *storeWriter) awaitLen(queue string, n uint64) {
	w.t.Helper()
	w.await(fmt.Sprintf("%d records are in %s", n, queue), func() bool {
		at := slices.IndexFunc(w.spool.Queues, func(q api.Queue) bool { return q.Queue == queue })
		return at >= 0 && w.spool.Queues[at].Records == n
	})
}

// write writes the store.
func (w *storeWriter) write() error {
	w.g.ignored = storeRecord(acctStart, 1)
	w.run("[group g]", "")
	for _, user := range []string{"aside", "over", "live"} {
		w.send(acctStart, user)
	}
	w.send(acctStop, "over")
	w.await("one is set aside", func() bool {
		w.send(acctInterim, "live") // its records are answered meanwhile
		return w.spool.SetAside == 1
	})
	w.awaitLen("group/g", 0)
	w.end()

	w.z.setSilent(true)
	w.g.setSilent(true)
	w.run("[group z, group g]", "") // z gives up at once
	moved, stay := uint64(0), uint64(0)
	for _, s := range storeSessions {
		for _, status := range s.inG {
			w.send(status, s.user)
			moved++
			w.awaitLen("group/g", moved)
		}
	}
	w.end()

	w.run("[group z, group g]", ", backoff: {max-delay: 1h, retry: 32}") // z does not give up
	for _, s := range storeSessions {
		for _, status := range s.inZ {
			w.send(status, s.user)
			stay++
		}
	}
	w.awaitLen("group/z", stay)
	w.awaitLen("group/g", moved)
	w.end()
	return packStore(storeBefore, filepath.Join(w.dir, "state"))
}

// packStore archives the files of a store, without its ballast and its lock.
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

// unpackStore returns a folder with the files of such an archive.
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

// journal records what servers answered, in order.
type journal struct {
	mu     sync.Mutex
	events []string
}

func (j *journal) add(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, what)
}

// firsts returns the positions of the first occurrences. It leaves out what did not occur.
func (j *journal) firsts() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[string]int{}
	for i, what := range slices.Backward(j.events) {
		out[what] = i
	}
	return out
}

// await waits until all of these were answered.
func (j *journal) await(t *testing.T, want ...string) {
	t.Helper()
	var missing []string
	eventually(t, "all has arrived", func() bool {
		firsts := j.firsts()
		missing = slices.DeleteFunc(slices.Clone(want), func(what string) bool { _, ok := firsts[what]; return ok })
		return len(missing) == 0
	}, &missing)
}

// TestStoreBefore: all data of an older version is kept, and all records arrive. Those of a session
// arrive in the order of their old queue, and before later ones.
func TestStoreBefore(t *testing.T) {
	if program := os.Getenv(storeBeforeProgram); program != "" {
		w := &storeWriter{crashDaemon: newCrashDaemon(t, newCrashHistory()), z: listen(t, "127.0.0.1:0"), g: listen(t, "127.0.0.1:0")}
		w.older = program
		if err := w.write(); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range []string{"[group z, group g]", "[group g, group z]", "[group z]"} {
		t.Run(list, func(t *testing.T) { testStoreBefore(t, list) })
	}
}

func testStoreBefore(t *testing.T, list string) {
	z, g := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var answered journal
	z.observe(answered.add)
	g.observe(answered.add)
	l := &inProcess{t: t, dir: t.TempDir()}
	l.file = filepath.Join(l.dir, "aaasess.yaml")
	unpackStore(t, storeBefore, filepath.Join(l.dir, "state"))
	l.configure(storeText(t, "127.0.0.1:0", list, "", z.addrPort(), g.addrPort()))
	l.start(environment{})

	var live, stops []string
	var orders [][]string // of the records in a queue
	for i, s := range storeSessions {
		if s.live {
			live = append(live, fmt.Sprint(s.user, " ", i+1))
			stops = append(stops, storeRecord(acctStop, i+1))
		}
		for _, queue := range [][]rfc2866.AcctStatusType{s.inG, s.inZ} {
			var order []string
			for _, status := range queue {
				order = append(order, storeRecord(status, i+1))
			}
			orders = append(orders, order)
		}
	}
	slices.Sort(live)
	if diff := cmp.Diff(live, l.live()); diff != "" {
		t.Error("live sessions:", diff)
	}
	answered.await(t, slices.Concat(orders...)...)
	aside, err := l.client().SetAside(t.Context(), 0, 10)
	if err != nil || len(aside.Records) != 1 || aside.Records[0].User != "aside" || aside.Records[0].From != "group/g" {
		t.Fatalf("set aside: %+v, %v", aside, err)
	}
	if n, err := l.client().Replay(t.Context(), api.RecordsRequest{All: true}); n != 1 || err != nil {
		t.Errorf("%d records are replayed, %v", n, err)
	}
	answered.await(t, storeRecord(acctStart, 1))
	for _, s := range storeSessions {
		if s.live {
			l.mustAccount(packet(acctStop, s.user, s.user))
		}
	}
	answered.await(t, stops...) // with their numbers

	firsts := answered.firsts()
	for _, order := range orders {
		if !slices.IsSortedFunc(order, func(a, b string) int { return firsts[a] - firsts[b] }) {
			t.Errorf("%q arrived in another order: %q", order, answered.events)
		}
	}
}

// live returns the live sessions, as "Acct-Session-Id number", sorted.
func (l *inProcess) live() (out []string) {
	l.t.Helper()
	rows, err := l.client().Sessions(l.t.Context(), api.Query{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	for s, err := range rows.All() {
		if err != nil {
			l.t.Fatal(err)
		}
		out = append(out, fmt.Sprint(s.AcctSessionID, " ", s.Number))
	}
	slices.Sort(out)
	return out
}
