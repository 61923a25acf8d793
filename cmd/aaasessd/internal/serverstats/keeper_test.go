package serverstats

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/servers"
)

// fakeClient is a client whose statistics a test sets.
type fakeClient struct {
	mu      sync.Mutex
	all     map[string]*servers.Record
	invalid uint64
	changes uint64
	asked   int
	forgets func() // called by SetNames; nil: nothing
}

func (c *fakeClient) Statistics() servers.Statistics {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	all := servers.Statistics{Now: time.Now(), InvalidAuthAddresses: c.invalid}
	for _, name := range slices.Sorted(maps.Keys(c.all)) {
		r := *c.all[name]
		if r.State.Dead { // now
			r.State.TotalDead = r.State.Duration(time.Now())
		}
		all.Records = append(all.Records, r)
	}
	return all
}

func (c *fakeClient) Restore(s servers.Statistics) {
	for _, r := range s.Records {
		c.all[r.Name] = &r
	}
	c.invalid = s.InvalidAuthAddresses
}

func (c *fakeClient) SetNames(names []string) {
	if c.forgets != nil {
		c.forgets()
	}
	old := c.all
	c.all = map[string]*servers.Record{}
	for _, name := range names {
		if c.all[name] = old[name]; c.all[name] == nil {
			now := time.Now()
			c.all[name] = &servers.Record{
				Name: name, State: servers.Lifetime{Since: now},
				Accounting: servers.Stats{CountedSince: now}, Authentication: servers.Stats{CountedSince: now},
			}
		}
	}
}

// change changes the record of a server.
func (c *fakeClient) change(name string, do func(r *servers.Record)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(c.all[name])
}

func (c *fakeClient) End() {}

func (c *fakeClient) StateChanges() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// buffer is a buffer that a process writes and a test reads.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(text)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// host is a host whose uptime runs with its clock, unless a test steps the clock.
type host struct {
	*testing.T
	file   string
	log    buffer
	boot   string
	booted time.Time
}

func newHost(t *testing.T) *host {
	return &host{T: t, file: filepath.Join(t.TempDir(), "server-statistics"), boot: "b1", booted: time.Now()}
}

// open starts a process: new clients with these servers.
func (h *host) open(all ...servers.Identity) (k *Keeper, radius, tacacs *fakeClient) {
	radius, tacacs = &fakeClient{}, &fakeClient{}
	k = Open(Config{
		File: h.file, RADIUS: radius, TACACS: tacacs, Logger: slog.New(slog.NewTextHandler(&h.log, nil)),
		Boot: func() (string, time.Duration) { return h.boot, time.Since(h.booted) },
	}, Servers{InUse: all, NASIdentifier: "nas"})
	return k, radius, tacacs
}

func ofRADIUS(name string) servers.Identity {
	return servers.Identity{Protocol: servers.RADIUS, Name: name, Host: "192.0.2.1", AuthPort: 1812, AcctPort: 1813}
}

func ofTACACS(name string) servers.Identity {
	return servers.Identity{Protocol: servers.TACACS, Name: name, Host: "t.example", AuthPort: 49, AcctPort: 49}
}

// counted sets statistics in which each counter differs.
func counted(s *servers.Stats) {
	*s = servers.Stats{
		CountedSince: s.CountedSince, Requests: 1, Retransmissions: 2, Responses: 3, Accepts: 4, Rejects: 5, Challenges: 6, MalformedResponses: 7, BadAuthenticators: 8,
		Timeouts: 9, UnknownTypes: 10, PacketsDropped: 11, Tests: 12, TestsFailed: 13, StatusServer: servers.StatusServer{Sent: 14, Responses: 15, Timeouts: 16},
		LateResponses: 17, Errors: 18, Follows: 19, Opened: 20, SendErrors: 21, Successes: 22, Failures: 23, TimedResponses: 24, ResponseTime: 48 * time.Second,
		MaxResponseTime: 26 * time.Second, RoundTripTime: 27 * time.Second,
		StateSince: s.CountedSince, PreviousState: 28, TotalDeadTime: 29, DeadCount: 30,
	}
}

