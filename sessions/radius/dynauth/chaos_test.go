package dynauth

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/sessionstest"
)

const (
	chaosSessions = 12
	chaosSteps    = 150 // for each socket of the server; fewer than identifiers
	nasSecret     = "nas secret"
)

// chaos is a server and two NASes that do everything wrong, and what must be right all the same.
type chaos struct {
	t        *testing.T
	random   *rand.Rand // of the server
	table    *sessions.Table
	journal  *sessionstest.Journal
	forward  *Forwarder
	listener *nasradius.ChangeListener
	dae      *dae.Disconnector
	clients  []nasradius.Client // the NASes

	mu     sync.Mutex // guards the following, which the NASes write
	acked  map[ask]bool
	mayEnd map[string]bool // by Acct-Session-Id of the NAS
}

// ask is what a NAS is asked for.
type ask struct {
	sid        string
	disconnect bool
}

// chaosServer is a socket of the server.
type chaosServer struct {
	conn  *net.UDPConn
	begun time.Time
	made  [][]byte          // its own requests
	sent  map[byte][]string // by identifier: those that were sent from here, also of other sockets
	got   map[string]string // the answer to each
}

// newChaos starts everything.
func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{t: t, random: rand.New(rand.NewPCG(seed, 1)), journal: sessionstest.NewJournal(), acked: map[ask]bool{}, mayEnd: map[string]bool{}}
	t.Cleanup(c.journal.Close)
	c.table = sessions.New(sessions.Config{}, c.journal)
	for n := range 2 {
		addr := fmt.Sprintf("127.0.0.%d", n+2)
		nas := radiustest.Listen(t, addr+":0", nasSecret, radiustest.Silence)
		nas.Handle(c.nas(nas, radiustest.Listen(t, addr+":0", nasSecret, radiustest.Silence), rand.New(rand.NewPCG(seed, uint64(n+2)))))
		c.clients = append(c.clients, nasradius.Client{Prefix: netip.PrefixFrom(netip.MustParseAddr(addr), 32), Secret: nasSecret, DisconnectPort: nas.AddrPort().Port()})
	}
	for i := range chaosSessions {
		c.apply(sessions.Start, fmt.Sprint("S", i))
	}
	var err error
	if c.dae, err = dae.New(dae.Config{Clients: c.clients, Timeout: 10 * time.Millisecond, Retransmissions: 1}); err != nil {
		t.Fatal(err)
	}
	radiustest.Run(t, c.dae.Run)
	c.forward = New(Config{Table: c.table, Forward: c.dae.Forward, MayChange: mayAll, StopWait: 10 * time.Millisecond})
	c.listener, err = nasradius.NewChangeListener(nasradius.ChangeConfig{Config: nasradius.Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Clients: c.servers("r1"),
	}}, c.forward)
	if err != nil {
		t.Fatal(err)
	}
	radiustest.Run(t, c.listener.Run)
	return c
}

func (c *chaos) servers(name string) []nasradius.Client {
	return []nasradius.Client{{Name: name, Prefix: netip.MustParsePrefix("127.0.0.1/32"), Secret: "secret"}}
}

// apply reports an event of a session. Those with even numbers are at 127.0.0.2, the others at 127.0.0.3.
func (c *chaos) apply(typ sessions.EventType, sid string) {
	ev := sessions.Event{
		Type: typ, NAS: sessions.NAS{Addr: netip.AddrFrom4([4]byte{127, 0, 0, 2 + (sid[len(sid)-1]-'0')%2})},
		AcctSessionID: sid, Kind: sessions.Network, At: time.Now(), Attrs: radius.Attributes(attr(radius.UserName, "alice") + attr(radius.AcctSessionID, sid)),
	}
	sessionstest.Await(c.t, func(done func(error)) error { return c.table.Apply(ev, done) })
}

