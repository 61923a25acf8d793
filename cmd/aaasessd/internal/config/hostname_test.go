package config

import (
	"errors"
	"testing"
)

func TestNASIdentifier(t *testing.T) {
	for _, tc := range []struct {
		name, given, host string
		err               error
		want              string
	}{
		{"given", "agent", "host", nil, "agent"},
		{"host", "", "host", nil, "host"},
		{"host without a name", "", "", nil, "aaasess"},
		{"unknown host", "", "", errors.New("no /proc"), "aaasess"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := nasIdentifier(tc.given, func() (string, error) { return tc.host, tc.err }); got != tc.want {
				t.Errorf("NAS-Identifier %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSystemName(t *testing.T) {
	for _, tc := range []struct {
		name, given, host string
		err               error
		want              string
	}{
		{"given", "agent", "host", nil, "agent"},
		{"host", "", "host", nil, "host"},
		{"unknown host", "", "", errors.New("no /proc"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := systemName(tc.given, func() (string, error) { return tc.host, tc.err }); got != tc.want {
				t.Errorf("sysName %q, want %q", got, tc.want)
			}
		})
	}
}
