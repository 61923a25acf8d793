package api

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DebugFilter selects lines of the log of the daemon, also of level debug.
type DebugFilter struct {
	Topic string // one of DebugTopics
	// Values are what a line must have, by the keys of DebugKeys. From is an address or a prefix: the
	// sender or the server; the others are exact.
	Values map[string]string
	From   netip.Prefix // of the value "from"
}

// debugKeys are the keys of Values by topic.
var debugKeys = map[string][]string{
	"radius": {"client", "from", "group", "server", "session", "user"},
	"tacacs": {"from", "group", "server", "session"},
	"snmp":   {"from", "user"},
}

// DebugTopics returns the values of DebugFilter.Topic.
func DebugTopics() []string { return slices.Sorted(maps.Keys(debugKeys)) }

// DebugKeys returns the keys of DebugFilter.Values for a topic.
func DebugKeys(topic string) []string { return debugKeys[topic] }

// ParseDebugFilter parses the parameters of a URL, by the rules of ParseQuery.
func ParseDebugFilter(values url.Values) (DebugFilter, error) {
	f := DebugFilter{Topic: values.Get("topic"), Values: map[string]string{}}
	keys, ok := debugKeys[f.Topic]
	if !ok {
		return DebugFilter{}, fmt.Errorf("%w: topic %q: want one of %s", ErrQuery, f.Topic, strings.Join(DebugTopics(), ", "))
	}
	err := setAll(values, func(key, value string) (err error) {
		switch {
		case key == "topic":
			return nil
		case !slices.Contains(keys, key):
			return fmt.Errorf("%w: unknown parameter %q", ErrQuery, key)
		case value == "":
			return fmt.Errorf("%w: %q is empty", ErrQuery, key)
		case key == "from":
			if f.From, err = parseAddress(value); err != nil {
				return fmt.Errorf("%w: from %q: want an IPv4 or IPv6 address or prefix", ErrQuery, value)
			}
		}
		f.Values[key] = value
		return nil
	})
	if err != nil {
		return DebugFilter{}, err
	}
	return f, nil
}

// URL returns the parameters of a URL that ParseDebugFilter parses to f.
func (f DebugFilter) URL() url.Values {
	v := url.Values{"topic": {f.Topic}}
	for key, value := range f.Values {
		v.Set(key, value)
	}
	return v
}

// DebugLine is a line of the answer to PathDebug: a line of the log, or the number of lines that are
// missing here.
type DebugLine struct {
	// LeftOut is the number of lines that were left out before this one because the client reads too
	// slowly. Such a line has no entry.
	LeftOut uint64 `json:"leftOut,omitempty"`
	*DebugEntry
}

// DebugEntry is a line of the log.
type DebugEntry struct {
	Time       time.Time   `json:"time"`
	Level      string      `json:"level"` // DEBUG, INFO, WARN or ERROR
	Message    string      `json:"message"`
	Attributes []Attribute `json:"attributes"` // in the order of the log
}
