package main

import (
	"errors"
	"os"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/radius/radiustest"
)

// TestUpstreamReload: a request that is under way when the secrets of its server and its NAS change is
// answered with those that it came and went with. A reload that takes away its server, its NAS and its
// right changes nothing for it either.
func TestUpstreamReload(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	asked, answer := make(chan bool, 16), make(chan bool)
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, func(r radiustest.Request) []byte {
		asked <- true
		select {
		case <-answer:
			return radiustest.ACK(r)
		case <-t.Context().Done():
			return nil
		}
	})
	base := dynAuthConfig(t, server, nas)
	for _, tt := range []struct{ name, text string }{
		{"other secrets", with(t, base, "{server: r0}", "{server: r0, secret: other}", "secret: \"nas secret\", disconnect: {", "secret: \"nas secret\", disconnect: {secret: other, ")},
		{"another server", with(t, base, "{server: r0}", "{server: r1}", "  groups:\n", "    - {name: r1, address: 127.0.0.9, secret: upstream}\n  groups:\n")},
		{"another NAS", with(t, base, "address: 127.0.0.0/8", "address: 127.0.0.9")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := launch(t, base, environment{})
			l.mustAccount(packet(acctStart, "S1", "alice"))
			c := l.changes()
			request := c.request(radius.CodeCoARequest, text(radius.AcctSessionID, "00000001"))
			answered := make(chan error, 1)
			go func() {
				p, err := c.send(request, limit)
				if err == nil && p.Code() != radius.CodeCoAACK {
					err = errors.New(p.Code().String())
				}
				answered <- err
			}()
			<-asked
			l.reload(tt.text, "configuration loaded")
			answer <- true
			if err := <-answered; err != nil {
				t.Errorf("the request is not answered: %v", err)
			}
			if tt.name == "other secrets" {
				if p, err := c.send(c.request(radius.CodeCoARequest, text(radius.AcctSessionID, "00000001")), 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("with the secret of before: %v %v", p, err)
				}
			}
		})
	}
}
