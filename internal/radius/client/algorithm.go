package client

import (
	"fmt"
	"slices"
	"time"
)

// Algorithm is the order in which the servers of a group are tried (R61).
type Algorithm uint8

const (
	// Direct tries the servers in the order of GroupConfig.Members: the first usable one gets all
	// requests.
	Direct Algorithm = iota
	// RoundRobin starts each new request one server after the start of the previous request. If a
	// server does not answer, the next ones follow, cyclically.
	RoundRobin
	// LeastOutstanding assigns new requests to servers in batches (GroupConfig.BatchSize), as
	// "load-balance method least-outstanding" of Cisco IOS does: each batch goes to the server that
	// has the fewest requests when it begins. See leastOutstanding.
	LeastOutstanding
)

var algorithmNames = [...]string{Direct: "direct", RoundRobin: "round-robin", LeastOutstanding: "least-outstanding"}

// String returns the name in the configuration.
func (a Algorithm) String() string {
	if int(a) < len(algorithmNames) {
		return algorithmNames[a]
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// UnmarshalText parses "direct", "round-robin" or "least-outstanding".
func (a *Algorithm) UnmarshalText(text []byte) error {
	i := slices.Index(algorithmNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("radius: unknown access algorithm %q, want direct, round-robin or least-outstanding", text)
	}
	*a = Algorithm(i)
	return nil
}

// choose returns the next server of a request. It searches cyclically from start, and excludes
// servers that were tried or are absent (bit i is server i). It returns the first usable one; if
// all servers are dead, the first one that was not tried; otherwise none. The caller holds the
// mutex.
func choose(servers []*serverState, tried, absent uint64, start int, now time.Time) int {
	allDead := true
	for n := range servers {
		i := (start + n) % len(servers)
		if absent&(1<<i) != 0 {
			continue
		}
		state := servers[i]
		if tried&(1<<i) == 0 && state.usable(now) {
			return i
		}
		allDead = allDead && state.dead
	}
	if !allDead {
		return none
	}
	return untried(len(servers), tried|absent, start)
}

// untried returns the first of n servers that was not tried, or none.
func untried(servers int, tried uint64, start int) int {
	for n := range servers {
		if i := (start + n) % servers; tried&(1<<i) == 0 {
			return i
		}
	}
	return none
}
