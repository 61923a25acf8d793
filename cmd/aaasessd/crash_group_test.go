package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// crashKind is a kind of campaign: its method lists, and the length of its lives.
type crashKind struct {
	name   string
	kills  int           // number of kills in a campaign
	life   time.Duration // longest life without a pause
	groups func(rng *rand.Rand) []*crashGroup
	proofs []string // events that must have occurred, in addition to those of every campaign
	// broadcast: the list sends each record to all groups. The list does not change then, because
	// the sessions would differ in where their records must arrive.
	broadcast bool
}

// crashKinds are the kinds of campaigns that TestCrash runs, each once for every seed.
var crashKinds = []crashKind{
	{"one group", 42, 400 * time.Millisecond, oneGroup, nil, false},
	{
		"lists", 26, 900 * time.Millisecond, listOfGroups,
		[]string{"deaths of groups", "reloads", "groups removed", "arrivals at z", "arrivals at g"},
		false,
	},
	{
		"broadcast", 16, 600 * time.Millisecond, twoGroups,
		[]string{"deaths of groups", "arrivals at z", "arrivals at g"},
		true,
	},
}

// crashGroup is a server group of the daemon's configuration.
type crashGroup struct {
	name    string
	size    int    // number of servers
	sending string // timeout and retransmit as the configuration has them; "": short ones
	backOff string // so; "": none
	servers []*crashServer
}

func oneGroup(*rand.Rand) []*crashGroup { return []*crashGroup{{name: "isp", size: 2}} }

func twoGroups(*rand.Rand) []*crashGroup {
	return []*crashGroup{{name: "z", size: 2}, {name: "g", size: 1}}
}

// listOfGroups returns a list of two or three methods with one or two servers each. In half of the
// lists, all but the last have a back-off.
func listOfGroups(rng *rand.Rand) (groups []*crashGroup) {
	backsOff := rng.IntN(2) == 0
	names := []string{"z", "g", "h"}[:2+rng.IntN(2)]
	for i, name := range names {
		g := &crashGroup{name: name, size: 1 + rng.IntN(2)}
		if backsOff && i < len(names)-1 {
			g.backOff = fmt.Sprintf("{max-delay: 1s, retry: %d}", 2+rng.IntN(4))
		}
		groups = append(groups, g)
	}
	return groups
}

// listen opens the servers of a group.
func (g *crashGroup) listen(t *testing.T, h *crashHistory, random func() *rand.Rand) {
	t.Helper()
	for range g.size {
		g.servers = append(g.servers, newCrashServer(t, h, g.name, random()))
	}
}

// crashConfig returns a configuration with these groups. All are in the method list, in this order.
func crashConfig(t *testing.T, listen netip.AddrPort, groups []*crashGroup) string {
	t.Helper()
	var servers, made strings.Builder
	var list []string
	for _, g := range groups {
		var names []string
		for i, s := range g.servers {
			name := fmt.Sprint(g.name, i)
			names = append(names, name)
			addr := s.addrPort()
			fmt.Fprintf(&servers, "    - {name: %s, address: %s, port: %d, secret: upstream}\n", name, addr.Addr(), addr.Port())
		}
		backOff := ""
		if g.backOff != "" {
			backOff = ", backoff: " + g.backOff
		}
		fmt.Fprintf(&made, "    - {name: %s, servers: [%s], %s, hold-down: 300ms%s}\n",
			g.name, strings.Join(names, ", "), cmp.Or(g.sending, "timeout: 40ms, retransmit: 1"), backOff)
		list = append(list, "group "+g.name)
	}
	return with(t, plainConfig, "127.0.0.1:0", listen.String(), "methods: [local]", "methods: ["+strings.Join(list, ", ")+"]",
		"accounting:\n  network", "  servers:\n"+servers.String()+"  groups:\n"+made.String()+"accounting:\n  network")
}

// live runs the servers of a group, with their failures, until ctx is done and they are closed. If
// dies is set, all servers of the group fail together at times.
func (g *crashGroup) live(ctx context.Context, serving *sync.WaitGroup, h *crashHistory, rng *rand.Rand, dies bool) {
	for _, s := range g.servers {
		serving.Go(s.serve)
		serving.Go(func() { s.runSilences(ctx) })
	}
	if !dies {
		return
	}
	serving.Go(func() {
		for pause(ctx, time.Duration(300+rng.IntN(1700))*time.Millisecond) {
			g.setDead(true)
			h.count("deaths of groups")
			pause(ctx, time.Duration(200+rng.IntN(1300))*time.Millisecond)
			g.setDead(false)
		}
	})
}

func (g *crashGroup) setDead(dead bool) {
	for _, s := range g.servers {
		s.setDead(dead)
	}
}

// isList reports whether the method list has several methods.
func (c *crashCampaign) isList() bool { return len(c.groups) > 1 }

// changes reports whether the method list changes.
func (c *crashCampaign) changes() bool { return c.isList() && !c.kind.broadcast }

// config returns the present configuration.
func (c *crashCampaign) config() string {
	c.t.Helper()
	text := crashConfig(c.t, c.daemon.addr, c.listed)
	if c.kind.broadcast {
		text = with(c.t, text, "methods: [group", "broadcast: true, methods: [group")
	}
	return text
}

// change gives the configuration another method list: in another order, without one group, or with
// all of them again.
//
// The last group of the list never has a back-off. A record is set aside after one unanswered
// schedule with a back-off (R62), which may happen to any record if a packet is lost and then the
// server fails.
func (c *crashCampaign) change() {
	before := len(c.listed)
	c.listed = slices.Clone(c.groups)
	n := len(c.listed)
	if c.listed[0].backOff != "" {
		n--
	}
	c.rng.Shuffle(n, func(i, k int) { c.listed[i], c.listed[k] = c.listed[k], c.listed[i] })
	if c.rng.IntN(2) == 0 {
		c.listed = c.listed[1:]
	}
	switch n := len(c.listed); {
	case n < before:
		c.history.count("groups removed")
	case n > before:
		c.history.count("groups added")
	}
	c.daemon.configure(c.config())
}

// reload changes the list while the daemon runs.
func (c *crashCampaign) reload() {
	if !c.changes() || c.rng.IntN(3) == 0 {
		return
	}
	c.wait(c.kind.life / 3)
	c.change()
	c.daemon.reload()
}
