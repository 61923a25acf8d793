package servers

import "time"

// MaxServers is the largest number of servers in a group: the number of bits that say which of them
// a request has tried.
const MaxServers = 64

// None is the result of [Choose] and [Untried] if no server is left.
const None = -1

// Choose returns the next server of a request. It searches cyclically from start, and excludes
// servers that were tried or are absent (bit i is server i). It returns the first usable one; if
// all servers are dead, the first one that was not tried; otherwise None.
func Choose(all []*Health, tried, absent uint64, start int, now time.Time) int {
	allDead := true
	for n := range all {
		i := (start + n) % len(all)
		if absent&(1<<i) != 0 {
			continue
		}
		state := all[i]
		if tried&(1<<i) == 0 && state.Usable(now) {
			return i
		}
		allDead = allDead && state.dead
	}
	if !allDead {
		return None
	}
	return Untried(len(all), tried|absent, start)
}

// Untried returns the first of n servers that was not tried, or None.
func Untried(n int, tried uint64, start int) int {
	for k := range n {
		if i := (start + k) % n; tried&(1<<i) == 0 {
			return i
		}
	}
	return None
}
