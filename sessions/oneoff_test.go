package sessions_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

var errRefused = errors.New("refused")

// who is what a source tells of a user on a line.
func who(user string) radius.Attributes {
	b := radius.AppendAttribute(nil, radius.UserName, user)
	return radius.Attributes(radius.AppendAttribute(b, radius.NASPortID, "tty3"))
}

func command(level int, text string) sessions.OneOff {
	return sessions.OneOff{Kind: sessions.Command, NAS: nas1, Attrs: who("username1"), Level: level, Text: text}
}

func failure(kind sessions.Kind) sessions.OneOff {
	return sessions.OneOff{Kind: kind, Unstarted: sessions.AuthenticationFailed, NAS: nas1, Attrs: who("mallory")}
}

// accepted is the end of a session before its start, whose user a remote server had accepted.
func accepted(kind sessions.Kind) sessions.OneOff {
	o := failure(kind)
	o.Unstarted = sessions.AuthenticatedRemotely
	return o
}

// record records an event that happens now.
func (w *world) record(o sessions.OneOff) (id sessions.ID) {
	w.t.Helper()
	o.At = w.wall
	sessionstest.Await(w.t, func(done func(error)) (err error) { id, err = w.Record(o, done); return err })
	return id
}

// printed returns attributes as the dictionary shows them, in order.
func printed(a radius.Attributes) (out []string) {
	for p := range radius.Standard().Print(a) {
		out = append(out, p.Name+" = "+p.Text)
	}
	return out
}

// The commands are those of S1's examples, with their numbers.
func TestCommands(t *testing.T) {
	w := newWorld(t)
	w.SetLastID(1)
	w.send(report{typ: start, sid: "shell", kind: sessions.Exec})
	before := w.View().Counters
	var ids []sessions.ID
	for _, o := range []sessions.OneOff{
		command(1, "show version <cr>"), command(1, "show interfaces Ethernet 0"), command(1, "show ip route"),
		command(15, "configure terminal"), command(15, "interface Serial 0"), command(15, "ip address 10.1.1.1 255.255.255.0"),
	} {
		ids = append(ids, w.record(o))
	}
	if want := []sessions.ID{3, 4, 5, 6, 7, 8}; !slices.Equal(ids, want) {
		t.Errorf("numbers %v, want %v", ids, want)
	}
	if rows := w.rows(); !slices.Equal(rows, []sessions.ID{2}) || w.View().Counters != before {
		t.Errorf("rows %v, counters %+v", rows, w.View().Counters)
	}
	if diff := cmp.Diff([]string{"Start 2", "Stop 3", "Stop 4", "Stop 5", "Stop 6", "Stop 7", "Stop 8"}, w.accounted()); diff != "" {
		t.Error(diff)
	}
	first := w.journal.Notices()[1]
	want := []string{"User-Name = username1", "NAS-Port-Id = tty3", "Acct-Status-Type = Stop", "Cisco-AVPair = priv-lvl=1", "Cisco-AVPair = cmd=show version"}
	if diff := cmp.Diff(want, printed(first.Attrs)); diff != "" {
		t.Error(diff)
	}
	if s := first.Session; s.Kind != sessions.Command || s.User() != "username1" || s.Unstarted != 0 || s.NAS.Identifier != "nas-1" || !first.At.Equal(w.wall) {
		t.Errorf("%+v", s)
	}
	w.restart()
	if id := w.record(command(0, "exit")); id != 9 {
		t.Errorf("after a restart the number is %d", id)
	}
}

