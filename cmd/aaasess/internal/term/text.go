package term

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/human"
)

// EscapeJSON replaces the unprintable characters of JSON text by \uHHHH. All of them are within
// strings.
func EscapeJSON(b []byte) []byte {
	hidden := func(r rune) bool { return r > ' ' && human.IsHidden(r) }
	if bytes.IndexFunc(b, hidden) < 0 {
		return b
	}
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// Clock formats seconds as hours, minutes and seconds: 00:00:52.
func Clock(seconds uint32) string {
	return fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// Date formats a time as ISO 8601 in the local time zone: 2001-06-27T07:00:00+02:00. A time that is
// not set is none.
func Date(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.Local().Format(time.RFC3339)
}

// Amount formats a number of octets with three significant digits, in powers of 1000: 999, 1.23k,
// 45.6M.
func Amount(n uint64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	f, unit := float64(n), 0
	for f >= 999.5 && unit < 6 {
		f /= 1000
		unit++
	}
	decimals := 2
	switch {
	case f >= 99.95:
		decimals = 0
	case f >= 9.995:
		decimals = 1
	}
	return fmt.Sprintf("%.*f%c", decimals, f, " kMGTPE"[unit])
}

// BinaryAmount formats a number of octets with three significant digits, in powers of 1024 as the
// configuration has them: 999B, 256MiB, 1.50GiB.
func BinaryAmount(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%dB", max(0, n))
	}
	f, unit := float64(n), 0
	for f >= 999.5 && unit < 6 {
		f /= 1024
		unit++
	}
	decimals := 2
	switch {
	case f >= 99.95 || f == math.Trunc(f):
		decimals = 0
	case f >= 9.995:
		decimals = 1
	}
	return fmt.Sprintf("%.*f%ciB", decimals, f, " KMGTPE"[unit])
}

// Count formats a number with its noun: 1 record, 2 records.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Word makes a text from the network one word of a line: with a space or comma it is quoted.
func Word(text string) string {
	if strings.ContainsAny(text, ` ,"`) {
		return strconv.Quote(text)
	}
	return human.Printable(text)
}
