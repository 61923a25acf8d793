package partner

import (
	"fmt"
	"strconv"
	"strings"
)

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

// parseDetail reads a detail file: for each record a line with a date, a line "\tName = value" for
// each attribute, an empty line. A last record without its empty line is still being written, and
// left out.
func parseDetail(text string) (records []DetailRecord, err error) {
	var r DetailRecord
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		attr, ok := strings.CutPrefix(line, "\t")
		switch {
		case ok:
			name, value, ok := strings.Cut(attr, " = ")
			if !ok && i < len(lines)-1 {
				return nil, fmt.Errorf("partner: detail file: line %d: %q", i+1, line)
			}
			r = append(r, DetailAttribute{name, unquote(value)})
		case line == "":
			if r != nil && i < len(lines)-1 {
				records, r = append(records, r), nil
			}
		default: // the date
			r = DetailRecord{}
		}
	}
	return records, nil
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