func TestOneOffAttributes(t *testing.T) {
	word := strings.Repeat("x", 300)
	caused := func(o sessions.OneOff) sessions.OneOff {
		o.Attrs += radius.Attributes(radius.AppendUint32(nil, radius.AcctTerminateCause, 1)) // User-Request
		return o
	}
	for name, tt := range map[string]struct {
		of      sessions.OneOff
		visible bool
		want    []string // after the attributes of the source
	}{
		"a secret":                 {command(15, "username bob secret hunter2"), false, []string{"priv-lvl=15", "cmd=username bob secret *****"}},
		"a visible secret":         {command(15, "username bob secret hunter2"), true, []string{"priv-lvl=15", "cmd=username bob secret hunter2"}},
		"control characters":       {command(0, " \tshow\nversion\x7f\r\n"), false, []string{"priv-lvl=0", "cmd=show version"}},
		"no UTF-8":                 {command(0, "show \xff"), false, []string{"priv-lvl=0", "cmd=show \uFFFD"}},
		"several attributes":       {command(1, word), false, []string{"priv-lvl=1", "cmd=" + word[:243], "cmd-arg=" + word[243:]}},
		"a secret where it is cut": {command(1, "key "+strings.Repeat("x", 5000)), false, []string{"priv-lvl=1", "cmd=key *****"}},
		"a failed login":           {failure(sessions.Exec), false, []string{"Acct-Session-Time = 0", "Acct-Terminate-Cause = User-Error"}},
		"a cause of the source":    {caused(failure(sessions.Network)), false, []string{"Acct-Session-Time = 0"}},
		"accepted":                 {accepted(sessions.Connection), false, []string{"Acct-Session-Time = 0", "Acct-Terminate-Cause = Service-Unavailable"}},
		"accepted, with a cause":   {caused(accepted(sessions.Network)), false, []string{"Acct-Session-Time = 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.SetVisibleKeys(tt.visible)
			w.record(tt.of)
			n := w.journal.Notices()[0]
			want := append(printed(tt.of.Attrs), "Acct-Status-Type = Stop")
			for _, v := range tt.want {
				if tt.of.Kind == sessions.Command {
					v = "Cisco-AVPair = " + v
				}
				want = append(want, v)
			}
			if diff := cmp.Diff(want, printed(n.Attrs)); diff != "" {
				t.Error(diff)
			}
			if n.Session.Unstarted != tt.of.Unstarted || n.Session.Kind != tt.of.Kind || n.Type != stop {
				t.Errorf("%s of %+v", n.Type, n.Session)
			}
		})
	}
}

func TestOneOffFaults(t *testing.T) {
	with := func(o sessions.OneOff, change func(*sessions.OneOff)) sessions.OneOff { change(&o); return o }
	for name, o := range map[string]sessions.OneOff{
		"no NAS":                 with(command(1, "exit"), func(o *sessions.OneOff) { o.NAS.Addr = netip.Addr{} }),
		"damaged attributes":     with(command(1, "exit"), func(o *sessions.OneOff) { o.Attrs = "\x01\x09x" }),
		"no command":             command(1, ""),
		"nothing but <cr>":       command(1, " <cr> "),
		"level -1":               command(-1, "exit"),
		"level 16":               command(16, "exit"),
		"a call":                 failure(sessions.Resource),
		"no kind":                failure(0),
		"the kind of VRRS":       failure(5),
		"a kind after commands":  failure(7),
		"a session that started": with(failure(sessions.Exec), func(o *sessions.OneOff) { o.Unstarted = 0 }),
		"an unknown way to end":  with(failure(sessions.Exec), func(o *sessions.OneOff) { o.Unstarted = sessions.AuthenticatedRemotely + 1 }),
		"a command that failed":  with(command(1, "exit"), func(o *sessions.OneOff) { o.Unstarted = sessions.AuthenticationFailed }),
		"a command of a server":  with(command(1, "exit"), func(o *sessions.OneOff) { o.Unstarted = sessions.AuthenticatedRemotely }),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if id, err := w.Record(o, nil); !errors.Is(err, sessions.ErrOneOff) || id != 0 || len(w.journal.Notices()) > 0 {
				t.Errorf("%d, %v", id, err)
			}
		})
	}
}

// TestOneOffWithoutList: an event that nobody records costs no number and no commit of state, but can
// be seen.
func TestOneOffWithoutList(t *testing.T) {
	w := newWorld(t)
	w.journal.RouteBy(func(*sessions.Session) string { return "" })
	if id := w.record(failure(sessions.Network)); id != 0 {
		t.Errorf("number %d", id)
	}
	if n := w.journal.Notices(); len(n) != 1 || n[0].Session.ID != 0 || n[0].Session.Route != nil {
		t.Errorf("%+v", n)
	}
	w.send(report{typ: start})
	if rows := w.rows(); !slices.Equal(rows, []sessions.ID{1}) {
		t.Errorf("rows %v", rows)
	}
}

// TestFailureInCall: a failed login in a call has the id of the call, and does not reach it.
func TestFailureInCall(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start, sid: "call", call: true, port: 7, multi: "m1"})
	o := failure(sessions.Network)
	o.Attrs = radius.Attributes(radius.AppendUint32([]byte(o.Attrs), radius.NASPort, 7))
	w.record(o)
	w.record(failure(sessions.Network)) // on another line
	w.send(report{typ: stop, sid: "call", call: true, port: 7, time: 5})
	if diff := cmp.Diff([]string{"Start 1", "Stop 2", "Stop 3", "Stop 1 failed"}, w.accounted()); diff != "" {
		t.Error(diff)
	}
	n := w.journal.Notices()
	if a, b := n[1].Session.Attrs.Text(radius.AcctMultiSessionID), n[2].Session.Attrs.Text(radius.AcctMultiSessionID); a != "m1" || b != "" {
		t.Errorf("ids %q and %q", a, b)
	}
}

