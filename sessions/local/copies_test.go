package local

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	localreport "aaasess/sessions/local/report"
)

// step is a report, some time after the one before.
type step struct {
	after time.Duration
	verb  localreport.Verb
	more  string // members besides the name of the session
}

// TestCopies: which reports without a key are copies, and what the others do.
func TestCopies(t *testing.T) {
	const (
		alice = `,"user":"alice","address":"10.8.0.2"`
		noon  = `,"at":"2026-01-02T03:00:00Z"`
		later = `,"at":"2026-01-02T03:01:00Z"`
	)
	start := func(after time.Duration, more string) step { return step{after, localreport.Start, more} }
	stop := func(after time.Duration, more string) step { return step{after, localreport.Stop, more} }
	update := func(after time.Duration, more string) step { return step{after, localreport.Update, more} }
	tests := []struct {
		name  string
		steps []step
		want  []string
	}{
		{"a hook runs twice", []step{start(0, alice), start(time.Second, alice), stop(time.Minute, ``), stop(time.Second, ``)}, []string{"Start 1", "Stop 1"}},
		{"the address comes later", []step{start(0, `,"user":"alice"`), start(time.Second, alice)}, []string{"Start 1", "Interim-Update 1"}},
		{"its stop was lost", []step{start(0, alice), start(time.Hour, alice)}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}},
		{"another user", []step{start(0, alice), start(time.Second, `,"user":"bob"`)}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}},
		{"another station", []step{start(0, alice+`,"callingStation":"a"`), start(time.Second, alice+`,"callingStation":"b"`)}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}},
		{"another address", []step{start(0, alice), start(time.Second, `,"user":"alice","address":"10.8.0.3"`)}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}},
		{"the same session again", []step{start(0, alice), stop(time.Second, ``), start(time.Second, alice)}, []string{"Start 1", "Stop 1", "Start 2"}},
		{"the same time, hours later", []step{start(0, alice+noon), start(time.Hour, alice+noon), stop(time.Hour, noon), stop(time.Hour, noon)}, []string{"Start 1", "Stop 1"}},
		{"another time", []step{start(0, alice+noon), start(time.Hour, alice+later)}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}},
		{"the clock was set back", []step{start(0, alice+later), start(time.Hour, alice+noon)}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}},
		{"a start that comes after its stop", []step{start(0, alice+noon), stop(time.Minute, later), start(time.Minute, alice+noon)}, []string{"Start 1", "Stop 1"}},
		{"equal counters", []step{start(0, alice), update(time.Minute, `,"inputOctets":7`), update(time.Second, `,"inputOctets":7`)}, []string{"Start 1", "Interim-Update 1"}},
		{"a stop that we made, then the real one", []step{start(0, alice), start(time.Second, `,"user":"bob"`), stop(time.Second, `,"user":"alice"`)}, []string{"Start 1", "Stop 1 cause 2", "Start 2", "Stop 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			for _, s := range tt.steps {
				w.clock = w.clock.Add(s.after)
				before := len(w.journal.Accounted())
				if r := w.must(ann, s.verb, `{`+tun+s.more+`}`); r.answer.Copy != (len(w.journal.Accounted()) == before) {
					t.Errorf("%+v: copy: %t; accounted %q", s, r.answer.Copy, w.journal.Accounted())
				}
			}
			w.wantAccounted(tt.want...)
		})
	}
}

// TestCounters: a counter that falls near 2^32 has wrapped; otherwise the larger value stays.
func TestCounters(t *testing.T) {
	tests := []struct {
		name      string
		was, then uint64
		want      uint64
	}{
		{"it grows", 5, 7, 7},
		{"beyond 32 bits", 1<<32 - 1, 1 << 33, 1 << 33},
		{"wrapped at 32 bits", 1<<32 - 10, 20, 20},
		{"reset", 1 << 30, 20, 1 << 30},
		{"reset beyond 32 bits", 1 << 33, 20, 1 << 33},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.must(ann, localreport.Start, `{`+tun+`,"user":"a"}`)
			w.must(ann, localreport.Update, fmt.Sprintf(`{%s,"inputOctets":%d}`, tun, tt.was))
			if r := w.must(ann, localreport.Update, fmt.Sprintf(`{%s,"inputOctets":%d}`, tun, tt.then)); r.Octets != tt.want {
				t.Errorf("%d, want %d", r.Octets, tt.want)
			}
		})
	}
}

