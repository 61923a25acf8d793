package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	localreport "aaasess/sessions/local/report"
)

// localDaemon is the other end of the local interface: it keeps the reports that arrive.
type localDaemon struct {
	socket string
	status int    // of each answer; 0: 200
	answer string // of each report

	mu  sync.Mutex
	got []arrived
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
	d := &localDaemon{socket: filepath.Join(dir, "s"), answer: aliceAnswer}
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
	d.mu.Unlock()
	w.WriteHeader(cmp.Or(d.status, http.StatusOK))
	_, _ = io.WriteString(w, d.answer)
}

// reports returns what has arrived, and forgets it.
func (d *localDaemon) reports() []arrived {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.got
	d.got = nil
	return got
}
