package page

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewParts(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		offset, limit, total int
		want                 parts
	}{
		{"nothing", 0, 10, 0, parts{}},
		{"all", 0, 10, 10, parts{From: 1, To: 10, Total: 10}},
		{"the first", 0, 10, 21, parts{From: 1, To: 10, Total: 21, Next: "10", Last: "20"}},
		{"one in the middle", 10, 10, 21, parts{From: 11, To: 20, Total: 21, First: "0", Previous: "0", Next: "20", Last: "20"}},
		{"the last", 20, 10, 21, parts{From: 21, To: 21, Total: 21, First: "0", Previous: "10"}},
		{"from an offset of no part", 5, 10, 21, parts{From: 6, To: 15, Total: 21, First: "0", Previous: "0", Next: "15", Last: "20"}},
		{"behind the end", 21, 10, 20, parts{Total: 20, Previous: "10"}},
		{"behind the end of nothing", 5, 10, 0, parts{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, newParts(tt.offset, tt.limit, tt.total, strconv.Itoa)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