// TestAcceptedInCall: a session in a call that never started has the id of the call. The call has not
// failed if the session's user was accepted, also if nobody records that, and after a restart.
func TestAcceptedInCall(t *testing.T) {
	for name, of := range map[string]struct {
		event    func(sessions.Kind) sessions.OneOff
		recorded bool
		port     uint32
		want     []string
	}{
		"accepted":                  {accepted, true, 7, []string{"Start 1", "Stop 2", "Stop 1"}},
		"accepted, and no list":     {accepted, false, 7, []string{"Start 1", "Stop 0", "Stop 1"}},
		"accepted, on another line": {accepted, true, 8, []string{"Start 1", "Stop 2", "Stop 1 failed"}},
		"not accepted":              {failure, true, 7, []string{"Start 1", "Stop 2", "Stop 1 failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.send(report{typ: start, sid: "call", call: true, port: 7})
			if !of.recorded {
				w.journal.RouteBy(func(*sessions.Session) string { return "" })
			}
			o := of.event(sessions.Network)
			o.Attrs = radius.Attributes(radius.AppendUint32([]byte(o.Attrs), radius.NASPort, of.port))
			w.record(o)
			w.restart()
			w.send(report{typ: stop, sid: "call", call: true, port: 7, time: 5})
			if diff := cmp.Diff(of.want, w.accounted()); diff != "" {
				t.Error(diff)
			}
			n := w.journal.Notices()
			if same := n[1].Session.Attrs.Text(radius.AcctMultiSessionID) == n[2].Session.Attrs.Text(radius.AcctMultiSessionID); same != (of.port == 7) {
				t.Errorf("the ids of the call and of the session are the same: %v", same)
			}
		})
	}
}

// TestOneOffDurable: done is called when the record is durable, or with the error, and a journal that
// accepts nothing refuses it.
func TestOneOffDurable(t *testing.T) {
	w := newWorld(t)
	w.journal.Hold(true)
	done := make(chan error, 1)
	if _, err := w.Record(command(1, "exit"), func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("answered before it was durable: %v", err)
	default:
	}
	w.journal.Hold(false)
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.journal.Refuse(errRefused)
	if _, err := w.Record(command(1, "exit"), nil); !errors.Is(err, errRefused) {
		t.Error(err)
	}
	w.journal.Refuse(nil)
	w.journal.Fail(errRefused)
	if _, err := w.Record(command(1, "exit"), func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, errRefused) {
		t.Error(err)
	}
}

// TestOneOffNumbers: the number of an event is never that of a live or remembered session, also when
// the numbers wrap.
func TestOneOffNumbers(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start, sid: "a"})
	w.send(report{typ: start, sid: "b"})
	w.send(report{typ: stop, sid: "b"})
	w.SetLastID(1<<32 - 2)
	if got := []sessions.ID{w.record(command(1, "exit")), w.record(command(1, "exit"))}; !slices.Equal(got, []sessions.ID{1<<32 - 1, 3}) {
		t.Errorf("numbers %v", got)
	}
}

// twins are two tables that hear the same events of NASes. One also records events without a session.
type twins struct {
	with, without *world
	recorded      map[sessions.ID]string // by number, as known
}

// known describes a notice without its number.
func known(n *sessions.Notice) string {
	s := n.Session
	return fmt.Sprintf("%s %s %q %q %v cause %d lasted %v %q", n.Type, s.Kind, s.User(), s.AcctSessionID(), n.At, n.Cause, n.Lasted, withoutMade(n.Attrs))
}

