package usm

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of an SnmpEngineID (RFC 3411 section 5).
const (
	minEngineID = 5
	maxEngineID = 32
)

// enterprise is the private enterprise number in generated engine ids: the number of RFC 5612, for
// documentation.
const enterprise = 32473

// MaxBoots is the value at which snmpEngineBoots stops. Such an engine accepts no authenticated
// message and needs another id (RFC 3414 section 2.2.2).
const MaxBoots = math.MaxInt32

// Engine is this SNMP engine: the snmpEngine group of RFC 3411, with boots and time as in RFC 3414
// section 2.2. Its methods may be called from any goroutine.
type Engine struct {
	id     []byte
	now    func() time.Time
	opened time.Time
	file   string
	period atomic.Pointer[period]
	mu     sync.Mutex // held while a new period starts
}

// period is an interval in which boots does not change. It is immutable.
type period struct {
	boots int32
	start time.Time
}

// OpenEngine starts the engine whose state is in file. It increments boots and writes them to disk
// before it returns. id is the engine id, 5 to 32 octets; nil means the id in the file, or else a
// new random one (RFC 3411 section 5, SnmpEngineID format 5). Without a file, or if id differs from
// the file, boots start at 1. A file that cannot be read or parsed is an error that names it.
//
// now is time.Now or a substitute. Only differences of its results are used, so they follow the
// monotonic clock and a jump of the wall clock has no effect.
func OpenEngine(file string, id []byte, now func() time.Time) (*Engine, error) {
	if err := checkEngineID(id); id != nil && err != nil {
		return nil, fmt.Errorf("usm: engine: %w", err)
	}
	kept, err := readEngineFile(file)
	if err != nil {
		return nil, err
	}
	next := engineState{id: kept.id, boots: kept.boots}
	if id != nil && !bytes.Equal(id, kept.id) {
		next = engineState{id: bytes.Clone(id)}
	} else if kept.id == nil {
		next = engineState{id: newEngineID()}
	}
	next.boots = nextBoots(next.boots)
	if err := next.write(file); err != nil {
		return nil, err
	}
	e := &Engine{id: next.id, now: now, opened: now(), file: file}
	e.period.Store(&period{boots: next.boots, start: e.opened})
	return e, nil
}

// newEngineID generates an SnmpEngineID of format 5, "octets": administratively assigned, here
// random.
func newEngineID() []byte {
	id := binary.BigEndian.AppendUint32(nil, 1<<31|enterprise)
	id = append(id, 5)
	id = append(id, make([]byte, 12)...)
	rand.Read(id[5:])
	return id
}

// checkEngineID returns an error if RFC 3411 section 5 forbids the id.
func checkEngineID(id []byte) error {
	if len(id) < minEngineID || len(id) > maxEngineID {
		return fmt.Errorf("engine id has %d octets, want %d to %d", len(id), minEngineID, maxEngineID)
	}
	if n := bytes.Count(id, []byte{id[0]}); n == len(id) && (id[0] == 0 || id[0] == 0xff) {
		return fmt.Errorf("all octets of the engine id are %#02x", id[0])
	}
	return nil
}

func nextBoots(boots int32) int32 {
	if boots == MaxBoots {
		return MaxBoots
	}
	return boots + 1
}

// ID is snmpEngineID; it must not be changed.
func (e *Engine) ID() []byte { return e.id }

// BootsTime returns snmpEngineBoots and snmpEngineTime, the latter in seconds. When the time would
// exceed 2^31-1, boots is incremented and written to the file, and the time restarts at 0.
func (e *Engine) BootsTime() (boots, time int32) {
	now := e.now()
	p := e.period.Load()
	for {
		seconds := int64(now.Sub(p.start).Seconds())
		if seconds <= math.MaxInt32 {
			return p.boots, int32(max(seconds, 0))
		}
		p = e.wrap(p)
	}
}

// wrap ends an expired period. If the file cannot be written, boots would be unknown after the next
// start. Then they are set to 2^31-1, as RFC 3414 section 2.2.2 requires for an engine that cannot
// determine them.
func (e *Engine) wrap(old *period) *period {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.period.Load(); p != old {
		return p
	}
	p := &period{boots: nextBoots(old.boots), start: old.start.Add(timeSpan)}
	if err := (engineState{id: e.id, boots: p.boots}).write(e.file); err != nil {
		p.boots = MaxBoots
	}
	e.period.Store(p)
	return p
}

// timeSpan is the period of snmpEngineTime: 2^31 values.
const timeSpan = (math.MaxInt32 + 1) * time.Second

// UpTime is the time since the engine was opened. sysUpTime shows it.
func (e *Engine) UpTime() time.Duration { return max(e.now().Sub(e.opened), 0) }
