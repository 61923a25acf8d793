package relay

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// linked counts the States in the list, and checks its links.
func (c *conversations) linked(t *testing.T) (n int) {
	t.Helper()
	var older *round
	for r := c.oldest; r != nil; r = r.newer {
		if r.older != older || c.byKey[r.key] != r || r.forgotten {
			t.Fatalf("State %q is wrongly linked", r.key)
		}
		older = r
		n++
	}
	if c.newest != older {
		t.Fatal("the newest State is not the last one")
	}
	return n
}

// TestConversationLimit: the oldest are forgotten, and a NAS that never ends its logins costs no more.
func TestConversationLimit(t *testing.T) {
	c := conversations{limit: 100}
	now := time.Now()
	for i := range 1000 {
		c.add(fmt.Append(nil, i), nil, "g", "s", now)
	}
	if n := c.len(); n != 100 || c.linked(t) != 100 {
		t.Errorf("%d States, want 100", n)
	}
	if _, _, ok := c.find([]byte("899"), now); ok {
		t.Error("an old State is known")
	}
	if group, server, ok := c.find([]byte("900"), now); !ok || group != "g" || server != "s" {
		t.Errorf("%q, %q, %v", group, server, ok)
	}
	if _, _, ok := c.find([]byte("999"), now.Add(conversationTime+1)); ok {
		t.Error("a State is known too long")
	}
	c.expire(now.Add(conversationTime + 1))
	if n := c.len(); n != 0 || c.oldest != nil || c.newest != nil {
		t.Errorf("%d States, want none", n)
	}
}

// TestConversationLength: a login of many rounds has two States, and none when it has ended.
func TestConversationLength(t *testing.T) {
	c := conversations{limit: 100}
	now := time.Now()
	var before []byte
	for i := range 20 {
		key := fmt.Append(nil, i)
		c.add(key, before, "g", "s", now)
		if want := min(i+1, 2); c.len() != want || c.linked(t) != want {
			t.Fatalf("%d States after round %d, want %d", c.len(), i, want)
		}
		before = key
	}
	if c.end(before); c.len() != 0 {
		t.Errorf("%d States after the end", c.len())
	}
}

// TestConversationKeys: the same State of two NASes is not the same.
func TestConversationKeys(t *testing.T) {
	keys := map[string]bool{}
	for _, nas := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"} {
		for _, state := range []string{"", "1", "\x00"} {
			keys[string(appendKey(nil, netip.MustParseAddr(nas), []byte(state)))] = true
		}
	}
	if len(keys) != 9 {
		t.Errorf("%d keys for 9 States", len(keys))
	}
}

// TestConversationRounds: random rounds, also with States that servers use again, keep the list whole.
func TestConversationRounds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	c := conversations{limit: 50}
	now := time.Now()
	for range 20_000 {
		now = now.Add(time.Duration(rnd.IntN(1000)) * time.Millisecond)
		key := func() []byte { return fmt.Append(nil, rnd.IntN(200)) }
		switch rnd.IntN(10) {
		case 0:
			c.end(key())
		case 1:
			c.expire(now)
		case 2:
			c.add(key(), nil, "g", "s", now)
		default:
			k := key()
			c.add(k, key(), "g", "s", now)
			if _, _, ok := c.find(k, now); !ok {
				t.Fatalf("State %s is not known", k)
			}
		}
		if n := c.linked(t); n != c.len() || n > 50 {
			t.Fatalf("%d States in the list, %d in the table", n, c.len())
		}
	}
}
