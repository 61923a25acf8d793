package snmpmanager

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// ErrTarget is returned when the name of an agent is malformed.
var ErrTarget = errors.New("malformed host")

// defaultPort is the port of SNMP agents (RFC 3417 section 3.2).
const defaultPort = 161

// Target is where an agent listens, over UDP.
type Target struct {
	Name string // as the user has written it
	Host string // a name or an address
	Port uint16 // never 0
}

// ParseTarget parses HOST or HOST:PORT. An IPv6 address with a port is in brackets.
func ParseTarget(s string) (Target, error) {
	t := Target{Name: s, Host: s, Port: defaultPort}
	malformed := func(why string) (Target, error) {
		return Target{}, fmt.Errorf("%w %q: %s", ErrTarget, s, why)
	}
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		t.Host = strings.TrimSuffix(inner, "]")
		if a, err := netip.ParseAddr(t.Host); err != nil || !a.Is6() {
			return malformed("only an IPv6 address has brackets")
		}
		return t, nil
	}
	if _, err := netip.ParseAddr(s); err != nil && strings.Contains(s, ":") {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			return malformed("want HOST, HOST:PORT or [ADDRESS]:PORT")
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return malformed("a port is 1 to 65535")
		}
		t.Host, t.Port = host, uint16(n)
	}
	switch {
	case t.Host == "":
		return malformed("it is empty")
	case strings.ContainsFunc(t.Host, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("/[]", r) }):
		return malformed("no name of a host has such characters")
	}
	return t, nil
}

// ParseTargets parses a list. Two names of one host and port, as far as the text says so, are an error:
// its sessions would be shown twice.
func ParseTargets(list []string) ([]Target, error) {
	type address struct {
		host string
		port uint16
	}
	seen := map[address]string{}
	var targets []Target
	for _, s := range list {
		t, err := ParseTarget(s)
		if err != nil {
			return nil, err
		}
		a := address{strings.ToLower(t.Host), t.Port}
		if before, twice := seen[a]; twice {
			return nil, fmt.Errorf("%w: %s is the same as %s", ErrTarget, cmp.Or(s, `""`), before)
		}
		seen[a] = s
		targets = append(targets, t)
	}
	return targets, nil
}
