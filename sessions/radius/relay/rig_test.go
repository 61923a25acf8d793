package relay

import (
	"context"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
)

// answering decides the answer of a server; false means silence. It is called for each packet that
// arrives, one at a time for each server.
type answering func(p radius.Packet) (code radius.Code, attrs string, ok bool)

func acceptAll(radius.Packet) (radius.Code, string, bool) {
	return radius.CodeAccessAccept, attr(radius.Class, "c"), true
}

func rejectAll(radius.Packet) (radius.Code, string, bool) { return radius.CodeAccessReject, "", true }

func silent(radius.Packet) (radius.Code, string, bool) { return 0, "", false }

// server is a server in memory.
type server struct {
	name string
	addr netip.AddrPort

	mu       sync.Mutex
	answer   answering
	arrivals []radius.Packet
	at       []time.Time
}

// conn is a connection to a server.
type conn struct {
	*server
	answers chan []byte
	closed  chan struct{}
	once    sync.Once
}

// Send passes a packet to the server, which answers at once.
func (c *conn) Send(b []byte) error {
	p, err := radius.Parse(append([]byte(nil), b...))
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrivals, c.at = append(c.arrivals, p), append(c.at, time.Now())
	code, attrs, ok := c.answer(p)
	if !ok {
		return nil
	}
	out := append(radius.AppendSignedHeader(nil, code, p.Identifier()), attrs...)
	radius.SealResponse(out, p.Authenticator(), serverSecret)
	select {
	case c.answers <- out:
	default: // as if it were lost
	}
	return nil
}

func (c *conn) Receive(b []byte) (int, error) {
	select {
	case answer := <-c.answers:
		return copy(b, answer), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// setAnswer changes what a server answers.
func (s *server) setAnswer(f answering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// users returns the User-Names of the packets that arrived, in order.
func (s *server) users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, p := range s.arrivals {
		names = append(names, radius.Attributes(p.Attributes()).Text(radius.UserName))
	}
	return names
}

// rig is a Relay with groups of servers in memory. It runs in a bubble of synctest.
type rig struct {
	*Relay
	t       *testing.T
	client  *client.Client
	servers map[netip.AddrPort]*server
	byName  map[string]*server
	groups  map[string]*client.Group
	begun   time.Time
	blocked sync.Map // names of groups
	events  *events
	logins  []*login
}

// events are the events of a test, in order.
type events struct {
	mu   sync.Mutex
	list []string
}

func (e *events) add(event string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.list, "; ")
}

// schedule is that of all servers in tests: a server is given up after 4 s.
var schedule = retry.Schedule{Timeout: 2 * time.Second, Retransmit: 1}

// inBubble runs a test with a rig. groups has the servers of each group; a list of the same name has
// the group as its only method.
func inBubble(t *testing.T, groups map[string][]string, edit func(*Config), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{
			t: t, servers: map[netip.AddrPort]*server{}, byName: map[string]*server{}, groups: map[string]*client.Group{},
			begun: time.Now(), events: &events{},
		}
		r.client = client.New(client.Config{Dial: r.dial})
		cfg := Config{Blocked: r.isBlocked}
		cfg.Lists = map[string][]string{}
		for name, members := range groups {
			r.addGroup(name, client.GroupConfig{}, members...)
			cfg.Lists[name] = []string{name}
		}
		cfg.Groups = maps.Clone(r.groups)
		if edit != nil {
			edit(&cfg)
		}
		var err error
		if r.Relay, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = r.Run(ctx) })
		test(r)
		cancel()
		running.Wait()
		for _, g := range r.groups {
			_ = g.Close()
		}
		r.check()
	})
}

// block changes whether a group is blocked.
func (r *rig) block(group string, on bool) { r.blocked.Store(group, on) }

func (r *rig) isBlocked(group string) bool {
	on, _ := r.blocked.Load(group)
	return on == true
}

// check checks what must hold when no request is in flight.
func (r *rig) check() {
	r.t.Helper()
	s := r.Stats()
	ended := s.Accepts + s.Rejects + s.Challenges + s.NoList + s.Blocked + s.NoResponse + s.Busy + s.Unusable + s.Looped + s.BadAnswers + s.Stopped
	if s.InFlight != 0 || s.Octets != 0 || s.Requests != ended || s.Requests != uint64(len(r.logins)) {
		r.t.Errorf("at the end: %+v, want %d requests", s, len(r.logins))
	}
	for _, g := range s.Groups {
		if g.InFlight != 0 {
			r.t.Errorf("at the end: %+v", g)
		}
	}
	for i, l := range r.logins {
		if l.ends != 1 {
			r.t.Errorf("request %d was answered %d times", i, l.ends)
		}
	}
}

