package tacacs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
)

// PortRule gives ports of NASes the names of lines: RADIUS numbers them, and the records of TACACS+
// have their names, tty3 or Async5. Its zero value matches NAS-Port 0 only.
type PortRule struct {
	Types       []uint32 // values of NAS-Port-Type; empty: any, also none
	First, Last uint32   // values of NAS-Port; a record without one does not match
	Text        string   // the port, in which %d stands for NAS-Port: "tty%d"
}

// ErrPortRule is returned, wrapped, when a port cannot be named by a PortRule.
var ErrPortRule = errors.New("wrong rule for ports")

// Check returns nil if a rule has a name for every port that it matches. Its error wraps
// ErrPortRule.
func (r PortRule) Check() error {
	switch longest := r.name(math.MaxUint32); {
	case r.First > r.Last:
		return fmt.Errorf("%w: %d is above %d", ErrPortRule, r.First, r.Last)
	case len(longest) > tacacs.MaxField:
		return fmt.Errorf("%w: a port has %d octets, at most %d", ErrPortRule, len(longest), tacacs.MaxField)
	case r.Text == "":
		return fmt.Errorf("%w: it has no text", ErrPortRule)
	case ascii(r.Text, tacacs.MaxField) != r.Text:
		return fmt.Errorf("%w: %q is not printable ASCII", ErrPortRule, r.Text)
	case strings.Count(r.Text, "%d") > 1 || strings.Count(r.Text, "%") > strings.Count(r.Text, "%d"):
		return fmt.Errorf("%w: %q: only one %%d is allowed, and no other %%", ErrPortRule, r.Text)
	}
	return nil
}

func (r PortRule) name(port uint32) string {
	return strings.Replace(r.Text, "%d", strconv.FormatUint(uint64(port), 10), 1)
}

func (r PortRule) matches(port uint32, portType uint32, hasType bool) bool {
	return r.First <= port && port <= r.Last && (len(r.Types) == 0 || hasType && slices.Contains(r.Types, portType))
}

// port returns the name of the port.
func (b *builder) port() string {
	port, ok := b.rec.Attrs.Uint32(radius.NASPort)
	portType, hasType := b.rec.Attrs.Uint32(radius.NASPortType)
	for _, r := range b.Ports {
		if ok && r.matches(port, portType, hasType) {
			b.told[radius.NASPort] = true
			return ascii(r.name(port), tacacs.MaxField)
		}
	}
	if id := b.rec.Attrs.Text(radius.NASPortID); id != "" {
		return ascii(b.text(radius.NASPortID), tacacs.MaxField)
	}
	if !ok {
		return ""
	}
	b.told[radius.NASPort] = true
	return strconv.FormatUint(uint64(port), 10)
}
