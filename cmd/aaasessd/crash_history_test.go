package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/sessions"
)

// crashHistory is the history of a campaign. It is checked while it grows.
type crashHistory struct {
	mu      sync.Mutex
	began   time.Time
	entries []crashtest.Observation
	times   []time.Duration
	places  []historyPlace
	records map[crashKey]crashtest.Record // records that NASes have sent, by what identifies them in a packet
	bad     chan struct{}                 // closed at the first violation
	counts  map[string]int                // events for the summary
}

// historyPlace is where all records must arrive.
type historyPlace struct {
	at      string // of its observations; "": any
	checker *crashtest.Checker
}

// newCrashHistory returns an empty history. All records must arrive at each of these groups, or, if
// there are none, anywhere.
func newCrashHistory(groups ...string) *crashHistory {
	h := &crashHistory{began: time.Now(), bad: make(chan struct{}), counts: map[string]int{}, records: map[crashKey]crashtest.Record{}}
	for _, g := range groups {
		h.places = append(h.places, historyPlace{arrivalAt(g), &crashtest.Checker{}})
	}
	if len(groups) == 0 {
		h.places = []historyPlace{{"", &crashtest.Checker{}}}
	}
	return h
}

// arrivalAt is the text of arrivals at a group.
func arrivalAt(group string) string { return "at " + group }

// violations returns the violations at all places. The caller holds mu, or nothing is added any
// more.
func (h *crashHistory) violations() (all []crashtest.Violation) {
	for _, p := range h.places {
		all = append(all, p.checker.Violations()...)
	}
	return all
}

// crashKey identifies a record at an accounting server. The Event-Timestamp distinguishes sessions
// of one name.
type crashKey struct {
	name   string
	kind   sessions.EventType
	stamp  int64
	octets uint32
}

// sends adds a record to the history before its NAS sends it. An Accounting-On has no key: it does
// not go to an accounting server.
func (h *crashHistory) sends(k crashKey, o crashtest.Observation) {
	if k.kind == sessions.On {
		h.add(o)
		return
	}
	h.mu.Lock()
	if was, ok := h.records[k]; ok {
		h.mu.Unlock()
		h.add(crashtest.Observation{Kind: crashtest.Failed, Text: fmt.Sprintf("the harness: %s and %s look the same", was, o.Record)})
		return
	}
	h.records[k] = o.Record
	h.mu.Unlock()
	h.add(o)
}

// recordOf returns the record of a packet.
func (h *crashHistory) recordOf(k crashKey) crashtest.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r, ok := h.records[k]; ok {
		return r
	}
	return crashtest.Record{Session: k.name, Type: k.kind, Nth: -1} // no NAS has sent it
}

// add adds an observation. A NAS must send only after add has returned.
func (h *crashHistory) add(o crashtest.Observation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, o)
	h.times = append(h.times, time.Since(h.began))
	none := len(h.violations()) == 0
	arrives := o.Kind == crashtest.Arrived || o.Kind == crashtest.Generated
	for _, p := range h.places {
		if !arrives || p.at == "" || p.at == o.Text {
			p.checker.Add(&o)
		}
	}
	if none && len(h.violations()) > 0 {
		close(h.bad)
	}
}

func (h *crashHistory) record(kind crashtest.Kind, r crashtest.Record) {
	h.add(crashtest.Observation{Kind: kind, Record: r})
}

// count counts an event for the summary.
func (h *crashHistory) count(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[what]++
}

func (h *crashHistory) counted(what string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts[what]
}

// missing returns some of the observations that must still come.
func (h *crashHistory) missing() []crashtest.Observation {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []crashtest.Observation
	for _, p := range h.places {
		all = append(all, p.checker.Missing(10)...)
	}
	return all
}

// found reports whether the text of a violation contains a text.
func (h *crashHistory) found(text string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.violations(), func(v crashtest.Violation) bool { return strings.Contains(v.Text, text) })
}

// report formats the violations, each with all observations of its session.
func (h *crashHistory) report() string {
	const most = 8
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	found := h.violations()
	for _, v := range found[:min(most, len(found))] {
		fmt.Fprintf(&b, "%v\n", v)
		for i := range h.entries {
			if v.Session != "" && h.entries[i].Concerns(v.Session) {
				fmt.Fprintf(&b, "\t%6d %8.3fs %v\n", i, h.times[i].Seconds(), &h.entries[i])
			}
		}
	}
	if n := len(found) - most; n > 0 {
		fmt.Fprintf(&b, "and %d more\n", n)
	}
	return b.String()
}

// summary formats the counts of all events.
func (h *crashHistory) summary() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	begun, sent, answered, arrived := 0, 0, 0, 0
	for i := range h.entries {
		switch o := &h.entries[i]; o.Kind {
		case crashtest.Sent:
			sent++
			if o.Record.Type == sessions.Start {
				begun++
			}
		case crashtest.Answered:
			answered++
		case crashtest.Arrived:
			arrived++
		}
	}
	return fmt.Sprintf("%d sessions, %d records sent, %d answered, %d arrived with copies; %v", begun, sent, answered, arrived, h.counts)
}
