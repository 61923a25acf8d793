package resync

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/sessions"
)

// golden is in stored states, so it must not change.
const golden = "01" + "02" + "03" + "000003e8" + "000000003b3a1a6a" + "000000003b3a1a6b" + "00000000" + "0dca09a3969ff47b" +
	"0000000000000064" + "0000000000000063" + "0000000000000059" + "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000004"

func goldenProgress() Progress {
	p := Progress{
		State: Done, Type: sessions.Interim, Rate: 1000, Began: time.Unix(993663594, 0), Ended: time.Unix(993663595, 0),
		Before: 0x0dca09a3969ff47b, Total: 100, Sessions: 99, Records: 89,
	}
	p.LeftOut[accounting.Elsewhere], p.LeftOut[accounting.StopOnlyList] = 1, 2
	p.LeftOut[accounting.Fallback], p.LeftOut[accounting.NullUsername] = 3, 4
	return p
}

func TestProgressLayout(t *testing.T) {
	want := goldenProgress()
	if got := hex.EncodeToString(want.append(nil)); got != golden {
		t.Fatalf("stored as\n%s, want\n%s", got, golden)
	}
	b, _ := hex.DecodeString(golden)
	got, err := parseProgress(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
	for i := range b {
		if _, err := parseProgress(b[:i]); !errors.Is(err, ErrState) {
			t.Errorf("cut to %d octets: %v", i, err)
		}
	}
	for name, bad := range map[string]string{
		"too long":              golden + "00",
		"version":               "02" + golden[2:],
		"state":                 golden[:2] + "04" + golden[4:],
		"type":                  golden[:4] + "02" + golden[6:],
		"rate 0":                golden[:6] + "00000000" + golden[14:],
		"it runs and has ended": golden[:2] + "01" + golden[4:],
		"it is done, not ended": strings.Replace(golden, "000000003b3a1a6b", "0000000000000000", 1),
	} {
		b, _ := hex.DecodeString(bad)
		if _, err := parseProgress(b); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseProgress(f *testing.F) {
	b, _ := hex.DecodeString(golden)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseProgress(b)
		if err != nil {
			return
		}
		if again := p.append(nil); string(again) != string(b) {
			t.Errorf("%x parsed and appended is %x", b, again)
		}
	})
}
