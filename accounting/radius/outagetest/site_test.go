package outagetest

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/sessions"
	"aaasess/store"
)

// site is one process that delivers records, on one disk and one network.
type site struct {
	*testing.T
	net   *radiusnet.Network
	began time.Time
	dir   string
	cfg   store.Config
	store *store.Store

	delivers delivery.Config
	ctx      context.Context // context of the Delivery
	end      context.CancelFunc
	delivery *delivery.Delivery
	runs     bool           // the Delivery runs
	running  sync.WaitGroup // the Delivery
	client   *client.Client
	groups   []*acctradius.Group
}

// inSite runs a test in fake time on a store in memory.
func inSite(t *testing.T, test func(s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1, "state", store.Config{Disk: store.NewDisk()}, delivery.Config{})
		test(s)
		s.stop()
		for _, err := range s.net.Faults() {
			t.Error(err)
		}
	})
}

func newSite(t *testing.T, seed uint64, dir string, cfg store.Config, delivers delivery.Config) *site {
	t.Helper()
	cfg.MinFree, cfg.Ballast = -1, -1
	s := &site{T: t, net: radiusnet.New(seed), began: time.Now(), dir: dir, cfg: cfg, delivers: delivers}
	s.open()
	return s
}

// open opens the store and creates a Delivery, without running it.
func (s *site) open() {
	s.Helper()
	var err error
	if s.store, err = store.Open(s.dir, s.cfg); err != nil {
		s.Fatal(err)
	}
	s.ctx, s.end = context.WithCancel(s.Context())
	s.delivery, s.runs = delivery.New(s.delivers, s.store, slog.New(slog.DiscardHandler)), false
}

// stop ends everything that runs, in the same order as the daemon.
func (s *site) stop() {
	s.Helper()
	s.end()
	s.running.Wait()
	for _, g := range s.groups {
		s.close(g)
	}
	s.groups = nil
	if err := s.store.Close(); err != nil {
		s.Error(err)
	}
}

func (s *site) close(g *acctradius.Group) {
	if err := g.Close(); err != nil {
		s.Error(err)
	}
}

// host adds server number n to the network.
func (s *site) host(n int, server radiusnet.Server) *radiusnet.Host {
	server.Name = string(rune('a' + n))
	server.Addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1813+n))
	server.Secret = radius.Secret("secret of " + server.Name)
	return s.net.Add(server)
}

// group runs a group until stop. All groups share one client, as in the daemon.
func (s *site) group(cfg client.GroupConfig) *acctradius.Group {
	s.Helper()
	if s.client == nil {
		s.client = client.New(client.Config{Dial: client.OverUDP(s.net.Listen)})
	}
	return s.groupOf(s.client, cfg)
}

// groupOf runs a group of a client until stop.
func (s *site) groupOf(c *client.Client, cfg client.GroupConfig) *acctradius.Group {
	s.Helper()
	g, err := acctradius.New(c, cfg)
	if err != nil {
		s.Fatal(err)
	}
	s.groups = append(s.groups, g)
	go func() { _ = g.Run(context.Background()) }() // Close ends it
	<-g.Ready()
	return g
}

// deliver adds a method, and runs the Delivery until stop.
func (s *site) deliver(cfg accounting.MethodConfig, name accounting.MethodName, m accounting.Method) {
	s.delivery.SetMethod(name, m, cfg)
	s.run()
}

// run runs the Delivery until stop, unless it runs already.
func (s *site) run() {
	if s.runs {
		return
	}
	s.runs = true
	ctx, d := s.ctx, s.delivery
	s.running.Go(func() {
		if err := d.Run(ctx); err != nil {
			s.Error(err)
		}
	})
}

// add appends records to queues, in one change, and waits until they are durable.
func (s *site) add(recs ...queued) {
	s.Helper()
	var c store.Change
	for _, r := range recs {
		c.Appends = append(c.Appends, store.Append{Queue: r.to.Queue(), Data: accounting.AppendRecord(nil, r.rec)})
	}
	done := make(chan error, 1)
	s.store.Commit(c, func(err error) { done <- err })
	if err := <-done; err != nil {
		s.Fatal(err)
	}
}

// queued is a record and the first method of its list.
type queued struct {
	to  accounting.MethodName
	rec *accounting.Record
}

// queue returns how many records wait for a method.
func (s *site) queue(name string) uint64 {
	for _, q := range s.store.Queues() {
		if q.Name == name {
			return q.Len
		}
	}
	return 0
}

// sleep sleeps until a second of the site's life, then waits until nothing happens any more.
func (s *site) sleep(second int) {
	time.Sleep(time.Until(s.began.Add(time.Duration(second) * time.Second)))
	synctest.Wait()
}

// record returns a record of an event that happens now. Acct-Session-Time contains its number.
func record(id sessions.ID, typ sessions.EventType, number uint32, next ...accounting.MethodName) *accounting.Record {
	attrs := radius.AppendUint32(make([]byte, 0, 32), radius.AcctStatusType, uint32(typ))
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, id.String())
	attrs = radius.AppendUint32(attrs, radius.AcctSessionTime, number)
	return &accounting.Record{
		Session: id, Type: typ, At: time.Now(), List: "network/default", Next: next, Attrs: radius.Attributes(attrs),
	}
}

// number returns the record number of a request that the network has checked.
func number(request []byte) uint32 {
	n, _ := radius.Attributes(request[20:]).Uint32(radius.AcctSessionTime)
	return n
}

// silent is a server that receives everything and answers nothing.
func silent([]byte, radiusnet.Arrival) radiusnet.Reaction {
	return radiusnet.Reaction{Answer: radiusnet.Silent}
}

// arrival is a request: its second, server and record.
type arrival struct {
	Second int
	Server string
	ID     string
	Status sessions.EventType
}

func (s *site) arrivals() (all []arrival) {
	for _, a := range s.net.Arrivals() {
		all = append(all, arrival{int(a.At.Sub(s.began) / time.Second), a.Server, a.SessionID, sessions.EventType(a.StatusType)})
	}
	return all
}

// checkRequests checks all arrivals: no two have the same identifier and socket, or the same
// authenticator, and Acct-Delay-Time is the time since the event in seconds.
func (s *site) checkRequests(at time.Time) {
	s.Helper()
	seen := map[string]bool{}
	for _, a := range s.net.Arrivals() {
		packet, auth := fmt.Sprint(a.Server, a.From, a.Identifier), fmt.Sprintf("%x", a.Authenticator)
		if seen[packet] || seen[auth] {
			s.Errorf("%v: identifier %d from %v, authenticator %s: was there before", a.At.Sub(s.began), a.Identifier, a.From, auth)
		}
		seen[packet], seen[auth] = true, true
		if want := a.At.Sub(at) / time.Second; time.Duration(a.DelayTime) != want {
			s.Errorf("%v: Acct-Delay-Time %d, want %d", a.At.Sub(s.began), a.DelayTime, want)
		}
	}
}

// s4 is the example of S4.
var s4 = retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}

const start, interim, stop = sessions.Start, sessions.Interim, sessions.Stop

func idOf(i int) sessions.ID { return sessions.ID(i) }
