package radius

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/sessions"
)

// clientStacks returns the stacks of goroutines of package client.
func clientStacks() (stacks []string) {
	b := make([]byte, 1<<20)
	for _, s := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(s, "client.(*Group)") || strings.Contains(s, "client.(*path)") {
			stacks = append(stacks, s)
		}
	}
	return stacks
}

func TestRunEndsWithContext(t *testing.T) {
	s := newFakeServer(t, always(hold))
	g, err := NewGroup(Config{Servers: []Server{s.server("a")}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	<-g.Ready()
	var outcomes []outcome
	for i := range 300 { // two sockets
		outcomes = append(outcomes, send(t, g, testRecord(sessions.ID(i+1), time.Now())))
	}
	until(t, "Run and two readers", func() bool { return len(clientStacks()) == 3 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	for _, o := range outcomes {
		select {
		case err := <-o.ch: // before Run returned
			if !errors.Is(err, accounting.ErrStopped) {
				t.Fatalf("done(%v)", err)
			}
		default:
			t.Fatal("done was not called before Run ended")
		}
	}
	if left := clientStacks(); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n\n"))
	}
	send(t, g, testRecord(1, time.Now())).want(t, accounting.ErrStopped)
	if err := g.Run(context.Background()); err == nil {
		t.Error("ran again")
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// Run handles its deadlines when they are due, to the nanosecond, even if the first one comes after
// a long time without one. The servers cannot be reached: no socket can be opened.
func TestRunKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := NewGroup(Config{
			Servers: []Server{
				{Addr: documentationAddr, Secret: testSecret},
				{Addr: netip.AddrPortFrom(documentationAddr.Addr(), 1646), Secret: testSecret},
			},
			Source: documentationAddr.Addr(), HoldDown: -1,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			if err := g.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		begin := time.Now()
		took := make(chan time.Duration)
		for _, after := range []time.Duration{0, time.Millisecond, 7500 * time.Millisecond, 5 * time.Hour, 5*time.Hour + time.Second} {
			time.AfterFunc(after, func() {
				g.Send(testRecord(1, begin), retry.Progress{}, func(err error) {
					if !errors.Is(err, accounting.ErrNoResponse) {
						t.Errorf("done(%v)", err)
					}
					took <- time.Since(begin) - after
				})
			})
		}
		for range 5 {
			if got := <-took; got != 40*time.Second {
				t.Errorf("took %v, want 40 s: four attempts with each of two servers", got)
			}
		}
	})
}

func TestSendBeforeRun(t *testing.T) {
	s := newFakeServer(t, always(answer))
	g, err := NewGroup(Config{Servers: []Server{s.server("a")}})
	if err != nil {
		t.Fatal(err)
	}
	o := send(t, g, testRecord(1, time.Now()))
	select {
	case <-g.Ready():
		t.Error("ready before Run")
	default:
	}
	if len(s.got()) != 0 {
		t.Error("sent before Run")
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	o.want(t, nil)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestCloseWithoutRun(t *testing.T) {
	s := newFakeServer(t, always(answer))
	g, err := NewGroup(Config{Servers: []Server{s.server("a")}})
	if err != nil {
		t.Fatal(err)
	}
	o := send(t, g, testRecord(1, time.Now()))
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	o.want(t, accounting.ErrStopped)
	if err := g.Run(context.Background()); err == nil {
		t.Error("ran after Close")
	}
}

func TestCloseEndsRun(t *testing.T) {
	s := newFakeServer(t, always(hold))
	g, err := NewGroup(Config{Servers: []Server{s.server("a")}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(context.Background()) }()
	<-g.Ready()
	o := send(t, g, testRecord(1, time.Now()))
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	o.want(t, accounting.ErrStopped)
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestOverflow(t *testing.T) {
	s := newFakeServer(t, always(hold))
	g := startGroup(t, Config{Servers: every(patience, 0, s.server("a")), MaxInFlight: 2})
	a, b := send(t, g, testRecord(1, time.Now())), send(t, g, testRecord(2, time.Now()))
	send(t, g, testRecord(3, time.Now())).want(t, client.ErrOverflow)
	until(t, "two requests", func() bool { return len(s.got()) == 2 })
	s.release()
	a.want(t, nil)
	b.want(t, nil)
	c := send(t, g, testRecord(3, time.Now()))
	until(t, "the third request", func() bool { return len(s.got()) == 3 })
	s.release()
	c.want(t, nil)
}

func TestUnsendable(t *testing.T) {
	s := newFakeServer(t, always(answer))
	g := startGroup(t, Config{Servers: []Server{s.server("a")}})
	long := func(octets int) radius.Attributes {
		var b []byte
		for octets > 255+2 {
			b = radius.AppendAttribute(b, radius.Class, strings.Repeat("c", 253))
			octets -= 255
		}
		for octets > 0 {
			n := min(octets, 255)
			if rest := octets - n; rest == 1 {
				n--
			}
			b = radius.AppendAttribute(b, radius.Class, strings.Repeat("c", n-2))
			octets -= n
		}
		return radius.Attributes(b)
	}
	for _, tc := range []struct {
		name  string
		attrs radius.Attributes
		want  error
	}{
		{"as long as can be", long(accounting.MaxAttributes), nil},
		{"one octet more", long(accounting.MaxAttributes + 1), ErrUnsendable},
		{"damaged", "\x01\x09nemo", ErrUnsendable},
		{"none", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			send(t, g, &accounting.Record{Session: 1, At: time.Now(), Attrs: tc.attrs}).want(t, tc.want)
		})
	}
	// A command gets no packet, wherever its record comes from.
	command, err := accounting.ParseRecord(accounting.AppendRecord(nil, &accounting.Record{Session: 1, Type: 2, At: time.Now(), List: "commands/15/default"}))
	if err != nil {
		t.Fatal(err)
	}
	send(t, g, command).want(t, ErrCommand)
	if got := s.got()[0]; len(attributesOf(got)) != accounting.MaxAttributes+6 {
		t.Errorf("%d octets of attributes arrived", len(attributesOf(got)))
	}
}
