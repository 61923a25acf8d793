package partner

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseDetail(t *testing.T) {
	const one = "Arrived at 1795335381.000042\n\tAcct-Status-Type = Start\n\tUser-Name = \"nemo\"\n" +
		"\tClass = 0x0102feff\n\tClass = 0x03\n\tTimestamp = 1795335381\n\n"
	want := Arrival{time.Unix(1795335381, 42000), DetailRecord{
		{"Acct-Status-Type", "Start"},
		{"User-Name", "nemo"},
		{"Class", "0x0102feff"},
		{"Class", "0x03"},
		{"Timestamp", "1795335381"},
	}}
	const head = len("Arrived at 1795335381.000042\n")
	for _, tc := range []struct {
		name string
		text string
		want []Arrival
	}{
		{"empty", "", nil},
		{"one", one, []Arrival{want}},
		{"two", one + one, []Arrival{want, want}},
		{"the last is being written", one + one[:60], []Arrival{want}},
		{"the last is written up to a name", one + one[:head+6], []Arrival{want}},
		{"the last is written up to a part of its time", one + one[:head-4], []Arrival{want}},
		{"only the empty line is missing", one + one[:len(one)-1], []Arrival{want}},
		{"killed in the middle of a value", one[:60] + one, []Arrival{want}},
		{"killed in the middle of a name", one[:head+6] + one, []Arrival{want}},
		{"killed in the middle of the time", one[:head-4] + one, []Arrival{want}},
		{"killed after a line", one[:head] + one, []Arrival{want}},
		{"killed before the empty line", one[:len(one)-1] + one, []Arrival{want}},
		{"no attributes", one[:head] + "\n", []Arrival{{want.At, DetailRecord{}}}},
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
	for _, text := range []string{one[:head] + "\tnonsense\n\n", "date\n\tClass = 0x03\n\n", "\tClass = 0x03\n\n"} {
		if got, err := parseDetail(text); err == nil {
			t.Errorf("%q was parsed as %v", text, got)
		}
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
