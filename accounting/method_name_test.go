package accounting

import (
	"strings"
	"testing"
)

func TestMethodQueue(t *testing.T) {
	tests := []struct {
		method       MethodName
		group, queue string
	}{
		{Local, "", "local"},
		{Group("radius"), "radius", "group/radius"},
		{"group local", "local", "group/local"},
	}
	for _, tt := range tests {
		if g, q := tt.method.Group(), tt.method.Queue(); g != tt.group || q != tt.queue {
			t.Errorf("%q: group %q, queue %q, want %q, %q", tt.method, g, q, tt.group, tt.queue)
		}
	}
}

func TestMethodCheck(t *testing.T) {
	tests := []struct {
		name   string
		method MethodName
		want   string // "" for none
	}{
		{"local", Local, ""},
		{"group", Group("isp"), ""},
		{"unknown method", "radius", `method "radius" is neither`},
		{"group without a name", "group ", `method "group " is neither`},
		{"group with spaces", "group a b", `method "group a b": the name of a group must not contain spaces or control characters`},
		{"long group", Group(strings.Repeat("x", 101)), "at most 100 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.method.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
