package serverstats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
)

// process is a process with the real clients, whose RADIUS servers are in a network in memory.
type process struct {
	h      *host
	net    *radiusnet.Network
	client *client.Client
	group  *client.Group
	keeper *Keeper

	mu   sync.Mutex // guards the following
	addr string     // of r.example
	told []string
}

// start starts a process whose only server is r.example, with this secret.
func (h *host) start(net *radiusnet.Network, addr, secret string) *process {
	p := &process{h: h, net: net, addr: addr}
	p.client = client.New(client.Config{
		Dial: client.OverUDP(net.Listen), LookupTimes: client.LookupTimes{Every: 10 * time.Second}, Changed: p.changed,
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return []netip.Addr{netip.MustParseAddr(p.addr)}, nil
		},
	})
	p.keeper = Open(Config{
		File: h.file, RADIUS: p.client, TACACS: tacclient.New(tacclient.Config{}), Logger: slog.New(slog.NewTextHandler(&h.log, nil)),
		Boot: func() (string, time.Duration) { return h.boot, time.Since(h.booted) },
	}, Servers{InUse: []servers.Identity{{Protocol: servers.RADIUS, Name: "a", Host: "r.example", AcctPort: 1813}}})
	p.reload(secret)
	return p
}

// changed notes a change, and that a View has it at once.
func (p *process) changed(c servers.Change) {
	inView := "before the start"
	if p.keeper != nil { // else Open has told it
		inView = fmt.Sprint(p.keeper.View().Entries[0].State.Dead)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, fmt.Sprintf("%s dead=%v (%s) after %v", c.Name, c.Dead, inView, c.Previous))
}

// reload replaces the group.
func (p *process) reload(secret string) {
	p.h.Helper()
	old := p.group
	g, err := p.client.NewGroup(client.GroupConfig{HoldDown: time.Hour, Members: []client.Member{{
		Identity: client.Identity{Name: "a", Host: "r.example", Port: 1813, Secret: radius.Secret(secret)}, Schedule: retry.Schedule{Timeout: time.Second, Retransmit: 1},
	}}})
	if err != nil {
		p.h.Fatal(err)
	}
	p.group = g
	go func() { _ = g.Run(context.Background()) }()
	if <-g.Ready(); old != nil {
		_ = old.Close() // never fails
	}
	synctest.Wait()
}

// end ends the process, orderly or not.
func (p *process) end(orderly bool) {
	_ = p.group.Close() // never fails
	if orderly {
		p.keeper.Close()
	}
}

// moveTo gives r.example another address, and waits until that is known.
func (p *process) moveTo(addr string) {
	p.mu.Lock()
	p.addr = addr
	p.mu.Unlock()
	time.Sleep(11 * time.Second)
}

// request sends a request, and waits two seconds and a half.
func (p *process) request() {
	p.group.Send(record{}, retry.Progress{})
	time.Sleep(2500 * time.Millisecond)
	synctest.Wait()
}

// check checks the counters in a View, and the changes that were told since the last check.
func (p *process) check(when, counters string, told ...string) {
	p.h.Helper()
	time.Sleep(maxAge)
	e := &p.keeper.View().Entries[0]
	s := &e.Accounting
	if got := fmt.Sprintf("%d requests, %d answered, counted for %v; %d deaths", s.Requests, s.Successes, s.Discontinuity(time.Now()), e.State.Deaths); got != counters {
		p.h.Errorf("%s: %s, want %s", when, got, counters)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.told, told) {
		p.h.Errorf("%s: told %q, want %q", when, p.told, told)
	}
	p.told = nil
}

// record is an Accounting-Request.
type record struct{}

func (record) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	b = radius.AppendUint32(b, radius.AcctStatusType, 1)
	b = radius.AppendUint32(b, radius.AcctDelayTime, 0)
	b = radius.AppendAttribute(b, radius.AcctSessionID, "1")
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

func (record) Answers(code radius.Code) bool { return code == radius.CodeAccountingResponse }
func (record) Session() string               { return "1" }
func (record) User() string                  { return "" }
func (record) Done(client.Answer, error)     {}

// TestClients: the statistics of a server in a life of reloads, changes of its address, and restarts.
func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, net := newHost(t), radiusnet.New(1)
		at := func(addr string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(addr), 1813) }
		net.Add(radiusnet.Server{Name: "first", Addr: at("192.0.2.1"), Secret: "s"})
		net.Add(radiusnet.Server{Name: "second", Addr: at("192.0.2.2"), Secret: "other"})
		silent := func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		}
		net.Add(radiusnet.Server{Name: "third", Addr: at("192.0.2.3"), Secret: "other", Handle: silent})

		p := h.start(net, "192.0.2.1", "s")
		p.request()
		p.check("at the start", "1 requests, 1 answered, counted for 2.6s; 0 deaths")
		p.reload("other")
		p.moveTo("192.0.2.2")
		p.request()
		p.check("after another secret and another address", "2 requests, 2 answered, counted for 16.2s; 0 deaths")
		p.moveTo("192.0.2.3")
		p.request()
		p.check("a server that does not answer", "3 requests, 2 answered, counted for 29.8s; 1 deaths", "a dead=true (true) after 29.2s")
		p.end(true)
		p.check("after the last group", "3 requests, 2 answered, counted for 29.9s; 1 deaths")

		time.Sleep(time.Minute)
		p = h.start(net, "192.0.2.2", "other")
		p.request()
		p.check("after an orderly end", "4 requests, 3 answered, counted for 1m32.5s; 1 deaths", "a dead=false (before the start) after 1m0.7s")
		p.keeper.save(false)
		p.request() // is lost
		p.end(false)
		time.Sleep(time.Minute)
		p = h.start(net, "192.0.2.2", "other")
		p.request()
		p.check("after another end", "5 requests, 4 answered, counted for 2.6s; 1 deaths")

		p.moveTo("192.0.2.3")
		p.request()
		p.check("dead again", "6 requests, 4 answered, counted for 16.2s; 2 deaths", "a dead=true (true) after 1m20.7s")
		p.keeper.save(false)
		p.end(false)
		time.Sleep(time.Minute)
		p = h.start(net, "192.0.2.2", "other")
		p.check("up at the start", "6 requests, 4 answered, counted for 100ms; 2 deaths", "a dead=false (before the start) after 1m0.6s")
		p.end(true)
		if err := errors.Join(net.Faults()...); err != nil || h.log.String() != "" {
			t.Error(err, h.log.String())
		}
	})
}