// nas returns how a NAS answers: rightly, late, twice, wrongly, from another port, or not.
func (c *chaos) nas(nas, other *radiustest.NAS, random *rand.Rand) radiustest.Handler {
	late := func() {}
	return func(r radiustest.Request) (answer []byte) {
		sid, disconnect := string(r.Packet.Get(44)), r.Data[0] == byte(radius.CodeDisconnectRequest)
		if r.Packet.Get(33) != nil || sid == "" || nas.AddrPort().Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 2 + (sid[len(sid)-1]-'0')%2}) {
			c.t.Errorf("%v gets %x", nas.AddrPort(), r.Data)
		}
		ack := func() []byte {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.acked[ask{sid, disconnect}] = true
			c.mayEnd[sid] = c.mayEnd[sid] || disconnect
			return radiustest.ACK(r)
		}
		before := late
		late = func() {}
		defer before()
		switch random.IntN(12) {
		case 0, 1:
			return nil
		case 2:
			return radiustest.WrongAuthenticator(r)
		case 3:
			other.Send(r.From, radiustest.ACK(r))
			return nil
		case 4:
			late = func() { nas.Send(r.From, ack()) }
			return nil
		case 5:
			nas.Send(r.From, ack())
			return ack()
		case 6:
			if disconnect {
				c.mu.Lock()
				c.mayEnd[sid] = true
				c.mu.Unlock()
				c.apply(sessions.Stop, sid) // before the ACK
			}
			return ack()
		case 7, 8, 9:
			cause := []uint32{0, 401, 402, 403, 404, 407, 503, 506}[random.IntN(8)]
			c.mu.Lock()
			c.mayEnd[sid] = c.mayEnd[sid] || disconnect && cause == 503
			c.mu.Unlock()
			return radiustest.NAK(cause)(r)
		}
		return ack()
	}
}

// request encodes a new request for a session, or for one that is not there.
func (c *chaos) request(s *chaosServer) []byte {
	code := radius.CodeDisconnectRequest
	if c.random.IntN(2) == 0 {
		code = radius.CodeCoARequest
	}
	id := byte(len(s.made))
	b := append(radius.AppendHeader(nil, code, id), attr(radius.AcctSessionID, fmt.Sprintf("%08X", c.random.IntN(chaosSessions+2)+1))...)
	if c.random.IntN(2) == 0 {
		b = radius.AppendUint32(b, radius.EventTimestamp, uint32(time.Now().Unix()))
	}
	b = append(b, attr(radius.ProxyState, fmt.Sprintf("%d of %v", id, s.conn.LocalAddr()))...)
	radius.Seal(b, 0, radius.Authenticator{}, "secret")
	return b
}

// step sends one datagram from a socket, or changes the configuration.
func (c *chaos) step(s *chaosServer, all []*chaosServer) {
	b := c.request(s)
	switch old := all[c.random.IntN(len(all))]; c.random.IntN(10) {
	case 0: // with a wrong secret
		b[4+c.random.IntN(16)] ^= 1
		c.write(s, b, false)
	case 1: // with a wrong Proxy-State
		b[len(b)-1] ^= 1
		c.write(s, b, false)
	case 2, 3: // a copy, or a replay from another port
		if len(old.made) > 0 {
			c.write(s, old.made[c.random.IntN(len(old.made))], true)
		}
	case 4: // a reload
		for i := range c.clients {
			c.clients[i].DisconnectAttributes = [][]string{nil, {"User-Name", "Acct-Session-Id"}}[c.random.IntN(2)]
		}
		if err := errors.Join(c.listener.SetClients(c.servers(fmt.Sprint("r", c.random.IntN(2)))), c.dae.SetClients(c.clients)); err != nil {
			c.t.Error(err)
		}
	case 5: // twice
		s.made = append(s.made, b)
		c.write(s, b, true)
		c.write(s, b, true)
	default:
		s.made = append(s.made, b)
		c.write(s, b, true)
	}
}

// write sends a datagram. It notes one that may be answered.
func (c *chaos) write(s *chaosServer, b []byte, valid bool) {
	if valid && !slices.Contains(s.sent[b[1]], string(b)) {
		s.sent[b[1]] = append(s.sent[b[1]], string(b))
	}
	if _, err := s.conn.Write(b); err != nil {
		c.t.Error(err)
	}
}

// read reads the answers that have come, and checks them.
func (c *chaos) read(s *chaosServer) {
	b := make([]byte, radius.MaxPacket)
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := s.conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		p, parseErr := radius.Parse(b[:n])
		if err := errors.Join(err, parseErr); err != nil {
			c.t.Fatal(err)
		}
		request := c.requestOf(s, p)
		before, answered := s.got[request]
		switch {
		case request == "":
			c.t.Errorf("%x is no answer to %x", p.Octets(), s.sent[p.Identifier()])
		case answered && before != string(p.Octets()) && time.Since(s.begun) < 10*time.Second: // as long as answers are kept
			c.t.Errorf("two answers to %x: %x, %x", request, before, p.Octets())
		case !answered:
			s.got[request] = string(p.Octets())
			c.check(request, p)
		}
	}
}

// requestOf returns the request that an answer belongs to by its authenticator, "" if there is none.
func (c *chaos) requestOf(s *chaosServer, p radius.Packet) string {
	for _, request := range s.sent[p.Identifier()] {
		if ok, _ := p.Authentic(radius.Authenticator([]byte(request[4:radius.HeaderLen])), "secret", nil); ok {
			return request
		}
	}
	return ""
}

