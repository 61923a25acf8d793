//go:build partners

package snmp

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
)

// TestPysnmpCombinations: pysnmp 4 reads and sets with each pair of protocols that it supports. It
// pads AES to whole blocks.
func TestPysnmpCombinations(t *testing.T) {
	f := newRig(t)
	const first = 20
	args := []string{
		"testdata/pysnmp4.py", strconv.Itoa(int(f.Addrs()[0].Port())), strings.TrimPrefix(oid(1, 0), "."),
		strconv.Itoa(first), authPassword, privPassword,
	}
	var want []string
	before := int(f.numbers.now())
	for _, u := range allUsers() {
		if u.auth == "" {
			continue
		}
		priv := u.priv
		if priv == "" {
			priv = "none"
		}
		args = append(args, u.auth, priv)
		to := first + len(want)
		want = append(want, fmt.Sprint(u.name, " ", before, " ", to, " ", to))
		before = to
	}
	// Debian's own python3 has Debian's modules; another one may come first in the path.
	out := partner.Run(t, 2*time.Minute, "/usr/bin/python3", args...)
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out), "\n")); diff != "" {
		t.Errorf("pysnmp (-want +got):\n%s", diff)
	}
}
