package store

import "fmt"

// Put sets a key of the state. A nil Value deletes the key.
type Put struct {
	Key, Value []byte
	// Latest is for a key that nearly every change sets. If several changes become durable together,
	// only the last value is written, because every value makes the next flush longer. Every Put of
	// such a key must set Latest; otherwise an older value may win. Key and value have at most 64 KiB.
	Latest bool
}

// Append adds a record to the end of a queue. The first record creates the queue. The sequence
// number of the record is above that of every record that the queue ever had. The records of one
// Change get their numbers in order.
type Append struct {
	Queue string // 1 to 128 bytes
	Data  []byte
	// Seq gets the sequence number of the record before Commit returns, unless the change fails. It
	// may be nil.
	Seq *uint64
}

// Ack acknowledges a record that Read returned: it is delivered. To acknowledge it again, or to
// acknowledge a record that Read never returned, changes nothing and is no error.
type Ack struct {
	Queue string
	Seq   uint64
}

// Change is everything that one event does. It becomes durable as a whole or not at all. It may
// have at most 16 MiB.
type Change struct {
	Puts    []Put
	Appends []Append
	Acks    []Ack
	// Patient lets the change wait a little for the sync of another one: at most 10 ms, if no other
	// change comes. A sync of its own would delay the changes that come during it.
	Patient bool
}

// urgency returns how soon a change must be written.
func (c *Change) urgency() urgency {
	if c.Patient {
		return patient
	}
	return urgent
}

// check returns an error that wraps ErrInvalid if the change cannot be stored.
func (c *Change) check() error {
	size := 0
	for i := range c.Puts {
		if len(c.Puts[i].Key) == 0 {
			return fmt.Errorf("%w: put %d has no key", ErrInvalid, i)
		}
		octets := len(c.Puts[i].Key) + len(c.Puts[i].Value)
		if c.Puts[i].Latest && octets > maxLatest {
			return fmt.Errorf("%w: put %d has Latest and %d bytes, at most %d", ErrInvalid, i, octets, maxLatest)
		}
		size += octets
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
