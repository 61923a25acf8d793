package onoff

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// eventNames are the names of all events, in the order of the columns of TestTransitions.
var eventNames = [...]string{
	evOn: "on", evForceOn: "forced on", evOff: "off", evForceOff: "forced off", evContinue: "continue", evAnswered: "answered",
	evUnanswered: "unanswered", evStopped: "stopped", evFailed: "failed", evElapsed: "elapsed",
}

// at returns a time.
func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

// machineAfter returns a machine after some events, one a second, the last at at(9).
func machineAfter(kinds ...eventKind) machine {
	m := machine{retry: time.Minute}
	for i, k := range kinds {
		m, _ = step(m, eventFor(m, k), at(10-len(kinds)+i))
	}
	return m
}

// eventFor returns an event of a kind that concerns the machine as it is.
func eventFor(m machine, k eventKind) event {
	return event{kind: k, trigger: TriggerPerform, id: fmt.Sprintf("%s+%s", m.sessionID, eventNames[k]), gen: m.gen, server: "s1", state: On}
}

// machines has all states. A state in which something is sent is there with and without a round in
// progress.
func machines() map[string]machine {
	return map[string]machine{
		"unknown":              machineAfter(),
		"sendAcctOn":           machineAfter(evOn),
		"sendAcctOn, waiting":  machineAfter(evOn, evUnanswered),
		"on":                   machineAfter(evOn, evAnswered),
		"sendAcctOff":          machineAfter(evOn, evAnswered, evOff),
		"sendAcctOff, waiting": machineAfter(evOn, evAnswered, evOff, evStopped),
		"off":                  machineAfter(evOn, evAnswered, evOff, evAnswered),
		"OffNoResp":            machineAfter(evOn, evAnswered, evOff, evUnanswered),
	}
}

// difference returns the effect of an event: the state and the other visible changes, or "-" for
// none.
func difference(was, is machine, done effects) string {
	if is == was && done == (effects{}) {
		return "-"
	}
	all := []string{is.state.String()}
	for _, f := range []struct {
		is   bool
		word string
	}{
		{is.sessionID != was.sessionID, "id"},
		{done.send && is.gen == was.gen+1 && is.sending && is.next.IsZero(), "send"},
		{is.next == at(100).Add(time.Minute) && !is.sending, "wait"},
		{is.noResponse, "noresp"},
		{is.server != "", "server"},
		{errors.Is(done.err, ErrAcknowledged) && is == was, "refused"},
	} {
		if f.is {
			all = append(all, f.word)
		}
	}
	return strings.Join(all, " ")
}

// TestTransitions checks the whole machine: each event in each state, 91 s later.
func TestTransitions(t *testing.T) {
	begin, off := "sendAcctOn id send", "sendAcctOff send"
	want := map[string][evElapsed + 1]string{
		//                      on, forced on, off, forced off, continue, answered, unanswered, stopped, failed, elapsed
		"unknown":              {begin, begin, "sendAcctOff id send", "sendAcctOff id send", "on id server", "-", "-", "-", "-", "-"},
		"sendAcctOn":           {"-", begin, off, off, "-", "on server", "sendAcctOn wait noresp", "sendAcctOn wait", "sendAcctOn wait", "-"},
		"sendAcctOn, waiting":  {"sendAcctOn send noresp", begin, off, off, "-", "-", "-", "-", "-", "sendAcctOn send noresp"},
		"on":                   {"on server refused", begin, off, off, "-", "-", "-", "-", "-", "-"},
		"sendAcctOff":          {begin, begin, "-", off, "-", "off server", "OffNoResp", "sendAcctOff wait", "OffNoResp", "-"},
		"sendAcctOff, waiting": {begin, begin, off, off, "-", "-", "-", "-", "-", off},
		"off":                  {begin, begin, "off server refused", off, "-", "-", "-", "-", "-", "-"},
		"OffNoResp":            {begin, begin, off, off, "-", "-", "-", "-", "-", "-"},
	}
	all := machines()
	if len(all) != len(want) {
		t.Fatalf("%d machines, %d expected", len(all), len(want))
	}
	for name, m := range all {
		if state, _, _ := strings.Cut(name, ","); m.state.String() != state {
			t.Fatalf("%s is %s", name, m.state)
		}
		for k := range eventKind(len(eventNames)) {
			t.Run(name+"/"+eventNames[k], func(t *testing.T) {
				is, effects := step(m, eventFor(m, k), at(100))
				if got := difference(m, is, effects); got != want[name][k] {
					t.Errorf("became %q, want %q", got, want[name][k])
				}
				if moved := is.state != m.state; moved != (is.changed == at(100)) {
					t.Errorf("from %s to %s, changed at %v", m.state, is.state, is.changed)
				}
			})
		}
	}
}

