package tacacstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nwaples/tacplus"

	"aaasess/internal/tacacs"
)

const key tacacs.Key = "xyzzy5461"

// client is one end of a connection.
type client struct {
	t testing.TB
	net.Conn
}

func dial(t testing.TB, s *Server) client {
	t.Helper()
	c, err := s.Dial(context.Background(), "", netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return client{t, c}
}

// send sends a request: a start of this user.
func (c client) send(session uint32, flags tacacs.Flags, user string) {
	c.t.Helper()
	body, err := tacacs.AppendAcctRequest(nil, &tacacs.AcctRequest{Flags: tacacs.AcctFlagStart, User: user})
	if err != nil {
		c.t.Fatal(err)
	}
	h := tacacs.Header{Version: tacacs.Version, Type: tacacs.TypeAccounting, Seq: 1, Flags: flags, Session: session, Length: uint32(len(body))}
	tacacs.Obfuscate(body, h, key)
	if _, err := c.Write(append(tacacs.AppendHeader(nil, h), body...)); err != nil {
		c.t.Fatal(err)
	}
}

// read reads an answer as a client that believes in everything.
func (c client) read() string {
	var head [tacacs.HeaderLen]byte
	if n, err := io.ReadFull(c, head[:]); err != nil {
		return fmt.Sprintf("%d octets, %v", n, err)
	}
	h, err := tacacs.ParseHeader(head[:])
	if err != nil {
		return err.Error()
	}
	body := make([]byte, h.Length)
	if n, err := io.ReadFull(c, body); err != nil {
		return fmt.Sprintf("12+%d octets, %v", n, err)
	}
	if h.Flags&tacacs.FlagUnencrypted == 0 {
		tacacs.Obfuscate(body, h, key)
	}
	r, err := tacacs.ParseAcctReply(body)
	if err != nil {
		return "wrong lengths"
	}
	return fmt.Sprintf("%d: %v %q, flags %d", h.Session, r.Status, r.ServerMsg, h.Flags)
}

// TestBehavior: what a client reads after one request, and after a second one on the same
// connection.
func TestBehavior(t *testing.T) {
	const closed = "0 octets, EOF"
	late := errors.New("i/o timeout")
	for name, tt := range map[string]struct {
		behavior      Behavior
		first, second string
		acknowledged  int
	}{
		"good":                {Behavior{}, `1: SUCCESS "", flags 4`, `2: SUCCESS "", flags 4`, 2},
		"ERROR":               {Behavior{Status: tacacs.StatusError, ServerMsg: "full"}, `1: ERROR "full", flags 4`, `2: ERROR "full", flags 4`, 0},
		"FOLLOW":              {Behavior{Status: tacacs.StatusFollow}, `1: FOLLOW "", flags 4`, `2: FOLLOW "", flags 4`, 0},
		"ERROR for one":       {Behavior{Handle: func(a Arrival) tacacs.Status { return tacacs.Status(1 + len(a.Request.User)%2) }}, `1: ERROR "", flags 4`, `2: SUCCESS "", flags 4`, 1},
		"silent":              {Behavior{Silent: true}, late.Error(), late.Error(), 0},
		"stalls":              {Behavior{Stall: true}, late.Error(), late.Error(), 0},
		"late":                {Behavior{Delay: time.Second}, `1: SUCCESS "", flags 4`, `2: SUCCESS "", flags 4`, 2},
		"very late":           {Behavior{Delay: time.Hour}, late.Error(), late.Error(), 0},
		"closes after each":   {Behavior{CloseAfter: 1}, `1: SUCCESS "", flags 4`, closed, 1},
		"keeps no connection": {Behavior{OneSession: true}, `1: SUCCESS "", flags 0`, closed, 1},
		"half a header":       {Behavior{Cut: 6}, "6 octets, unexpected EOF", closed, 0},
		"half a body":         {Behavior{Cut: 14}, "12+2 octets, unexpected EOF", closed, 0},
		"garbage":             {Behavior{Garbage: []byte("HTTP/1.1 400")}, tacacs.ErrVersion.Error(), tacacs.ErrVersion.Error(), 0},
		"another session":     {Behavior{OtherSession: true}, `2: SUCCESS "", flags 4`, `3: SUCCESS "", flags 4`, 0},
		"another key":         {Behavior{Key: "?"}, "wrong lengths", "wrong lengths", 0},
		"unencrypted":         {Behavior{Unencrypted: true}, `1: SUCCESS "", flags 5`, `2: SUCCESS "", flags 5`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(key)
				defer s.Stop()
				s.Set(tt.behavior)
				c := dial(t, s)
				for i, want := range []string{tt.first, tt.second} {
					_ = c.SetDeadline(time.Now().Add(time.Minute))
					if want != closed && !tt.behavior.Stall && (i == 0 || want != late.Error()) {
						c.send(uint32(1+i), tacacs.FlagSingleConnect, strings.Repeat("u", 1+i))
					}
					if got := c.read(); got != want && !strings.HasSuffix(got, want) {
						t.Errorf("answer %d: %q, want %q", 1+i, got, want)
					}
				}
				if n := len(s.Acknowledged()); n != tt.acknowledged {
					t.Errorf("%d acknowledged, want %d", n, tt.acknowledged)
				}
				if p := s.Problems(); p != nil {
					t.Error(p)
				}
			})
		})
	}
}

