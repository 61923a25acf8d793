//go:build race

package store

// race is whether the race detector is on, which makes the engine ten times as slow.
const race = true