func (r *rig) dial(_ netip.Addr, to netip.AddrPort, _ func(netip.Addr) bool) (client.Conn, error) {
	return &conn{server: r.servers[to], answers: make(chan []byte, 256), closed: make(chan struct{})}, nil
}

// addGroup adds a group that runs. Servers that exist already stay as they are.
func (r *rig) addGroup(name string, cfg client.GroupConfig, members ...string) *client.Group {
	r.t.Helper()
	cfg.Name, cfg.Purpose = name, client.Authentication
	for _, m := range members {
		s := r.byName[m]
		if s == nil {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + len(r.servers))}), 1812)
			s = &server{name: m, addr: addr, answer: acceptAll}
			r.servers[addr], r.byName[m] = s, s
		}
		id := client.Identity{Name: m, Host: s.addr.Addr().String(), AuthPort: 1812, Secret: serverSecret}
		cfg.Members = append(cfg.Members, client.Member{Identity: id, Schedule: schedule})
	}
	g, err := r.client.NewGroup(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.groups[name] = g
	go func() { _ = g.Run(context.Background()) }()
	synctest.Wait()
	return g
}

// login is a request of a NAS and its end.
type login struct {
	rig  *rig
	name string

	mu     sync.Mutex
	ends   int
	code   radius.Code
	attrs  string
	reason error
	at     time.Duration
}

// Answer records the answer.
func (l *login) Answer(code radius.Code, attrs []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends++
	l.code, l.attrs, l.at = code, string(attrs), time.Since(l.rig.begun)
	l.rig.events.add(code.String() + " to " + l.name)
}

// Drop records the reason.
func (l *login) Drop(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends++
	l.reason, l.at = reason, time.Since(l.rig.begun)
}

// state returns the State of the answer as an attribute.
func (l *login) state() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return attr(radius.State, radius.Attributes(l.attrs).Text(radius.State))
}

// String returns the end for comparison.
func (l *login) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ends == 0:
		return "waits"
	case l.reason != nil:
		return l.reason.Error()
	}
	return l.code.String()
}

// send passes a request of a user at a client to the Relay.
func (r *rig) send(client, user string, attrs ...string) *login {
	l := &login{rig: r, name: user}
	r.logins = append(r.logins, l)
	q := &nasradius.AccessRequest{
		Packet: accessRequest(append([]string{attr(radius.UserName, user), messageAuthenticator}, attrs...)...), ClientName: client,
		Secret: nasSecret, From: netip.MustParseAddrPort("203.0.113.1:1024"), Received: time.Now(),
	}
	r.relay(q, l, nil)
	return l
}

// login is send, and waits until nothing happens without time passing.
func (r *rig) login(client, user string, attrs ...string) *login {
	l := r.send(client, user, attrs...)
	synctest.Wait()
	return l
}

// want checks the end of a request.
func (r *rig) want(l *login, want string) {
	r.t.Helper()
	if got := l.String(); got != want {
		r.t.Errorf("%s: %s, want %s", l.name, got, want)
	}
}

// records are Admissions that note what they hear.
type records struct {
	*events
	hold   bool // Rejects wait
	held   []func()
	asked  []admission.Request
	accept []radius.Attributes
	answer admission.Upstream
}

func (a *records) Ask(q *admission.Request) admission.Upstream {
	a.asked = append(a.asked, *q)
	return a.answer
}

func (a *records) Accept(_ *admission.Request, accept radius.Attributes) {
	a.add("admitted")
	a.accept = append(a.accept, accept)
}

func (a *records) Reject(_ *admission.Request, done func()) {
	a.add("rejected")
	if a.hold {
		a.held = append(a.held, done)
		return
	}
	done()
}

// slowRecords are Admissions whose stop records take up to two seconds.
type slowRecords struct {
	silence

	mu  sync.Mutex
	rnd *rand.Rand
}

func (a *slowRecords) Reject(_ *admission.Request, done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	time.AfterFunc(time.Duration(a.rnd.IntN(2000))*time.Millisecond, done)
}
