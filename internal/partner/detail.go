package partner

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Arrival is a request that FreeRADIUS has written to its detail file, and when it read it from its
// socket. Of two requests to servers on one host, the one that was sent only after the other was
// answered has the later moment.
type Arrival struct {
	At     time.Time
	Record DetailRecord
}

// DetailRecord is one request as FreeRADIUS's detail module wrote it: its attributes in their order.
type DetailRecord []DetailAttribute

// DetailAttribute is one attribute, by FreeRADIUS's dictionary. Value is text: names of numbers,
// octets as 0x..., strings without their quotes.
type DetailAttribute struct{ Name, Value string }

// All is the values of all attributes of this name, in their order.
func (r DetailRecord) All(name string) (values []string) {
	for _, a := range r {
		if a.Name == name {
			values = append(values, a.Value)
		}
	}
	return values
}

// Get is the value of the first attribute of this name, or "".
func (r DetailRecord) Get(name string) string {
	for _, a := range r {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// arrived is the line before a record, as freeRADIUSConf has it: seconds and microseconds. It may follow
// what is left of a record in whose midst FreeRADIUS was killed, without a newline.
var arrived = regexp.MustCompile(`Arrived at (\d+)\.(\d+)$`)

// parseDetail reads a detail file: for each record a line that tells when it arrived, a line
// "\tName = value" for each attribute, an empty line. A record without its empty line is still being
// written, or will never be, and is left out.
func parseDetail(text string) (all []Arrival, err error) {
	var r *Arrival
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if m := arrived.FindStringSubmatch(line); m != nil {
			seconds, err1 := strconv.ParseInt(m[1], 10, 64)
			micros, err2 := strconv.ParseInt(m[2], 10, 64)
			if err1 == nil && err2 == nil && i < len(lines)-1 {
				r = &Arrival{At: time.Unix(seconds, micros*1000), Record: DetailRecord{}}
			}
			continue
		}
		attr, isAttr := strings.CutPrefix(line, "\t")
		name, value, ok := strings.Cut(attr, " = ")
		switch {
		case i == len(lines)-1: // not written yet, or nothing
		case isAttr && ok && r != nil:
			r.Record = append(r.Record, DetailAttribute{name, unquote(value)})
		case line == "" && r != nil:
			all, r = append(all, *r), nil
		default:
			return nil, fmt.Errorf("partner: detail file: line %d: %q", i+1, line)
		}
	}
	return all, nil
}

// unquote takes the quotes and escapes off a string; other values stay as they are.
func unquote(v string) string {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return v
	}
	v = v[1 : len(v)-1]
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' || i+1 == len(v) {
			b.WriteByte(v[i])
			continue
		}
		i++
		if i+3 <= len(v) {
			if octal, err := strconv.ParseUint(v[i:i+3], 8, 8); err == nil {
				b.WriteByte(byte(octal))
				i += 2
				continue
			}
		}
		switch v[i] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		default: // the quote and the backslash stand for themselves
			b.WriteByte(v[i])
		}
	}
	return b.String()
}
