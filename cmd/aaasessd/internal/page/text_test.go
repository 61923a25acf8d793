package page

import (
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
)

func TestTexts(t *testing.T) {
	size, none := uint64(2048), (*uint64)(nil)
	for _, tt := range []struct{ got, want string }{
		{octets(int64(-1)), "–"},
		{octets(none), "–"},
		{octets(&size), "2 KiB"},
		{octets(uint64(999)), "999 B"},
		{octets(int64(1000)), "0.98 KiB"},
		{octets(uint64(1 << 30 * 3 / 2)), "1.50 GiB"},
		{octets(uint64(1<<64 - 1)), "16 EiB"},
		{octets(int64(12345678)), "11.8 MiB"},
		{number(0), "0"},
		{number(999), "999"},
		{number(uint64(1234567)), "1\u202f234\u202f567"},
		{number(none), "–"},
		{number(&size), "2\u202f048"},
		{plural(0, "record"), "0 records"},
		{plural(1, "record"), "1 record"},
		{plural(uint64(2000), "record"), "2\u202f000 records"},
		{ago(at.Add(time.Minute), at), "1m00s"},
		{ago(at, time.Time{}), "–"},
		{date(time.Time{}), "–"},
		{stamp(at), "2024-05-06T07:08:09Z"},
		{seconds(0), "0 s"},
		{seconds(api.Seconds(0.0125)), "12.5 ms"},
		{seconds(3), "3 s"},
		{seconds(125), "2m05s"},
		{dash(""), "–"},
		{dash("a\x00"), `a\x00`},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	if key("a", "b") == key("ab") || strings.ContainsAny(key(hostile), " \"'<>") {
		t.Error("keys are not good as ids")
	}
}