// TestRestart: what continues after an end of the process, and from when the statistics count without a
// gap.
func TestRestart(t *testing.T) {
	const minute = time.Minute
	for _, tc := range []struct {
		name    string
		between func(h *host) // 5 minutes pass on the host
		orderly bool
		gap     time.Duration
	}{
		{"orderly", func(*host) {}, true, 5 * minute},
		{"killed", func(*host) {}, false, 5 * minute},
		{"the clock was set back", func(h *host) { h.stepFile(2 * time.Hour) }, true, 5 * minute},
		{"the clock was set forward", func(h *host) { h.stepFile(-2 * time.Hour) }, true, 5 * minute},
		{"the host has booted", func(h *host) { h.boot, h.booted = "b2", time.Now() }, true, 5 * minute},
		{"the host has booted, with its clock in the past", func(h *host) {
			h.boot, h.booted = "b2", time.Now()
			h.stepFile(2 * time.Hour)
		}, true, 0},
		{"the host does not say when it booted", func(h *host) { h.boot = "" }, true, 5 * minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t)
				k, radius, tacacs := h.open(ofRADIUS("a"), ofRADIUS("gone"), ofTACACS("a"))
				time.Sleep(minute)
				a, b := radius.all["a"], tacacs.all["a"]
				counted(&a.Accounting)
				counted(&a.Authentication)
				radius.invalid = 31
				b.State = servers.Lifetime{Dead: true, Since: time.Now().Add(-20 * time.Second), Previous: 40 * time.Second, TotalDead: 20 * time.Second, Deaths: 1}
				wantA, wantB := *a, *b
				k.save(false)
				if tc.orderly {
					k.Close()
				}
				time.Sleep(5 * minute)
				tc.between(h)
				_, radius, tacacs = h.open(ofTACACS("a"), ofRADIUS("a"), ofRADIUS("new"))
				back := func(at time.Time) time.Time { return at.Add(5*minute - tc.gap) }
				for _, s := range []*servers.Stats{&wantA.Accounting, &wantA.Authentication, &wantB.Accounting, &wantB.Authentication} {
					if !s.StateSince.IsZero() {
						s.StateSince = back(s.StateSince)
					} else {
						s.StateSince = time.Now().Add(-tc.gap)
					}
					if s.CountedSince = back(s.CountedSince); !tc.orderly {
						s.CountedSince = time.Now()
					}
				}
				wantA.State.Since, wantB.State.Since = back(wantA.State.Since), back(wantB.State.Since)
				wantB.State.TotalDead += tc.gap
				for _, d := range []string{
					cmp.Diff(wantA, *radius.all["a"], cmp.Comparer(sameAddr)), cmp.Diff(wantB, *tacacs.all["a"], cmp.Comparer(sameAddr)),
				} {
					if d != "" {
						t.Error(d)
					}
				}
				if radius.invalid != 31 || len(radius.all) != 2 || radius.all["new"].Accounting.CountedSince != time.Now() {
					t.Errorf("%d, %+v", radius.invalid, radius.all)
				}
				if h.log.String() != "" {
					t.Error(h.log.String())
				}
			})
		})
	}
}

// stepFile makes the clock of the host show another time than when the file was saved.
func (h *host) stepFile(d time.Duration) {
	b, err := os.ReadFile(h.file)
	if err != nil {
		h.Fatal(err)
	}
	f, err := decode(b)
	if err != nil {
		h.Fatal(err)
	}
	f.Saved = f.Saved.Add(d)
	if b, err = f.encode(); err == nil {
		err = os.WriteFile(h.file, b, 0o600)
	}
	if err != nil {
		h.Fatal(err)
	}
}

// TestKilledAfterOrderlyEnd: the file of an orderly end does not say so any more once the next process
// runs.
func TestKilledAfterOrderlyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		k, _, _ := h.open(ofRADIUS("a"))
		k.Close()
		h.open(ofRADIUS("a")) // and is killed
		time.Sleep(time.Minute)
		if _, radius, _ := h.open(ofRADIUS("a")); radius.all["a"].Accounting.CountedSince != time.Now() {
			t.Errorf("counted since %v", radius.all["a"].Accounting.CountedSince)
		}
	})
}

// TestSaveWhenChanged: the file is written every 10 seconds if something has changed other than time.
func TestSaveWhenChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		k, radius, _ := h.open(ofRADIUS("a"))
		go func() { _ = k.Run(t.Context()) }()
		written := func() (text string) {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			b, err := os.ReadFile(h.file)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		count := func(r *servers.Record) { r.Accounting.Requests++ }
		first := written()
		if written() != first {
			t.Error("written without a change")
		}
		radius.change("a", count)
		second := written()
		radius.change("a", func(r *servers.Record) { r.State.Dead = true })
		third := written()
		if second == first || third == second || written() != third {
			t.Error("not written once for each change")
		}
		if err := os.Mkdir(h.file+".new", 0o700); err != nil {
			t.Fatal(err)
		}
		radius.change("a", count)
		written()
		if written() != third || strings.Count(h.log.String(), "cannot be saved") != 1 {
			t.Errorf("log of a folder that cannot be written: %s", h.log.String())
		}
		if err := os.Remove(h.file + ".new"); err != nil {
			t.Fatal(err)
		}
		if written() == third || !strings.Contains(h.log.String(), "saved again") {
			t.Errorf("not saved again: %s", h.log.String())
		}
	})
}