// withoutMade leaves out ids that have a number in them.
func withoutMade(a radius.Attributes) radius.Attributes {
	var b []byte
	for t, v := range a.All() {
		if t != radius.AcctMultiSessionID || !sessions.IsMadeCallID(v) {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	return radius.Attributes(b)
}

// check: both tables are the same apart from numbers, and each event that was answered has exactly
// its record.
func (tw *twins) check(rt *rapid.T) {
	var rows [2][]string
	var counters [2]sessions.Counters
	for i, w := range []*world{tw.with, tw.without} {
		if err := w.Invariants(); err != nil {
			rt.Fatal(err)
		}
		v := w.View()
		counters[i] = v.Counters
		for s := range v.All() {
			rows[i] = append(rows[i], fmt.Sprintf("%s %s %q %q started %v last %v %+v %q", s.Kind, s.State, s.User(), s.AcctSessionID(), s.Started, s.LastEvent, s.Usage, withoutMade(s.Attrs)))
		}
	}
	if diff := cmp.Diff(rows[1], rows[0]) + cmp.Diff(counters[1], counters[0]); diff != "" {
		rt.Fatal("rows (-without +with):\n", diff)
	}
	if a, b := tw.with.Remembered(), tw.without.Remembered(); a != b || tw.with.Calls() != tw.without.Calls() {
		rt.Fatalf("%d remembered, %d without", a, b)
	}
	var sessionsOf [2][]string
	var failed [2][]bool
	found := map[sessions.ID]string{}
	for i, w := range []*world{tw.with, tw.without} {
		for _, n := range w.journal.Notices() {
			if i == 0 && tw.recorded[n.Session.ID] != "" {
				found[n.Session.ID] += known(&n)
				continue
			}
			sessionsOf[i] = append(sessionsOf[i], known(&n))
			failed[i] = append(failed[i], n.CallFailed())
		}
	}
	if diff := cmp.Diff(sessionsOf[1], sessionsOf[0]) + cmp.Diff(tw.recorded, found); diff != "" {
		rt.Fatal("records (-without +with, -want +got):\n", diff)
	}
	for i, f := range failed[0] {
		if f && !failed[1][i] {
			rt.Fatalf("the call has failed only with them: %s", sessionsOf[0][i])
		}
	}
}

// TestOneOffsChangeNothing: any interleaving of commands, sessions that never start and the events of sessions leaves
// the table as without them, apart from the numbers, and from calls that failed without them.
func TestOneOffsChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tw := &twins{newWorld(t), newWorld(t), map[sessions.ID]string{}}
		both := func(do func(*world)) { do(tw.with); do(tw.without) }
		nested := rapid.Bool().Draw(rt, "nested")
		both(func(w *world) { w.nested = nested; w.SetNested(nested) })
		record := func(o sessions.OneOff) {
			id := tw.with.record(o)
			if id == 0 || tw.recorded[id] != "" || tw.with.View().Get(id) != nil {
				rt.Fatalf("number %d of %+v is in use", id, o)
			}
			all := tw.with.journal.Notices()
			tw.recorded[id] = known(&all[len(all)-1])
		}
		send := func(typ sessions.EventType) func(*rapid.T) {
			return func(rt *rapid.T) {
				r := report{
					typ: typ, sid: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "sid"), port: rapid.IntRange(1, 2).Draw(rt, "port"),
					kind: rapid.SampledFrom([]sessions.Kind{sessions.Network, sessions.Exec}).Draw(rt, "kind"), call: rapid.IntRange(0, 3).Draw(rt, "call") == 0,
					id: rapid.SampledFrom([]string{"nas-1", "nas-2"}).Draw(rt, "nas"), octets: rapid.IntRange(0, 9).Draw(rt, "octets"),
				}
				both(func(w *world) { w.send(r) })
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"start": send(start), "interim": send(interim), "stop": send(stop),
			"on": func(*rapid.T) { both(func(w *world) { w.send(report{typ: on}) }) },
			"command": func(rt *rapid.T) {
				record(command(rapid.IntRange(0, 15).Draw(rt, "level"), rapid.StringMatching(`[a-z ]{0,20}x`).Draw(rt, "command")))
			},
			"unstarted": func(rt *rapid.T) {
				of := rapid.SampledFrom([]func(sessions.Kind) sessions.OneOff{failure, accepted}).Draw(rt, "how")
				o := of(rapid.SampledFrom([]sessions.Kind{sessions.Network, sessions.Exec, sessions.Connection}).Draw(rt, "kind"))
				o.Attrs += radius.Attributes(radius.AppendUint32(nil, radius.NASPort, rapid.Uint32Range(1, 2).Draw(rt, "port")))
				record(o)
			},
			"time": func(rt *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 4000).Draw(rt, "seconds"))
				both(func(w *world) { w.sleep(d * sec) })
			},
			"restart": func(*rapid.T) { both((*world).restart) },
			"clear": func(rt *rapid.T) {
				n := tw.with.View().Len()
				if n == 0 {
					rt.Skip("no row")
				}
				i := rapid.IntRange(0, n-1).Draw(rt, "row")
				both(func(w *world) { w.clear(w.rows()[i]) })
			},
			"": tw.check,
		})
	})
}
