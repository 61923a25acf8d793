package partner

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDetail(t *testing.T) {
	const one = "Sun Nov 22 08:16:21 2026\n\tAcct-Status-Type = Start\n\tUser-Name = \"nemo\"\n" +
		"\tClass = 0x0102feff\n\tClass = 0x03\n\tTimestamp = 1795335381\n\n"
	want := DetailRecord{
		{"Acct-Status-Type", "Start"},
		{"User-Name", "nemo"},
		{"Class", "0x0102feff"},
		{"Class", "0x03"},
		{"Timestamp", "1795335381"},
	}
	for _, tc := range []struct {
		name string
		text string
		want []DetailRecord
	}{
		{"empty", "", nil},
		{"one", one, []DetailRecord{want}},
		{"two", one + one, []DetailRecord{want, want}},
		{"the last is being written", one + one[:60], []DetailRecord{want}},
		{"the last is written up to a name", one + one[:35], []DetailRecord{want}},
		{"only the empty line is missing", one + one[:len(one)-1], []DetailRecord{want}},
		{"no attributes", "Sun Nov 22 08:16:21 2026\n\n", []DetailRecord{{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseDetail(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := parseDetail("date\n\tnonsense\n\n"); err == nil {
		t.Error("a line that is not an attribute was taken")
	}
}

func TestDetailRecord(t *testing.T) {
	r := DetailRecord{{"Class", "0x01"}, {"User-Name", "nemo"}, {"Class", "0x02"}}
	if diff := cmp.Diff([]string{"0x01", "0x02"}, r.All("Class")); diff != "" {
		t.Error(diff)
	}
	if r.Get("Class") != "0x01" || r.Get("NAS-Port") != "" || r.All("NAS-Port") != nil {
		t.Errorf("Get: %q, %q", r.Get("Class"), r.Get("NAS-Port"))
	}
}

func TestUnquote(t *testing.T) {
	for in, want := range map[string]string{
		`Start`: "Start", `"nemo"`: "nemo", `""`: "", `"`: `"`,
		`"a \"b\" \\ c"`: `a "b" \ c`, `"\n\r\t"`: "\n\r\t", `"\001\377x"`: "\x01\xffx", `"zoë"`: "zoë",
		`"\0"`: "0", `"\\001"`: `\001`,
	} {
		if got := unquote(in); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}