// TestUnknownSession: an update and a nameless stop of an unknown session change nothing.
func TestUnknownSession(t *testing.T) {
	w := newWorld(t)
	for verb, code := range map[localreport.Verb]int{localreport.Update: 404, localreport.Stop: 404} {
		if r := w.report(ann, verb, `{`+tun+`}`); r.Code != code || r.problem.Pointer != "/session" {
			t.Errorf("%s: %d %s", verb, r.Code, r.Body)
		}
	}
	w.wantAccounted()
	w.must(ann, localreport.Stop, `{`+tun+`,"user":"alice","sessionTime":60}`) // its start was lost
	w.wantAccounted("Stop 1")
}

// TestKeys: a key makes one report of two; another body under it is refused; keys are the user's and
// the verb's own.
func TestKeys(t *testing.T) {
	const body = `{` + tun + `,"text":"reload"}`
	key := []string{localreport.KeyHeader, "k-1"}
	w := newWorld(t)
	first := w.must(ann, localreport.Command, body, key...)
	w.clock = w.clock.Add(keepKeys - time.Second)
	again := w.must(ann, localreport.Command, body, key...)
	if again.Body.String() != first.Body.String() || again.Header().Get(localreport.RepeatedHeader) != "true" || first.Header().Get(localreport.RepeatedHeader) != "" {
		t.Errorf("again: %v %s, first %s", again.Header(), again.Body, first.Body)
	}
	if r := w.report(ann, localreport.Command, body+" ", key...); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("another body: %d", r.Code)
	}
	w.wantAccounted("Stop 1")
	w.must(bob, localreport.Command, body, key...)
	w.must(ann, localreport.Fail, `{`+tun+`}`, key...)
	w.wantAccounted("Stop 1", "Stop 2", "Stop 3")
	w.clock = w.clock.Add(time.Second)
	w.must(ann, localreport.Command, body, key...)
	w.wantAccounted("Stop 1", "Stop 2", "Stop 3", "Stop 4")
	for _, key := range []string{"a b", "ä", string(make([]byte, 200))} {
		if r := w.report(ann, localreport.Command, body, localreport.KeyHeader, key); r.Code != http.StatusBadRequest {
			t.Errorf("key %q: %d", key, r.Code)
		}
	}
}

// TestKeysAreBounded: a user's oldest keys go, and nobody else's.
func TestKeysAreBounded(t *testing.T) {
	k, now := newKeys(), func() time.Time { return time.Unix(0, 0) }
	do := func() ([]byte, error) { return []byte("x"), nil }
	isKnown := func(uid uint32, key string) bool {
		_, repeated, err := k.once(keyName{uid, localreport.Start, key}, nil, now, do)
		if err != nil {
			t.Fatal(err)
		}
		return repeated
	}
	if isKnown(bob, "b") || isKnown(ann, "first") {
		t.Error("known before it was there")
	}
	for i := range maxKeys {
		isKnown(ann, fmt.Sprint(i))
	}
	if len(k.known) != maxKeys+1 || !isKnown(bob, "b") || isKnown(ann, "first") || !isKnown(ann, fmt.Sprint(maxKeys-1)) {
		t.Errorf("%d keys", len(k.known))
	}
	if len(k.order[ann]) != maxKeys || slices.Contains(k.order[ann], nil) {
		t.Errorf("%d of ann", len(k.order[ann]))
	}
}

// TestKeyUnderWay: a second report with the key waits for the answer of the first.
func TestKeyUnderWay(t *testing.T) {
	k, now := newKeys(), time.Now
	name := keyName{ann, localreport.Start, "k"}
	began, end, answers := make(chan bool), make(chan bool), make(chan bool, 2)
	once := func(do func() ([]byte, error)) {
		answer, repeated, err := k.once(name, nil, now, do)
		if err != nil || string(answer) != "x" {
			t.Errorf("answer %q, %v", answer, err)
		}
		answers <- repeated
	}
	go once(func() ([]byte, error) { close(began); <-end; return []byte("x"), nil })
	<-began
	go once(func() ([]byte, error) { t.Error("carried out twice"); return nil, nil })
	close(end)
	first, second := <-answers, <-answers
	if first == second {
		t.Error("both or none is repeated")
	}
}