// Results of an older round are ignored, and so are repeated results.
func TestLate(t *testing.T) {
	for name, m := range machines() {
		for k := evAnswered; k <= evFailed; k++ {
			late := eventFor(m, k)
			late.gen--
			if is, effects := step(m, late, at(100)); difference(m, is, effects) != "-" {
				t.Errorf("%s, %s late: %s", name, eventNames[k], difference(m, is, effects))
			}
			ev := eventFor(m, k)
			once, _ := step(m, ev, at(100))
			if twice, effects := step(once, ev, at(101)); difference(once, twice, effects) != "-" {
				t.Errorf("%s, %s twice: %s", name, eventNames[k], difference(once, twice, effects))
			}
		}
	}
	m := machineAfter(evOn, evUnanswered)
	if is, effects := step(m, event{kind: evElapsed}, at(9+60).Add(-1)); is != m || effects.send {
		t.Errorf("before a minute is over: %s", difference(m, is, effects))
	}
	if _, effects := step(m, event{kind: evElapsed}, at(9+60)); !effects.send {
		t.Error("nothing is sent when the minute is over")
	}
}

// The Off has the id of the On before it, even if it is sent twice. Each On has a new id.
func TestSequences(t *testing.T) {
	m := machine{retry: time.Minute}
	var got []string
	for i, k := range []eventKind{evOff, evOn, evOff, evForceOff, evOn, evForceOn, evUnanswered, evElapsed, evAnswered, evForceOn, evOff} {
		ev := eventFor(m, k)
		ev.id = fmt.Sprintf("S%d", i)
		m, _ = step(m, ev, m.next)
		got = append(got, m.sessionID)
	}
	want := []string{"S0", "S1", "S1", "S1", "S4", "S5", "S5", "S5", "S5", "S9", "S9"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids: want (-) and got (+):\n%s", diff)
	}
}

// The time of a record is the time of its request, in all its rounds.
func TestMoment(t *testing.T) {
	m := machineAfter(evOn) // at(9)
	for _, ev := range []eventKind{evUnanswered, evElapsed, evStopped, evOn} {
		m, _ = step(m, eventFor(m, ev), at(1000))
		m.next = min0(m.next, at(1000))
		if m.askedAt != at(9) || m.trigger != TriggerPerform {
			t.Errorf("after %s: of %v", eventNames[ev], m.askedAt)
		}
	}
	m, _ = step(m, eventFor(m, evForceOn), at(1001))
	if m.askedAt != at(1001) {
		t.Errorf("forced: of %v", m.askedAt)
	}
}

