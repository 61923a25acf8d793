package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/sessions"
	"aaasess/store"
)

var _ accounting.Method = (*Writer)(nil)

// startWriter opens a file and runs its writer until the test ends.
func startWriter(t testing.TB, path string, log *bytes.Buffer) *Writer {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	w, err := Open(path, radius.Standard, logger)
	if err != nil {
		t.Fatal(err)
	}
	run(t, w)
	return w
}

// run runs a writer. end ends it, as the end of the test does.
func run(t testing.TB, w *Writer) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(end)
	return end
}

// send writes a record and waits for the answer.
func send(t testing.TB, w *Writer, id sessions.ID) error {
	t.Helper()
	answer := make(chan error, 1)
	w.Send(&accounting.Record{Session: id, Type: sessions.Stop, At: eventAt, List: "x"}, retry.Progress{}, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("no answer")
		return nil
	}
}

// numbers returns the sessions of the lines of a file; 0 for a line that is not ours.
func numbers(t testing.TB, path string) (ids []int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		id := 0
		if _, rest, ok := strings.Cut(line, `"number":`); ok && strings.HasSuffix(line, "}\n") {
			if _, err := fmt.Sscan(strings.SplitN(rest, ",", 2)[0], &id); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, id)
	}
	return ids
}

func same(t testing.TB, path string, want ...int) {
	t.Helper()
	if got := numbers(t, path); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s has %v, want %v", filepath.Base(path), got, want)
	}
}

func TestWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounting.jsonl")
	w := startWriter(t, path, nil)
	for id := range 3 {
		if err := send(t, w, sessions.ID(id+1)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, path, 1, 2, 3)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&^0o640 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if w.String() != "accounting to "+path || w.Window() < 1 {
		t.Error(w.String(), w.Window())
	}
}

// The content of the file stays. A line that a crash cut short is not joined with the next.
func TestWriterAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounting.jsonl")
	if err := os.WriteFile(path, []byte(`{"number":7,"x":{}}`+"\n"+`{"number":8,"att`), 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWriter(t, path, nil)
	if err := send(t, w, 9); err != nil {
		t.Fatal(err)
	}
	same(t, path, 7, 0, 9)
}

func TestWriterReopen(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "a"), filepath.Join(dir, "a.1")
	w := startWriter(t, path, nil)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(send(t, w, 1))
	must(os.Rename(path, old))
	must(send(t, w, 2))
	w.Reopen()
	must(send(t, w, 3))
	same(t, old, 1, 2)
	same(t, path, 3)
}

// Nothing is written to a file that has no name any more.
func TestWriterDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	var log bytes.Buffer
	w, err := Open(path, radius.Standard, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	end := run(t, w)
	if err := send(t, w, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := send(t, w, 2); err != nil {
		t.Fatal(err)
	}
	same(t, path, 2)
	end()
	if !strings.Contains(log.String(), "deleted") {
		t.Errorf("log %q", log.String())
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "file", "a"), filepath.Join(dir, "file", "none", "a")} {
		if w, err := Open(path, radius.Standard, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, %v", path, w, err)
		}
	}
}

// TestOpenMakesFolder: missing folders are made, for the user and the group of the process only.
func TestOpenMakesFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	w := startWriter(t, filepath.Join(dir, "file"), nil)
	if err := send(t, w, 1); err != nil {
		t.Fatal(err)
	}
	same(t, filepath.Join(dir, "file"), 1)
	for _, dir := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
}

// A full disk: the record is to be sent again, and no part of it stays in the file.
func TestWriterDiskFull(t *testing.T) {
	w, err := Open("/dev/full", radius.Standard, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	run(t, w)
	for range 2 {
		err := send(t, w, 1)
		if !errors.Is(err, accounting.ErrNoResponse) || !strings.Contains(err.Error(), "/dev/full") {
			t.Errorf("got %v", err)
		}
	}
}

// A write that fails half-way leaves only whole lines, and the next one works.
func TestWriterTruncates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	w, err := Open(path, radius.Standard, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	if err := withFileLimit(t, 6, func() error { return w.write([]byte("two\nthree\n")) }); !errors.Is(err, accounting.ErrNoResponse) {
		t.Fatalf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one\n" {
		t.Errorf("after the failure the file has %q", b)
	}
	if err := w.write([]byte("four\n")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one\nfour\n" {
		t.Errorf("the file has %q", b)
	}
	w.close()
}

// While the folder is missing, records are to be sent again. Then they are written.
func TestWriterFolderMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	path := filepath.Join(dir, "a")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w := startWriter(t, path, nil)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := send(t, w, 1); !errors.Is(err, accounting.ErrNoResponse) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := send(t, w, 1); err != nil {
		t.Error(err)
	}
	same(t, path, 1)
}

// At the end, every record that was sent is written. Later records are refused.
func TestWriterEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	w, err := Open(path, radius.Standard, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 3)
	for id := range sessions.ID(3) {
		w.Send(&accounting.Record{Session: id + 1, At: eventAt}, retry.Progress{}, func(err error) { answers <- err })
	}
	run(t, w)()
	for range 3 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	same(t, path, 1, 2, 3)
	if err := send(t, w, 4); !errors.Is(err, accounting.ErrStopped) {
		t.Errorf("after the end: %v", err)
	}
	same(t, path, 1, 2, 3)
}

// countedWriter is a Writer that counts down what it has written.
type countedWriter struct {
	*Writer
	left sync.WaitGroup
}

func (c *countedWriter) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	c.Writer.Send(rec, at, func(err error) {
		done(err)
		c.left.Done()
	})
}

// Behind a Delivery: the records of the store arrive in the file, each once and in order.
func TestWriterDelivers(t *testing.T) {
	st, err := store.Open("state", store.Config{Disk: store.NewDisk(), MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const n = 3000
	var c store.Change
	var want []int
	for id := range n {
		rec := &accounting.Record{Session: sessions.ID(id + 1), Type: sessions.Start, At: eventAt}
		c.Appends = append(c.Appends, store.Append{Queue: accounting.Local.Queue(), Data: accounting.AppendRecord(nil, rec)})
		want = append(want, id+1)
	}
	durable := make(chan error, 1)
	st.Commit(c, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a")
	m := &countedWriter{Writer: startWriter(t, path, nil)}
	m.left.Add(n)
	d := delivery.New(delivery.Config{}, st, slog.New(slog.DiscardHandler))
	d.SetMethod(accounting.Local, m, accounting.MethodConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	m.left.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if q := st.Queues(); q[0].Len != 0 {
		t.Errorf("left: %+v", q)
	}
	same(t, path, want...)
}

func BenchmarkWriter(b *testing.B) {
	w := startWriter(b, filepath.Join(b.TempDir(), "a"), nil)
	rec := stop()
	room := make(chan struct{}, window)
	b.ReportAllocs()
	for b.Loop() {
		room <- struct{}{}
		w.Send(rec, retry.Progress{}, func(err error) {
			if err != nil {
				b.Error(err)
			}
			<-room
		})
	}
	for range window {
		room <- struct{}{}
	}
}