// TestKilledAfterDeath: the death of a server that managers were told of is in the file a second later, so
// that the next process tells them when the server is not dead any more.
func TestKilledAfterDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		k, radius, _ := h.open(ofRADIUS("a"))
		go func() { _ = k.Run(t.Context()) }()
		time.Sleep(12 * time.Second)
		radius.change("a", func(r *servers.Record) {
			r.State = servers.Lifetime{Dead: true, Since: time.Now(), Deaths: 1}
			radius.changes++
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if _, radius, _ := h.open(ofRADIUS("a")); !radius.all["a"].State.Dead { // the first one is killed
			t.Errorf("%+v", radius.all["a"].State)
		}
	})
}

// TestNoViewOfForgotten: while a reload makes the clients forget a server, no View is made, which would
// have the server without its statistics.
func TestNoViewOfForgotten(t *testing.T) {
	h := newHost(t)
	k, radius, _ := h.open(ofRADIUS("a"), ofRADIUS("b"))
	asked := false
	radius.forgets = func() {
		asked = true
		if k.mu.TryLock() {
			k.mu.Unlock()
			t.Error("a View can be made")
		}
	}
	k.SetServers(Servers{InUse: []servers.Identity{ofRADIUS("a")}})
	if !asked {
		t.Error("the client has forgotten nothing")
	}
}

