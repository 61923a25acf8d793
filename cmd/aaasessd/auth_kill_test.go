package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestKillDuringRejects: the daemon is killed three times while many logins fail. Each reject that a
// NAS has received has its stop record in the end (R49, R64).
func TestKillDuringRejects(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	addr := netip.AddrPortFrom(crashAddress(t).Addr(), 11812)
	text := with(t, authConfig(t, s), "authentication: {listen: [\"127.0.0.1:0\"]}", fmt.Sprintf("authentication: {listen: [%q]}", addr),
		"  local: {file: records.jsonl}", "  send-stop-record: {authentication-failure: true}\n  local: {file: records.jsonl}")
	dir := t.TempDir()
	file := filepath.Join(dir, "aaasess.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var rejected []string
	const lives, nases, each = 3, 8, 40
	for life := range lives {
		out := &lines{}
		cmd := process(t, dir, out, "--config", file)
		eventually(t, "the daemon is ready", func() bool { return bytes.Contains([]byte(out.String()), []byte("msg=ready")) })
		var all sync.WaitGroup
		var answered atomic.Int64
		for i := range nases {
			n := newAuthNAS(t, addr)
			all.Go(func() {
				for k := 0; answered.Load() < nases*each; k++ {
					user := fmt.Sprintf("user-%d-%d-%d", life, i, k)
					if _, err := n.login(user, "guess", 2*time.Second); err != nil {
						return // killed
					}
					mu.Lock()
					rejected = append(rejected, user)
					mu.Unlock()
					answered.Add(1)
				}
			})
		}
		eventually(t, "half of the logins failed", func() bool { return answered.Load() > nases*each/2 })
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		all.Wait()
		if strings.Contains(out.String(), "sent before its stop record was durable") {
			t.Skip("the disk needs more than a second for a record, so rejects do not wait for theirs (R64)")
		}
	}
	out := &lines{}
	process(t, dir, out, "--config", file)
	missing := ""
	eventually(t, "each reject has its stop record", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "records.jsonl"))
		if err != nil {
			return false
		}
		for _, user := range rejected {
			if !bytes.Contains(b, []byte(`"`+user+`"`)) {
				missing = user
				return false
			}
		}
		return true
	}, &missing)
	if len(rejected) < lives*nases*each/2 {
		t.Errorf("only %d rejects", len(rejected))
	}
}
