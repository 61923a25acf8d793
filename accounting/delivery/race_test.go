//go:build race

package delivery

// race is whether the race detector is on.
const race = true
