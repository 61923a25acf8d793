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

// enterprise is the private enterprise number in the engine ids that are made here: that of RFC 5612,
// for documentation.
const enterprise = 32473

// MaxBoots is the value at which snmpEngineBoots stays for ever: such an engine accepts no authenticated
// message any more and needs another id (RFC 3414 section 2.2.2).
const MaxBoots = math.MaxInt32

// Engine is this SNMP engine: the snmpEngine group of RFC 3411, boots and time as RFC 3414 section 2.2
// has them. All methods may be called from any goroutine.
type Engine struct {
	id     []byte
	now    func() time.Time
	opened time.Time
	file   string
	period atomic.Pointer[period]
	mu     sync.Mutex // while a new period begins
}

// period is the time in which boots does not change; it never changes itself.
type period struct {
	boots int32
	start time.Time
}

// OpenEngine begins a new life of the engine that file tells of: its boots are one more than before, and
// on disk before OpenEngine returns. id is the engine's id, 5 to 32 octets; nil means that of the file,
// or a new random one (RFC 3411 section 5, SnmpEngineID format 5). Without a file, or with another id
// than the file has, boots begin at 1. A file that cannot be read right is an error that names it.
//
// now is time.Now or like it: only differences of its times are used, which is its monotonic clock, so a
// wall clock that jumps does not matter.
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
	next.boots = oneMore(next.boots)
	if err := next.write(file); err != nil {
		return nil, err
	}
	e := &Engine{id: next.id, now: now, opened: now(), file: file}
	e.period.Store(&period{boots: next.boots, start: e.opened})
	return e, nil
}

// newEngineID makes an SnmpEngineID of format 5, "octets": administratively assigned, here random.
func newEngineID() []byte {
	id := binary.BigEndian.AppendUint32(nil, 1<<31|enterprise)
	id = append(id, 5)
	id = append(id, make([]byte, 12)...)
	rand.Read(id[5:])
	return id
}

// checkEngineID says what RFC 3411 section 5 forbids.
func checkEngineID(id []byte) error {
	if len(id) < minEngineID || len(id) > maxEngineID {
		return fmt.Errorf("engine id has %d octets, want %d to %d", len(id), minEngineID, maxEngineID)
	}
	if n := bytes.Count(id, []byte{id[0]}); n == len(id) && (id[0] == 0 || id[0] == 0xff) {
		return fmt.Errorf("all octets of the engine id are %#02x", id[0])
	}
	return nil
}

func oneMore(boots int32) int32 {
	if boots == MaxBoots {
		return MaxBoots
	}
	return boots + 1
}

// ID is snmpEngineID; it must not be changed.
func (e *Engine) ID() []byte { return e.id }

// BootsTime gives snmpEngineBoots and snmpEngineTime, in seconds. When the time would exceed 2^31-1 it
// begins anew, and boots grow by one, which is kept in the file first.
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

// wrap ends a period that is over. If the file cannot be written boots are not known after the next
// start: they are 2^31-1 then, as RFC 3414 section 2.2.2 says of an engine that cannot tell.
func (e *Engine) wrap(old *period) *period {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.period.Load(); p != old {
		return p
	}
	p := &period{boots: oneMore(old.boots), start: old.start.Add(timeSpan)}
	if err := (engineState{id: e.id, boots: p.boots}).write(e.file); err != nil {
		p.boots = MaxBoots
	}
	e.period.Store(p)
	return p
}

// timeSpan is how long snmpEngineTime counts: 2^31 values.
const timeSpan = (math.MaxInt32 + 1) * time.Second

// UpTime is the time since the engine was opened, what sysUpTime counts.
func (e *Engine) UpTime() time.Duration { return max(e.now().Sub(e.opened), 0) }