// min0 returns the earlier time, which is zero if one of them is zero.
func min0(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

func TestBlock(t *testing.T) {
	want := map[string]Block{
		"unknown": {Blocked: true}, "sendAcctOn": {Blocked: true}, "sendAcctOn, waiting": {Blocked: true, NoResponse: true},
		"on": {}, "sendAcctOff": {Blocked: true}, "sendAcctOff, waiting": {Blocked: true}, "off": {Blocked: true}, "OffNoResp": {Blocked: true},
	}
	for name, m := range machines() {
		if got := m.block(true); got != want[name] {
			t.Errorf("%s: %+v, want %+v", name, got, want[name])
		}
		if got := m.block(false); got.Blocked || got.NoResponse != want[name].NoResponse {
			t.Errorf("%s without oper-state-change: %+v", name, got)
		}
	}
	if got := machineAfter(evOn, evAnswered, evForceOn).block(true); got != (Block{Blocked: true}) {
		t.Errorf("a forced On that is not answered: %+v", got)
	}
	if got := machineAfter(evOn, evUnanswered, evOff).block(true); got != (Block{Blocked: true}) {
		t.Errorf("an Off after an unanswered On: %+v", got)
	}
	m := machineAfter(evOn)
	m, _ = step(m, event{kind: evUnanswered, gen: m.gen, refused: true}, at(1))
	if got := m.block(true); got != (Block{NoResponse: true}) {
		t.Errorf("an On that a server has got and does not accept: %+v", got)
	}
	m, _ = step(m, event{kind: evOff, id: "2"}, at(2))
	if got := m.block(true); got != (Block{Blocked: true}) {
		t.Errorf("an Off after it: %+v", got)
	}
	if (Block{Blocked: true}).String() != "Blocked" || (Block{}).String() != "Not Blocked" {
		t.Error("not the words of S3")
	}
}

func TestNames(t *testing.T) {
	var got []string
	for s := range Unknown + 7 {
		got = append(got, s.String())
	}
	for tr := range TriggerNone + 7 {
		got = append(got, tr.String())
	}
	want := []string{
		"unknown", "sendAcctOn", "on", "sendAcctOff", "off", "OffNoResp", "on-off-state(6)",
		"none", "startUp", "shutDown", "configChange", "perform", "redundancy", "trigger(6)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
}

func TestCause(t *testing.T) {
	tests := []struct {
		trigger  Trigger
		given    uint32
		want     uint32
		wantName string
	}{
		{TriggerShutDown, 0, 7, "Admin-Reboot"},
		{TriggerPerform, 0, 7, "Admin-Reboot"},
		{TriggerConfigChange, 0, 10, "NAS-Request"},
		{TriggerStartUp, 0, 10, "NAS-Request"},
		{TriggerPerform, 1, 1, "User-Request"},
		{TriggerShutDown, 1<<32 - 1, 1<<32 - 1, ""},
	}
	for _, tt := range tests {
		m, _ := step(machineAfter(evOn), event{kind: evOff, trigger: tt.trigger, cause: tt.given}, at(100))
		got, _ := m.record("").Attrs.Uint32(radius.AcctTerminateCause)
		if got != tt.want || radius.Standard().ValueName(radius.AcctTerminateCause, got) != tt.wantName {
			t.Errorf("%s, %d given: %d %q", tt.trigger, tt.given, got, radius.Standard().ValueName(radius.AcctTerminateCause, got))
		}
	}
}

// Events in any order: at most one round is in flight, and only in a state that sends; ids are
// not reused; old results are ignored; and an On that is being sent is answered once a server
// answers.
func TestProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, now := machine{retry: time.Minute}, at(0)
		used, on := map[string]bool{}, "" // ids of Ons, and the newest id
		over := map[uint64]bool{}         // rounds
		for i := range rapid.IntRange(0, 80).Draw(t, "events") {
			ev := event{
				kind: eventKind(rapid.IntRange(0, len(eventNames)-1).Draw(t, "kind")), id: fmt.Sprint(i),
				gen: m.gen - uint64(rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "late")), server: "s",
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 70).Draw(t, "seconds")) * time.Second)
			was := m
			var effects effects
			m, effects = step(m, ev, now)
			report := ev.kind >= evAnswered && ev.kind <= evFailed
			if report && (ev.gen != was.gen || over[ev.gen]) && m != was {
				t.Fatalf("%s of round %d counts, the newest is %d", eventNames[ev.kind], ev.gen, was.gen)
			}
			if report {
				over[ev.gen] = true
			}
			sends := m.state == SendAcctOn || m.state == SendAcctOff
			if m.sending && !sends || m.sending && !m.next.IsZero() || sends && !m.sending && m.next.IsZero() {
				t.Fatalf("after %s: %+v", eventNames[ev.kind], m)
			}
			if effects.send != (m.gen == was.gen+1) || effects.send && !m.sending || !effects.send && m.gen != was.gen {
				t.Fatalf("after %s: sent %v, round %d after %d", eventNames[ev.kind], effects.send, m.gen, was.gen)
			}
			if m.state == SendAcctOn && m.sessionID != on {
				if used[m.sessionID] {
					t.Fatalf("id %s again", m.sessionID)
				}
				on = m.sessionID
			}
			used[m.sessionID] = true
			if was.sessionID != m.sessionID && m.state != SendAcctOn && was.state != Unknown {
				t.Fatalf("%s has id %s, not that of its On, %s", m.state, m.sessionID, was.sessionID)
			}
		}
		if was := m; was.state == SendAcctOn {
			if !m.sending {
				m, _ = step(m, event{kind: evElapsed}, m.next)
			}
			m, _ = step(m, event{kind: evAnswered, gen: m.gen, server: "s"}, now)
			if m.state != On || m.sessionID != was.sessionID {
				t.Fatalf("the server is back: %+v, before %+v", m, was)
			}
		}
	})
}
