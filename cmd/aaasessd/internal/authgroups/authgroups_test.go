package authgroups

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// nowhere is a Conn to a server that never answers.
type nowhere struct{ closed chan struct{} }

func (c nowhere) Send([]byte) error { return nil }

func (c nowhere) Receive([]byte) (int, error) {
	<-c.closed
	return 0, net.ErrClosed
}

func (c nowhere) Close() error {
	close(c.closed)
	return nil
}

// silent returns a client whose servers never answer.
func silent() *client.Client {
	return client.New(client.Config{Dial: func(netip.Addr, netip.AddrPort, func(netip.Addr) bool) (client.Conn, error) {
		return nowhere{make(chan struct{})}, nil
	}})
}

// config returns a group with these servers.
func config(name string, timeout time.Duration, servers ...string) client.GroupConfig {
	c := client.GroupConfig{Name: name, Purpose: client.Authentication}
	for _, s := range servers {
		c.Members = append(c.Members, client.Member{
			Identity: client.Identity{Name: s, Host: "192.0.2." + s, Port: 1813, AuthPort: 1812, Secret: "s"}, Schedule: retry.Schedule{Timeout: timeout, Retransmit: -1},
		})
	}
	return c
}

// request is a request that keeps its result.
type request chan error

func (request) Append(b []byte, identifier byte, _ radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	return radius.AppendSignedHeader(b, radius.CodeAccessRequest, identifier), radius.Authenticator{}
}
func (request) Answers(radius.Code) bool { return true }
func (request) Session() string          { return "" }
func (request) User() string             { return "" }
func (r request) Done(_ client.Answer, err error) {
	r <- err
}

// change prepares and applies a change.
func change(t *testing.T, g *Groups, configs ...client.GroupConfig) map[string]*client.Group {
	t.Helper()
	c, err := g.Prepare(configs)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	return c.Groups()
}

// inBubble runs a test with Groups that run, in fake time.
func inBubble(t *testing.T, test func(g *Groups)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := New(silent())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		<-g.Ready()
		test(g)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestChange: a group continues if it can, and is replaced if not.
func TestChange(t *testing.T) {
	inBubble(t, func(g *Groups) {
		first := change(t, g, config("a", time.Minute, "1", "2"), config("b", time.Minute, "1"))
		pending := request(make(chan error, 1))
		first["a"].Send(pending, retry.Progress{})
		for _, tt := range []struct {
			name    string
			configs []client.GroupConfig
			stays   bool
		}{
			{"nothing", []client.GroupConfig{config("a", time.Minute, "1", "2"), config("b", time.Minute, "1")}, true},
			{"another timeout", []client.GroupConfig{config("a", time.Hour, "1", "2")}, true},
			{"without another server", []client.GroupConfig{config("a", time.Hour, "2")}, false},
		} {
			got := change(t, g, tt.configs...)
			if len(got) != len(tt.configs) || (got["a"] == first["a"]) != tt.stays {
				t.Errorf("%s: %v", tt.name, got)
			}
			select {
			case err := <-pending:
				if tt.stays || !errors.Is(err, client.ErrStopped) {
					t.Errorf("%s: the request in flight got %v", tt.name, err)
				}
			default:
				if !tt.stays {
					t.Errorf("%s: the request in flight goes on in a closed group", tt.name)
				}
			}
			if s := g.Statuses(); len(s) != len(tt.configs) || s[0].Config.Name != "a" || len(s[0].Stats.Servers) != len(tt.configs[0].Members) {
				t.Errorf("%s: the statuses are %+v", tt.name, s)
			}
		}
	})
}

// TestRefused: a change that is discarded, that is invalid or that nobody can be routed to leaves all
// as it was.
func TestRefused(t *testing.T) {
	inBubble(t, func(g *Groups) {
		before := change(t, g, config("a", time.Minute, "1"))
		c, err := g.Prepare([]client.GroupConfig{config("a", time.Minute, "2"), config("b", time.Minute, "3")})
		if err != nil {
			t.Fatal(err)
		}
		c.Discard()
		if _, err := g.Prepare([]client.GroupConfig{config("b", time.Minute, "3"), config("c", time.Minute)}); err == nil {
			t.Error("a group without servers is no error")
		}
		if _, err := g.Prepare([]client.GroupConfig{config("a", -time.Minute, "1")}); err == nil {
			t.Error("a negative timeout is no error")
		}
		if c, err = g.Prepare([]client.GroupConfig{config("a", time.Hour, "2")}); err != nil {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		if err := c.Apply(func() error { return refused }); !errors.Is(err, refused) {
			t.Errorf("Apply returns %v", err)
		}
		pending := request(make(chan error, 1))
		before["a"].Send(pending, retry.Progress{})
		if err := <-pending; !errors.Is(err, client.ErrNoResponse) {
			t.Errorf("the group of before got %v for a request", err)
		}
		if s := g.Statuses(); len(s) != 1 || s[0].Config.Members[0].Name != "1" {
			t.Errorf("the statuses are %+v", s)
		}
	})
}

// TestWithoutRun: groups that never run are closed, and a change after the end opens nothing.
func TestWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(silent())
		before := change(t, g, config("a", time.Minute, "1"))
		g.Close()
		pending := request(make(chan error, 1))
		before["a"].Send(pending, retry.Progress{})
		if err := <-pending; !errors.Is(err, client.ErrStopped) {
			t.Errorf("a closed group got %v for a request", err)
		}
		change(t, g, config("b", time.Minute, "2"))
		if s := g.Statuses(); len(s) != 1 || s[0].Config.Name != "a" {
			t.Errorf("the statuses are %+v", s)
		}
	})
}
