package client

import (
	"fmt"
	"slices"
	"time"
)

// Algorithm is in which order the servers of a group are tried (R61).
type Algorithm uint8

const (
	// Direct tries the servers in the order of GroupConfig.Members: the first that is usable gets all.
	Direct Algorithm = iota
	// RoundRobin begins each new request one server later than the request before; when a server does
	// not answer, those behind it follow, cyclically.
	RoundRobin
)

var algorithmNames = [...]string{Direct: "direct", RoundRobin: "round-robin"}

// String is the name in the configuration.
func (a Algorithm) String() string {
	if int(a) < len(algorithmNames) {
		return algorithmNames[a]
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// UnmarshalText reads what String gives: "direct" or "round-robin".
func (a *Algorithm) UnmarshalText(text []byte) error {
	i := slices.Index(algorithmNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("radius: access algorithm %q is neither direct nor round-robin", text)
	}
	*a = Algorithm(i)
	return nil
}

// choose finds where a request goes, of the servers that it was not sent to (bit i of tried is server i), from server start
// on and cyclically: the first that is usable; when all servers are dead, the first. Those of absent are left out. It gives
// none when the request has had its chances. The caller holds the mutex.
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

// untried is the first of so many servers that a request was not sent to, or none.
func untried(servers int, tried uint64, start int) int {
	for n := range servers {
		if i := (start + n) % servers; tried&(1<<i) == 0 {
			return i
		}
	}
	return none
}
