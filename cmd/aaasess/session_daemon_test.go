package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	localreport "aaasess/sessions/local/report"
)

// localDaemon is the other end of the local socket: it keeps the reports that arrive.
type localDaemon struct {
	socket string

	mu      sync.Mutex
	got     []arrived
	status  int           // of each answer
	answer  string        // to each report
	ends    bool          // it rejects ways to end a session if false
	waiting chan struct{} // if not nil, it is closed when a report has arrived, which then gets no answer
}

// arrived is a report as it has arrived.
type arrived struct {
	Verb, Key string
	Report    localreport.Report
}

const aliceAnswer = `{"session":{"id":"0000000D","number":13,"kind":"network","state":"active","user":"alice"}}`

// startLocalDaemon starts a daemon that answers all reports.
func startLocalDaemon(t testing.TB) *localDaemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "local")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &localDaemon{socket: filepath.Join(dir, "s"), status: http.StatusOK, answer: aliceAnswer, ends: true}
	l, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: d}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return d
}

// ServeHTTP implements http.Handler.
func (d *localDaemon) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	a := arrived{Verb: strings.TrimPrefix(req.URL.Path, "/v1/"), Key: req.Header.Get(localreport.KeyHeader)}
	dec := json.NewDecoder(req.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a.Report); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.got = append(d.got, a)
	status, answer, waiting := d.status, d.answer, d.waiting
	if a.Report.End != nil && !d.ends {
		status, answer = http.StatusBadRequest, `{"title":"Bad Request","detail":"no such process","pointer":"/end/signal/pid"}`
	}
	d.mu.Unlock()
	if waiting != nil {
		close(waiting)
		<-req.Context().Done()
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// will sets the answer to further reports.
func (d *localDaemon) will(status int, answer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status, d.answer, d.waiting = status, answer, nil
}

// hang makes the next report wait until its sender goes. The channel is closed when it has arrived.
func (d *localDaemon) hang() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = make(chan struct{})
	return d.waiting
}

// reports returns what has arrived, and forgets it.
func (d *localDaemon) reports() []arrived {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.got
	d.got = nil
	return got
}

// build builds the command once.
var build = sync.OnceValues(func() (string, error) {
	file := filepath.Join(sharedDir, "aaasess")
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return file, err
})

// program returns the command as a program.
func program(t testing.TB) string {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
