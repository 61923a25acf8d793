//go:build race

package store

// race reports whether the race detector is on. It makes the engine ten times as slow.
const race = true
