package radius

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendCommand(t *testing.T) {
	word := strings.Repeat("x", 5000)
	long := strings.TrimSpace(strings.Repeat("description of an uplink ", 20))
	args := slices.Repeat([]string{"cmd-arg=" + word[:239]}, 7)
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"short":                  {"show version", []string{"cmd=show version"}},
		"as long as it may be":   {word[:243], []string{"cmd=" + word[:243]}},
		"words":                  {long, []string{"cmd=" + long[:242], "cmd-arg=" + long[243:474], "cmd-arg=" + long[475:]}},
		"a long word":            {word[:300], []string{"cmd=" + word[:243], "cmd-arg=" + word[:57]}},
		"longer than MaxCommand": {word, append(append([]string{"cmd=" + word[:243]}, args...), "cmd-arg="+word[:MaxCommand-243-7*239], "cmd-arg=...")},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			a := Attributes(AppendCommand(nil, 7, tt.text))
			for name, value := range a.AVPairs() {
				got = append(got, name+"="+value)
			}
			if want := append([]string{"priv-lvl=7"}, tt.want...); !a.Valid() || !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestCommand: a command can be read from its attributes, whatever its length.
func TestCommand(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		level := rapid.IntRange(0, 15).Draw(rt, "level")
		text := strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-z0-9./]{1,60}`), 1, 60).Draw(rt, "words"), " ")
		a := Attributes(AppendCommand(nil, level, text))
		if len(text) > MaxCommand {
			text = text[:MaxCommand] + " ..."
		}
		if l, got := a.Command(); !a.Valid() || l != level || got != text {
			rt.Errorf("%d %q\nwant %d %q", l, got, level, text)
		}
	})
	if level, text := Attributes("").Command(); level != 0 || text != "" {
		t.Errorf("%d %q of no attributes", level, text)
	}
}