// TestWrongClock: a host whose clock is wrong by most of a century at each boot cannot make a file that the
// next process does not read.
func TestWrongClock(t *testing.T) {
	h := newHost(t)
	for boot := range 4 {
		h.boot = fmt.Sprint("boot ", boot)
		k, radius, _ := h.open(ofRADIUS("a"))
		r := radius.all["a"]
		if r.Accounting.Requests != uint64(boot) {
			t.Fatalf("boot %d: %+v", boot, r)
		}
		r.Accounting.Requests++
		r.State.Dead, r.State.Deaths = true, 1
		k.Close()
		b, err := os.ReadFile(h.file)
		if err != nil {
			t.Fatal(err)
		}
		b = regexp.MustCompile(`"saved": "\d+`).ReplaceAll(b, fmt.Append(nil, `"saved": "`, time.Now().Year()-90))
		if err := os.WriteFile(h.file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if log := h.log.String(); log != "" {
		t.Error(log)
	}
}

// TestDamagedFile: a file that cannot be read is set aside, and reported once.
func TestDamagedFile(t *testing.T) {
	good := func(change string) string {
		from, to, _ := strings.Cut(change, "=>")
		return strings.ReplaceAll(`{"version": 1, "saved": "2026-01-01T00:00:00Z", "servers": [
			{"protocol": 2, "name": "a", "index": 1, "number": 1}, {"protocol": 2, "name": "b", "index": 2, "number": 2}, {"protocol": 1, "name": "a", "index": 1, "number": 1}]}`, from, to)
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "server-statistics", "cut": good("2026=>2026")[:60], "another version": good(`"version": 1=>"version": 2`), "no time": good("2026=>0001"),
		"a text follows": good("2026=>2026") + "{}", "a name twice": good(`"b"=>"a"`), "no name": good(`"b"=>""`), "an index twice": good(`"index": 2=>"index": 1`),
		"a number twice": good(`"number": 2=>"number": 1`), "no index": good(`"index": 2=>"index": 0`), "a number that is too large": good(`"number": 2=>"number": 2147483648`),
		"another protocol": good(`"protocol": 1=>"protocol": 3`), "a negative counter": good(`"name": "b"=>"name": "b", "accounting": {"requests": -1}`),
		"a negative duration":                   good(`"name": "b"=>"name": "b", "accounting": {"countedFor": -1}`),
		"a duration that is too large":          good(`"name": "b"=>"name": "b", "authentication": {"port": {"for": 9000000000000000000}}`),
		"more response times than responses":    good(`"name": "b"=>"name": "b", "accounting": {"timedResponses": 3, "responseTimes": [2, 2]}`),
		"response times whose sum is too large": good(`"name": "b"=>"name": "b", "accounting": {"timedResponses": 3, "responseTimes": [2, 18446744073709551615]}`),
		"dead for longer than in all":           good(`"name": "b"=>"name": "b", "state": {"dead": true, "for": 2, "totalDead": 1}`),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			if err := os.WriteFile(h.file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			k, radius, _ := h.open(ofRADIUS("a"))
			k.Close()
			aside, err := os.ReadFile(h.file + damaged)
			if err != nil || string(aside) != text {
				t.Errorf("set aside: %q, %v", aside, err)
			}
			if strings.Count(h.log.String(), "level=ERROR") != 1 || len(radius.all) != 1 {
				t.Errorf("log %s, servers %v", h.log.String(), radius.all)
			}
			h.log = buffer{}
			if h.open(ofRADIUS("a")); h.log.String() != "" {
				t.Errorf("the next start: %s", h.log.String())
			}
		})
	}
	if _, err := decode([]byte(good("2026=>2026"))); err != nil {
		t.Error(err)
	}
}

// TestView: what is in a view, and when a new one is made.
func TestView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		only := ofRADIUS("only logins")
		only.AcctPort = 0
		k, radius, tacacs := h.open(ofRADIUS("a"), ofTACACS("t"), only)
		radius.invalid = 3
		for _, r := range []*servers.Record{radius.all["a"], radius.all["only logins"], tacacs.all["t"]} {
			counted(&r.Accounting)
			counted(&r.Authentication)
		}
		v := k.View()
		var got []string
		for i := range v.Entries {
			e := &v.Entries[i]
			got = append(got, fmt.Sprintf("%v %s %d %d priority %d at %v: %d auth, %d acct", e.Protocol, e.Name, e.Index, e.Number, e.Priority, e.Addr, e.Authentication.Requests, e.Accounting.Requests))
		}
		want := []string{
			"tacacs t 1 1 priority 1 at invalid IP: 0 auth, 1 acct",
			"radius a 1 1 priority 1 at 192.0.2.1: 1 auth, 1 acct",
			"radius only logins 2 2 priority 2 at 192.0.2.1: 1 auth, 0 acct",
		}
		if d := cmp.Diff(want, got); d != "" || v.NASIdentifier != "nas" || v.InvalidAuthAddresses != 3 || !v.Now.Equal(time.Now()) {
			t.Errorf("%s\n%+v", d, v)
		}
		asked := radius.asked
		time.Sleep(maxAge - 1)
		if k.View() != v || radius.asked != asked {
			t.Error("a new view before 100 ms")
		}
		radius.changes++
		next := k.View()
		if next == v || k.View() != next {
			t.Error("no new view after a change of a state")
		}
		time.Sleep(maxAge)
		last := k.View()
		if last == next {
			t.Error("no new view after 100 ms")
		}
		k.SetServers(Servers{InUse: []servers.Identity{only}, NASIdentifier: "other"})
		if v := k.View(); len(v.Entries) != 1 || v.Entries[0].Index != 2 || v.Entries[0].Priority != 1 || v.NASIdentifier != "other" {
			t.Errorf("after a reload: %+v", v)
		}
	})
}

// TestDestroyed: a server that managers have destroyed keeps its statistics and its number, until the
// file has it no longer.
func TestDestroyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		a, b, c := ofRADIUS("a"), ofRADIUS("b"), ofRADIUS("c")
		k, radius, _ := h.open(a, b)
		counted(&radius.all["a"].Accounting)
		indexes := func(k *Keeper) (out []string) {
			v := k.View()
			for i := range v.Entries {
				e := &v.Entries[i]
				out = append(out, fmt.Sprintf("%s %d: %d", e.Name, e.Index, e.Accounting.Requests))
			}
			return out
		}
		check := func(when string, k *Keeper, want ...string) {
			t.Helper()
			if got := indexes(k); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		k.SetServers(Servers{InUse: []servers.Identity{c, b}, Destroyed: []servers.Identity{a}})
		check("destroyed", k, "b 2: 0", "c 3: 0")
		k.SetServers(Servers{InUse: []servers.Identity{c, b, a}})
		check("undone", k, "a 1: 1", "b 2: 0", "c 3: 0")
		k.SetServers(Servers{InUse: []servers.Identity{c, b}, Destroyed: []servers.Identity{a}})
		k.Close()
		k, radius, _ = h.open(c, b)
		if len(radius.all) != 2 {
			t.Errorf("the clients have %v", radius.all)
		}
		k.SetServers(Servers{InUse: []servers.Identity{c, b, a}})
		check("not in the file any more, and added", k, "a 1: 0", "b 2: 0", "c 3: 0")
	})
}
