package local

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// appendLine appends a record as a line of JSON. names has the names of its attributes.
func appendLine(b []byte, rec *accounting.Record, names *radius.Dictionary, now time.Time) []byte {
	b = append(b, `{"time":"`...)
	b = rec.At.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","type":`...)
	b = appendString(b, rec.TypeName())
	b = append(b, `,"session":`...)
	b = appendString(b, rec.SessionName())
	b = append(b, `,"number":`...)
	b = strconv.AppendUint(b, uint64(rec.Number()), 10)
	b = append(b, `,"nasSession":`...)
	b = appendString(b, rec.NASSession)
	b = append(b, `,"list":`...)
	b = appendString(b, rec.List)
	b = append(b, `,"delay":`...)
	b = strconv.AppendInt(b, int64(max(0, now.Sub(rec.At))/time.Second), 10)
	b = append(b, `,"attributes":{`...)
	b = appendAttributes(b, rec.Attrs, names)
	return append(b, "}}\n"...)
}

// appendAttributes appends attributes in their order. Attributes with the same name stand together,
// in the place of the first.
func appendAttributes(b []byte, attrs radius.Attributes, names *radius.Dictionary) []byte {
	list := slices.Collect(names.Print(attrs))
	vendorSpecific := names.Name(radius.VendorSpecific) // an array even if there is only one
	sep := ""
	for i, p := range list {
		if p.Name == "" {
			continue // already written with the first of its name
		}
		b = appendString(append(b, sep...), p.Name)
		sep = ","
		same := list[i:]
		isSame := func(q radius.Printed) bool { return q.Name == p.Name }
		if p.Name != vendorSpecific && !slices.ContainsFunc(same[1:], isSame) {
			b = appendValue(append(b, ':'), p)
			continue
		}
		b = append(b, ":["...)
		for k := range same {
			if isSame(same[k]) {
				b = append(appendValue(b, same[k]), ',')
				same[k].Name = ""
			}
		}
		b[len(b)-1] = ']'
	}
	return b
}

func appendValue(b []byte, p radius.Printed) []byte {
	if p.Number {
		return append(b, p.Text...)
	}
	return appendString(b, p.Text)
}

// appendString appends a JSON string (RFC 8259 section 7). Invalid UTF-8 becomes U+FFFD.
func appendString[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}
