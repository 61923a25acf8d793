package agentx

import (
	"time"

	"github.com/posteo/go-agentx/pdu"
)

// UseLittleEndian makes a subagent open its sessions in the byte order that it otherwise does not use.
func (s *Subagent) UseLittleEndian() { s.order = littleEndian }

// SetPingAfter changes how long the master may be silent.
func (s *Subagent) SetPingAfter(d time.Duration) { s.pingAfter = d }

// TypeName gives the names of types to tests outside of the package.
func TypeName(t pdu.Type) string { return typeName(t) }

// The times that the tests of sessions count on.
const (
	PingAfter      = defaultPingAfter
	MaxRetry       = maxRetry
	DefaultTimeout = defaultTimeout
	NotifyQueue    = notifyQueue
)
