package store

import "fmt"

// Put sets a key of the state. A nil Value deletes the key.
type Put struct {
	Key, Value []byte
}

// Append adds a record to the end of a queue, which comes to be by its first
// record. The record's sequence number is above that of every record that the
// queue ever had, and the records of one Change get theirs in order.
type Append struct {
	Queue string // 1 to 128 bytes
	Data  []byte
}

// Ack says that a record that Read gave is delivered. Acknowledging it again,
// or one that Read never gave, is no error and changes nothing.
type Ack struct {
	Queue string
	Seq   uint64
}

// Change is what one event does: all of it becomes durable, or nothing.
// At most 16 MiB in all.
type Change struct {
	Puts    []Put
	Appends []Append
	Acks    []Ack
}

// check returns an error that wraps ErrInvalid if the change can't be stored.
func (c *Change) check() error {
	size := 0
	for i := range c.Puts {
		if len(c.Puts[i].Key) == 0 {
			return fmt.Errorf("%w: put %d has no key", ErrInvalid, i)
		}
		size += len(c.Puts[i].Key) + len(c.Puts[i].Value)
	}
	for i := range c.Appends {
		if n := len(c.Appends[i].Queue); n == 0 || n > maxName {
			return fmt.Errorf("%w: append %d has a queue name of %d bytes", ErrInvalid, i, n)
		}
		size += len(c.Appends[i].Queue) + len(c.Appends[i].Data)
	}
	if size > maxChange {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, size, maxChange)
	}
	return nil
}
