package mib

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOID(t *testing.T) {
	tests := []struct {
		name, in string
		want     OID
		wantErr  string
	}{
		{"plain", "1.3.6.1", OID{1, 3, 6, 1}, ""},
		{"leading dot", ".1.3.6", OID{1, 3, 6}, ""},
		{"largest sub-identifier", "1.4294967295", OID{1, 4294967295}, ""},
		{"too large a sub-identifier", "1.4294967296", nil, "sub-identifier 2"},
		{"empty", "", nil, "sub-identifier 1"},
		{"a name", "1.3.six", nil, "sub-identifier 3"},
		{"negative", "1.-3", nil, "sub-identifier 2"},
		{"129 sub-identifiers", "1" + strings.Repeat(".1", 128), nil, "the limit is 128"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseOID(tt.in)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("ParseOID(%q) = %v, %v, want an error with %q", tt.in, got, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if again := MustOID(got.String()); again.Compare(got) != 0 {
				t.Errorf("String gave %s", got)
			}
		})
	}
}

func TestOIDAppendDoesNotShare(t *testing.T) {
	base := append(make(OID, 0, 8), 1, 3)
	a, b := base.Append(6), base.Append(7)
	if a[2] != 6 || b[2] != 7 {
		t.Errorf("got %v and %v", a, b)
	}
}

func TestOIDHasPrefix(t *testing.T) {
	tests := []struct {
		oid, prefix string
		want        bool
	}{
		{"1.3.6", "1.3", true},
		{"1.3.6", "1.3.6", true},
		{"1.3", "1.3.6", false},
		{"1.30", "1.3", false},
	}
	for _, tt := range tests {
		if got := MustOID(tt.oid).HasPrefix(MustOID(tt.prefix)); got != tt.want {
			t.Errorf("%s has prefix %s: %v", tt.oid, tt.prefix, got)
		}
	}
}
