//go:build race

package delivery

// race reports whether the race detector is on.
const race = true
