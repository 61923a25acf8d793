package page

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"math"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

// functions are those of the templates.
var functions = template.FuncMap{
	"text": human.Printable, "ago": ago, "date": date, "stamp": stamp, "span": human.Span, "octets": octets, "seconds": seconds, "number": number,
	"dash": dash, "plural": plural, "key": key,
}

// dash returns a text as human.Printable does, or a dash for "".
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return human.Printable(s)
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

// ago returns how long before now a time was; a dash for the zero Time.
func ago(now, at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return human.Span(now.Sub(at))
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
		return human.Span(d)
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
