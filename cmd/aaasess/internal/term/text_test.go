package term

import (
	"encoding/json"
	"testing"
	"testing/quick"
	"unicode"
)

// TestEscapeJSON: the output has no unprintable character, and decodes to the same value.
func TestEscapeJSON(t *testing.T) {
	check := func(in []rune) bool {
		text := string(in) + "\u009b\u202e\U000e0001\x7f\n"
		b, err := json.Marshal(map[string]string{"user": text})
		if err != nil {
			return false
		}
		escaped := EscapeJSON(b)
		var back map[string]string
		for _, r := range string(escaped) {
			if !unicode.IsPrint(r) {
				return false
			}
		}
		return json.Unmarshal(escaped, &back) == nil && back["user"] == text
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

func TestAmount(t *testing.T) {
	tests := []struct {
		n    uint64
		want string
	}{
		{0, "0"},
		{999, "999"},
		{1000, "1.00k"},
		{1234, "1.23k"},
		{9999, "10.0k"},
		{45_600_000, "45.6M"},
		{99_960_000, "100M"},
		{999_499, "999k"},
		{999_500, "1.00M"},
		{1<<64 - 1, "18.4E"},
	}
	for _, tt := range tests {
		if got := Amount(tt.n); got != tt.want {
			t.Errorf("%d: got %s, want %s", tt.n, got, tt.want)
		}
	}
}
