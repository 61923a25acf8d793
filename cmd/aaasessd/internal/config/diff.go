package config

import (
	"reflect"
	"strings"
)

// restartKeys is what a reload can't change: sockets and files that are open, and what packages are
// told only once. A test holds it against the restart tags of the raw structs.
var restartKeys = []struct {
	path string
	of   func(*Config) any
}{
	{"state", func(c *Config) any { return c.State }},
	{"log.format", func(c *Config) any { return c.Log.Format }},
	{"control.socket", func(c *Config) any { return c.Control.Socket }},
	{"control.group", func(c *Config) any { return c.Control.Group }},
	{"snmp.agentx", func(c *Config) any { return c.SNMP.AgentX }},
	{"snmp.responder", func(c *Config) any { return c.SNMP.Responder != nil }},
	{"snmp.responder.listen", func(c *Config) any { return responderOf(c).Listen }},
	{"snmp.responder.engine-id", func(c *Config) any { return responderOf(c).EngineID }},
	{"snmp.responder.max-message-size", func(c *Config) any { return responderOf(c).MaxMessageSize }},
	{"radius.accounting.listen", func(c *Config) any { return c.RADIUS.Accounting.Listen }},
	{"sessions.remember", func(c *Config) any { return c.Sessions.Remember }},
	{"sessions.disconnect.stop-wait", func(c *Config) any { return c.Sessions.Disconnect.StopWait }},
	{"sessions.disconnect.retry-min", func(c *Config) any { return c.Sessions.Disconnect.RetryMin }},
	{"sessions.disconnect.retry-max", func(c *Config) any { return c.Sessions.Disconnect.RetryMax }},
	{"sessions.disconnect.timeout", func(c *Config) any { return c.Sessions.Disconnect.Timeout }},
	{"sessions.disconnect.retransmit", func(c *Config) any { return c.Sessions.Disconnect.Retransmit }},
	{"store.min-free", func(c *Config) any { return c.Store.MinFree }},
	{"store.max-size", func(c *Config) any { return c.Store.MaxSize }},
}

// Diff is the keys that differ from those of old and that a reload can't change: only a restart of
// the daemon makes them count. All other keys can be changed while it runs.
func (c *Config) Diff(old *Config) (needRestart []string) {
	for _, k := range restartKeys {
		if n := len(needRestart); n > 0 && strings.HasPrefix(k.path, needRestart[n-1]+".") {
			continue // what is in a mapping that was not there before, or is not any more
		}
		if !reflect.DeepEqual(k.of(c), k.of(old)) {
			needRestart = append(needRestart, k.path)
		}
	}
	return needRestart
}

// responderOf is the zero Responder if there is none.
func responderOf(c *Config) Responder {
	if c.SNMP.Responder == nil {
		return Responder{}
	}
	return *c.SNMP.Responder
}
