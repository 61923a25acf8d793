package page

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aaasess/cmd/internal/api"
)

// functions are those of the templates.
var functions = template.FuncMap{
	"text": visible, "ago": ago, "date": date, "stamp": stamp, "span": span, "octets": octets, "seconds": seconds, "number": number,
	"dash": dash, "plural": plural, "key": key,
}

// visible replaces the characters of a text that cannot be seen, or that turn the direction of others:
// octets that are not UTF-8 and unprintable ASCII become \xHH, and other characters \u{H}.
func visible(s string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !hidden(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// dash returns a text as visible does, or a dash for "".
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return visible(s)
}

// key returns a word of letters and digits for an id or name that may have other characters, so that the
// elements of a list keep their ids when others come and go.
func key(parts ...string) string {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part + "\x00"))
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// span formats a duration in two units at most: 42s, 3m10s, 2h05m, 3d04h, 400d. A negative one is 0s.
func span(d time.Duration) string {
	s := int64(max(0, d) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	case s < 100*86400:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
	return fmt.Sprintf("%dd", s/86400)
}

// ago returns how long before now a time was; a dash for the zero Time.
func ago(now, at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return span(now.Sub(at))
}

// date formats a time for people, in the time zone of the host; a dash for the zero Time.
func date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// stamp formats a time for the attribute datetime of an element time.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// seconds formats a duration with a unit that has few digits: 1.25 ms, 3 s, 2m05s.
func seconds(s api.Seconds) string {
	switch d := s.Duration(); {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	case d < time.Minute:
		return fmt.Sprintf("%.3g s", d.Seconds())
	default:
		return span(d)
	}
}

// octets formats a number of octets in powers of 1024: 999 B, 256 MiB, 1.50 GiB. A negative one, and no
// number, is a dash: it is not known.
func octets(n any) string {
	f := -1.0
	switch n := n.(type) {
	case int64:
		f = float64(n)
	case uint64:
		f = float64(n)
	case *uint64:
		if n != nil {
			f = float64(*n)
		}
	}
	if f < 0 {
		return "–"
	}
	unit := 0
	for f >= 999.5 && unit < 6 {
		f /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f B", f)
	}
	decimals := 2
	switch {
	case f >= 99.95 || f == math.Trunc(f):
		decimals = 0
	case f >= 9.995:
		decimals = 1
	}
	return fmt.Sprintf("%.*f %ciB", decimals, f, " KMGTPE"[unit])
}

// number formats a whole number from 0 in groups of three digits, with narrow spaces that do not break;
// no number is a dash.
func number(n any) string {
	if p, ok := n.(*uint64); ok {
		if p == nil {
			return "–"
		}
		n = *p
	}
	digits := fmt.Sprint(n)
	first, rest := digits, ""
	for len(first) > 3 {
		first, rest = first[:len(first)-3], "\u202f"+first[len(first)-3:]+rest
	}
	return first + rest
}

// plural returns a number with its noun: 1 record, 2 records.
func plural(n any, noun string) string {
	if text := number(n); text != "1" {
		return text + " " + noun + "s"
	}
	return "1 " + noun
}
