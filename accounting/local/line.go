package local

import (
	"strconv"
	"time"
	"unicode/utf8"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// appendLine appends a record as a line of JSON.
func appendLine(b []byte, rec *accounting.Record, now time.Time) []byte {
	b = append(b, `{"time":"`...)
	b = rec.At.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","type":`...)
	b = appendString(b, rec.TypeName())
	b = append(b, `,"session":`...)
	b = appendString(b, rec.SessionName())
	b = append(b, `,"number":`...)
	b = strconv.AppendUint(b, uint64(rec.Number()), 10)
	b = append(b, `,"list":`...)
	b = appendString(b, rec.List)
	b = append(b, `,"delay":`...)
	b = strconv.AppendInt(b, int64(max(0, now.Sub(rec.At))/time.Second), 10)
	b = append(b, `,"attributes":{`...)
	b = appendAttributes(b, rec.Attrs)
	return append(b, "}}\n"...)
}

func appendAttributes(b []byte, attrs radius.Attributes) []byte {
	var count [256]int
	for t := range attrs.All() {
		count[t]++
	}
	first := true
	for t, v := range attrs.All() {
		n := count[t]
		if n == 0 {
			continue // written with the first of its type
		}
		count[t] = 0
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, accounting.AttributeName(t))
		b = append(b, ':')
		if n == 1 && t != radius.VendorSpecific {
			b = appendValue(b, t, v)
			continue
		}
		sep := byte('[')
		for u, w := range attrs.All() {
			if u == t {
				b = append(b, sep)
				b = appendValue(b, t, w)
				sep = ','
			}
		}
		b = append(b, ']')
	}
	return b
}

func appendValue(b []byte, t radius.Type, v string) []byte {
	var room [512]byte // enough for 253 octets in hex
	text, number := accounting.AppendValue(room[:0], t, v)
	if number {
		return append(b, text...)
	}
	return appendString(b, text)
}

// appendString appends a JSON string (RFC 8259 section 7). What is not UTF-8 becomes U+FFFD.
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
