package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
)

// rig is a client, an in-memory network and a resolver, with a fake clock.
type rig struct {
	*testing.T
	net    *radiusnet.Network
	client *client.Client
	began  time.Time
	log    *lines

	mu     sync.Mutex // guards the fields below
	addrs  map[string][]netip.Addr
	asked  int
	silent bool // resolutions get no answer
}

// lines collects log lines.
type lines struct {
	mu   sync.Mutex
	text string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(b)
	return len(b), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

func withRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	withRigTimes(t, client.LookupTimes{}, test)
}

func withRigTimes(t *testing.T, times client.LookupTimes, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, net: radiusnet.New(1), began: time.Now(), log: &lines{}, addrs: map[string][]netip.Addr{}}
		r.client = client.New(client.Config{
			Dial: client.OverUDP(r.net.Listen), Lookup: r.lookup, LookupTimes: times, Logger: slog.New(slog.NewTextHandler(r.log, nil)),
		})
		test(r)
		for _, err := range r.net.Faults() {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
}

func (r *rig) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	found, silent := append([]netip.Addr(nil), r.addrs[host]...), r.silent
	r.asked++
	r.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if len(found) == 0 {
		return nil, errors.New("no such host")
	}
	return found, nil
}

// name sets the addresses of a name.
func (r *rig) name(host string, addrs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs[host] = nil
	for _, a := range addrs {
		r.addrs[host] = append(r.addrs[host], netip.MustParseAddr(a))
	}
}

// lookUps returns how many resolutions were made.
func (r *rig) lookUps() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// host adds a server with this address.
func (r *rig) host(addr string, handle func([]byte, radiusnet.Arrival) radiusnet.Reaction) *radiusnet.Host {
	at := netip.AddrPortFrom(netip.MustParseAddr(addr), 1813)
	return r.net.Add(radiusnet.Server{Name: addr, Addr: at, Secret: "s", Handle: handle})
}

func silent([]byte, radiusnet.Arrival) radiusnet.Reaction {
	return radiusnet.Reaction{Answer: radiusnet.Silent}
}

// to returns a member with this host: two transmissions, a second apart.
func to(host string) client.Member {
	return client.Member{
		Identity: client.Identity{Name: "of " + host, Host: host, Port: 1813, Secret: "s"},
		Schedule: retry.Schedule{Timeout: time.Second, Retransmit: 1},
	}
}

// group runs a group until it is closed, or until the end of the test.
func (r *rig) group(cfg client.GroupConfig, members ...client.Member) *client.Group {
	r.Helper()
	cfg.Members = members
	g, err := r.client.NewGroup(cfg)
	if err != nil {
		r.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(context.Background()) }()
	r.Cleanup(func() {
		if err := errors.Join(g.Close(), <-ended); err != nil {
			r.Error(err)
		}
	})
	<-g.Ready()
	return g
}

// sleep sleeps until a second of the test, and until everything at that time has happened.
func (r *rig) sleep(second float64) {
	time.Sleep(time.Until(r.began.Add(time.Duration(second * float64(time.Second)))))
	synctest.Wait()
}

// sent is a request that was sent, and its result.
type sent struct {
	r      *rig
	number int
	ends   chan string
	err    error // the result; to be read after it
}

var _ client.Request = (*sent)(nil)

// send sends a request through a group.
func (r *rig) send(g *client.Group, number int) *sent {
	s := &sent{r: r, number: number, ends: make(chan string, 1)}
	g.Send(s, retry.Progress{})
	return s
}

func (s *sent) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	b = radius.AppendUint32(b, radius.AcctStatusType, 1)
	b = radius.AppendUint32(b, radius.AcctDelayTime, 0)
	b = radius.AppendAttribute(b, radius.AcctSessionID, fmt.Sprint(s.number))
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

func (s *sent) Answers(code radius.Code) bool { return code == radius.CodeAccountingResponse }

func (s *sent) Session() string { return fmt.Sprint(s.number) }

func (s *sent) User() string { return "alice" }

func (s *sent) Done(answer client.Answer, err error) {
	s.err = err
	end := "answered by " + answer.Server
	if err != nil {
		end = err.Error()
	} else if answer.Packet.Code() != radius.CodeAccountingResponse {
		end = "answered with " + answer.Packet.Code().String()
	}
	select {
	case s.ends <- end:
	default:
		s.r.Errorf("request %d has a second end: %s", s.number, end)
	}
}

// check checks the result, which must be there; "" means none.
func (s *sent) check(want string) {
	s.r.Helper()
	got := ""
	select {
	case got = <-s.ends:
	default:
	}
	if got != want {
		s.r.Errorf("request %d at %v: %q, want %q", s.number, time.Since(s.r.began), got, want)
	}
}

const nobody = "radius: no server answers"
