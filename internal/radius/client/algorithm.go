package client

import (
	"fmt"
	"slices"
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
