package partner

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Arrival is a request in FreeRADIUS's detail file, with the time when FreeRADIUS read it from its
// socket. If one of two requests to servers on one host was sent only after the answer to the
// other, it has the later time.
type Arrival struct {
	At     time.Time
	Record DetailRecord
}

// DetailRecord is one request as FreeRADIUS's detail module wrote it: its attributes in order.
type DetailRecord []DetailAttribute

// DetailAttribute is one attribute by FreeRADIUS's dictionary. Value is text: names of numbers,
// octets as 0x..., strings without quotes.
type DetailAttribute struct{ Name, Value string }

// All returns the values of all attributes with this name, in order.
func (r DetailRecord) All(name string) (values []string) {
	for _, a := range r {
		if a.Name == name {
			values = append(values, a.Value)
		}
	}
	return values
}

// Get returns the value of the first attribute with this name, or "".
func (r DetailRecord) Get(name string) string {
	for _, a := range r {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// arrived matches the line before a record, which freeRADIUSConf defines: seconds and microseconds.
// If FreeRADIUS was killed while it wrote a record, the line may follow the rest of that record
// without a newline.
var arrived = regexp.MustCompile(`Arrived at (\d+)\.(\d+)$`)

// parseDetail parses a detail file: for each record a line with the arrival time, a line "\tName =
// value" for each attribute, and an empty line. A record without its empty line is incomplete, and
// is left out.
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
		case i == len(lines)-1: // incomplete or empty
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

// unquote removes the quotes and escapes of a string; other values do not change.
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
		default: // a quote or a backslash
			b.WriteByte(v[i])
		}
	}
	return b.String()
}
