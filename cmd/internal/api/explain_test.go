package api

import (
	"errors"
	"testing"
)

func TestRecordName(t *testing.T) {
	for _, want := range []RecordName{{"group/isp", 812}, {"local", 1}, {SetAsideRecords, 1<<64 - 1}, {"group/a:7", 0}} {
		if got, err := ParseRecordName(want.String()); got != want || err != nil {
			t.Errorf("%s: %v, %v", want, got, err)
		}
	}
	for _, text := range []string{"", ":7", "group/isp", "group/isp:", "group/isp:-1", "group/isp:x", "0000000D", "local:18446744073709551616"} {
		if got, err := ParseRecordName(text); !errors.Is(err, ErrQuery) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got := ExplainPath("group/isp:812"); got != "/v1/explain/group%2Fisp:812" {
		t.Error(got)
	}
}
