// Package logtest keeps the log of a component for its tests: the component writes it in its own
// goroutines while the test reads it.
package logtest

import (
	"strings"
	"sync"
)

// Buffer is a log. The zero Buffer is empty. Any goroutine may use it.
type Buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends to the log.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns the log so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Count returns how often the log so far has a text.
func (b *Buffer) Count(text string) int { return strings.Count(b.String(), text) }