// TestBatch: answers in another order.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(key)
		defer s.Stop()
		c := dial(t, s)
		c.send(1, tacacs.FlagSingleConnect, "a")
		got := []string{c.read()}
		s.Set(Behavior{Batch: 3})
		for n := range uint32(3) {
			c.send(2+n, tacacs.FlagSingleConnect, "a")
		}
		for range 3 {
			got = append(got, c.read())
		}
		for i, session := range []string{"1", "4", "3", "2"} {
			if !strings.HasPrefix(got[i], session+": SUCCESS") {
				t.Errorf("answers %q", got)
				break
			}
		}
	})
}

// TestRecovers: a server that stalled, or was killed, goes on.
func TestRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(key)
		defer s.Stop()
		s.Set(Behavior{Stall: true})
		c := dial(t, s)
		go func() {
			time.Sleep(time.Second)
			s.Set(Behavior{})
		}()
		c.send(1, 0, "a")
		if got := c.read(); !strings.HasPrefix(got, "1: SUCCESS") {
			t.Error(got)
		}
		s.Stop()
		if c, err := s.Dial(t.Context(), "", netip.Addr{}); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after Stop: %v, %v", c, err)
		}
		if s.Open() != 0 || s.Accepted() != 1 {
			t.Errorf("%d open, %d accepted", s.Open(), s.Accepted())
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		c = dial(t, s)
		c.send(2, 0, "a")
		if got := c.read(); !strings.HasPrefix(got, "2: SUCCESS") {
			t.Error(got)
		}
	})
}

func TestProblems(t *testing.T) {
	request := func(h tacacs.Header) []byte {
		b := make([]byte, 9)
		h.Length = uint32(len(b))
		tacacs.Obfuscate(b, h, key)
		return append(tacacs.AppendHeader(nil, h), b...)
	}
	good := tacacs.Header{Version: tacacs.Version, Type: tacacs.TypeAccounting, Seq: 1}
	with := func(f func(h *tacacs.Header)) []byte {
		h := good
		f(&h)
		return request(h)
	}
	for name, tt := range map[string]struct {
		octets []byte
		want   error
	}{
		"good":                {request(good), nil},
		"authentication":      {with(func(h *tacacs.Header) { h.Type = 1 }), errType},
		"another version":     {with(func(h *tacacs.Header) { h.Version++ }), errType},
		"a second packet":     {with(func(h *tacacs.Header) { h.Seq = 3 }), errSeq},
		"not obfuscated":      {with(func(h *tacacs.Header) { h.Flags = tacacs.FlagUnencrypted }), errPlain},
		"a session twice":     {append(with(func(h *tacacs.Header) { h.Flags = tacacs.FlagSingleConnect }), request(good)...), errSession},
		"two sessions":        {append(request(good), with(func(h *tacacs.Header) { h.Session++ })...), errMultiple},
		"another key":         {append(request(good)[:tacacs.HeaderLen], make([]byte, 9)...), tacacs.ErrLengths},
		"another protocol":    {[]byte("GET / HTTP/1.1\r\n"), tacacs.ErrVersion},
		"ends in the request": {request(good)[:15], io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(key)
				defer s.Stop()
				s.Set(Behavior{Silent: true})
				c := dial(t, s)
				go func() { _, _ = io.Copy(io.Discard, c) }()
				_, _ = c.Write(tt.octets)
				_ = c.Close()
				synctest.Wait()
				problems := s.Problems()
				if tt.want == nil && problems != nil || tt.want != nil && (len(problems) != 1 || !errors.Is(problems[0], tt.want)) {
					t.Errorf("%v, want %v", problems, tt.want)
				}
			})
		})
	}
}

func TestNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(key)
		defer s.Stop()
		n := Network{"192.0.2.1:49": s}
		c, err := n.Dial(t.Context(), "192.0.2.1:49", netip.Addr{})
		if err != nil || s.Accepted() != 1 {
			t.Fatalf("%d accepted, %v", s.Accepted(), err)
		}
		_ = c.Close()
		if _, err := n.Dial(t.Context(), "192.0.2.2:49", netip.Addr{}); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Error(err)
		}
	})
}

// TestPeerOverTCP: the client of nwaples/tacplus, which we did not write, uses the server over TCP;
// the server is killed and started again.
func TestPeerOverTCP(t *testing.T) {
	s := New(key)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	for _, mux := range []bool{false, true} {
		peer := tacplus.Client{Addr: s.Addr(), ConnConfig: tacplus.ConnConfig{Mux: mux, Secret: []byte(key), Log: func(...any) {}}}
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				r, err := peer.SendAcctRequest(t.Context(), &tacplus.AcctRequest{Flags: tacplus.AcctFlagStop, User: fmt.Sprint(n), Arg: []string{"task_id=1"}})
				if err != nil || r.Status != tacplus.AcctStatusSuccess {
					t.Errorf("mux %v: %+v, %v", mux, r, err)
				}
			})
		}
		all.Wait()
		peer.Close()
		addr := s.Addr()
		s.Stop()
		if _, err := net.Dial("tcp", addr); err == nil {
			t.Error("it accepts connections after Stop")
		}
		if err := s.Start(); err != nil || s.Addr() != addr {
			t.Fatalf("address %s, was %s, %v", s.Addr(), addr, err)
		}
	}
	if n := len(s.Acknowledged()); n != 40 {
		t.Errorf("%d acknowledged", n)
	}
	if !slices.ContainsFunc(s.Arrivals(), func(a Arrival) bool { return a.Header.Flags&tacacs.FlagSingleConnect != 0 }) {
		t.Error("no request asks for single-connect")
	}
	if p := s.Problems(); p != nil {
		t.Error(p)
	}
	if err := s.Await(t.Context(), func() bool { return s.Open() == 0 }); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if err := s.Await(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
