package partner

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTacquitoLog(t *testing.T) {
	const line = `tacquito2026/11/30 06:40:01 /src/local.go:90: {"Flags":2,"Method":6,"PrivLvl":1,"Type":2,"Service":3,"User":"alice","Port":"tty3","RemAddr":"a: b","Args":["task_id=13","addr*192.0.2.1","=x"]}` + "\n"
	want := TacquitoRecord{2, 6, 1, 2, 3, "alice", "tty3", "a: b", []string{"task_id=13", "addr*192.0.2.1", "=x"}}
	for name, tt := range map[string]struct {
		text string
		want []TacquitoRecord
	}{
		"empty":                       {"", nil},
		"two":                         {line + line, []TacquitoRecord{want, want}},
		"the second is being written": {line + line[:90], []TacquitoRecord{want}},
	} {
		got, err := parseTacquitoLog([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, text := range []string{"\n", line[:60] + "\n", line[:60] + line} {
		if got, err := parseTacquitoLog([]byte(text)); err == nil {
			t.Errorf("%q was parsed as %v", text, got)
		}
	}
	for name, value := range map[string]string{"task_id": "13", "addr": "192.0.2.1", "task": "", "": ""} {
		if got := want.Arg(name); got != value {
			t.Errorf("%q is %q, want %q", name, got, value)
		}
	}
}
