package agentx

import (
	"time"

	"github.com/posteo/go-agentx/pdu"
)

// UseLittleEndian makes a subagent open its sessions in little-endian byte order.
func (s *Subagent) UseLittleEndian() { s.order = littleEndian }

// SetPingAfter changes how long the master may be silent before a Ping.
func (s *Subagent) SetPingAfter(d time.Duration) { s.pingAfter = d }

// TypeName makes typeName available to tests outside the package.
func TypeName(t pdu.Type) string { return typeName(t) }

// Times that the session tests use.
const (
	PingAfter      = defaultPingAfter
	MaxRetry       = maxRetry
	DefaultTimeout = defaultTimeout
	NotifyQueue    = notifyQueue
)