// check checks an answer to a request.
func (c *chaos) check(request string, p radius.Packet) {
	asked, err := radius.Parse([]byte(request))
	if err != nil {
		c.t.Fatal(err)
	}
	state, _ := radius.Attributes(asked.Attributes()).Get(radius.ProxyState)
	if p.Code() != asked.Code()+1 && p.Code() != asked.Code()+2 || !strings.HasSuffix(string(p.Octets()), attr(radius.ProxyState, state)) {
		c.t.Errorf("%x is the answer to %x", p.Octets(), request)
	}
	var number int
	name := radius.Attributes(asked.Attributes()).Text(radius.AcctSessionID)
	if _, err := fmt.Sscanf(name, "%08X", &number); err != nil {
		c.t.Fatal(err)
	}
	cause, _ := radius.Attributes(p.Attributes()).Uint32(radius.ErrorCauseType)
	c.mu.Lock()
	acked := c.acked[ask{fmt.Sprint("S", number-1), asked.Code() == radius.CodeDisconnectRequest}]
	c.mu.Unlock()
	switch isACK := p.Code() == asked.Code()+1; {
	case isACK && !acked:
		c.t.Errorf("an ACK for %s, which no NAS has sent", name)
	case number > chaosSessions && radius.ErrorCause(cause) != radius.SessionContextNotFound:
		c.t.Errorf("session %s: %v %d", name, p.Code(), cause)
	}
}

// end waits until nothing is under way, and the sums and the sessions are right. A request may be between
// two counters, and a stop may be on its way to the journal.
func (c *chaos) end() {
	var wrong []string
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if wrong = c.wrong(); len(wrong) == 0 || time.Now().After(limit) {
			break
		}
	}
	for _, what := range wrong {
		c.t.Error(what)
	}
}

// wrong returns what is under way, and what is wrong with the sums and the sessions.
func (c *chaos) wrong() (all []string) {
	got, heard := c.forward.Stats(), c.listener.Stats().ChangeCounters
	sum := got.ACKs + got.NAKs + got.Silent + got.Incomplete + got.Unknown + got.Ambiguous + got.Mismatched + got.Prohibited + got.Unroutable + got.Unusable + got.Busy
	if got.InFlight > 0 || got.Waiting > 0 || sum != got.Disconnects+got.CoAs ||
		got.Prohibited+got.Unroutable+got.Unusable+got.Busy+got.Incomplete+got.Ambiguous+got.Mismatched != 0 {
		all = append(all, fmt.Sprintf("%+v", got))
	}
	if heard.Requests != got.Disconnects+got.CoAs+heard.Duplicates+heard.BadAuthenticators+heard.Stale || heard.Refused != got.Silent || heard.Malformed != 0 {
		all = append(all, fmt.Sprintf("%+v, and %+v", heard, got))
	}
	c.forward.mu.Lock()
	if n := len(c.forward.nases); n != 0 {
		all = append(all, fmt.Sprintf("%d NASes have requests", n))
	}
	c.forward.mu.Unlock()
	stops := map[string]int{}
	for _, n := range c.journal.Notices() {
		if n.Type == sessions.Stop {
			stops[n.Session.AcctSessionID()]++
		}
	}
	c.mu.Lock() // a NAS may still receive what nobody waits for
	defer c.mu.Unlock()
	for i := range chaosSessions {
		sid := fmt.Sprint("S", i)
		if ended := c.table.Row(sessions.ID(i+1)) == nil; ended && (stops[sid] == 0 || !c.mayEnd[sid]) || !ended && stops[sid] > 0 {
			all = append(all, fmt.Sprintf("%s: ended %v, %d stops, its NAS has ended or lost it: %v", sid, ended, stops[sid], c.mayEnd[sid]))
		}
	}
	return all
}

// TestChaos: whatever servers and NASes do, each answer belongs to its request, a server gets an ACK only if
// its NAS has sent one, a session ends only if its NAS has said so, and nothing is left behind.
func TestChaos(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			c := newChaos(t, seed)
			var all []*chaosServer
			for range 3 {
				all = append(all, &chaosServer{
					conn: dial(t, "127.0.0.1", c.listener.Addr()).conn, begun: time.Now(), sent: map[byte][]string{}, got: map[string]string{},
				})
			}
			for range chaosSteps {
				for _, s := range all {
					c.step(s, all)
					if c.random.IntN(8) == 0 {
						c.read(s)
					}
				}
			}
			c.end()
			for _, s := range all {
				c.read(s)
			}
		})
	}
}
