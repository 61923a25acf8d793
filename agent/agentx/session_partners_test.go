//go:build partners

package agentx_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
	"aaasess/mib"
)

// start runs a subagent until it is registered. stop ends it and may be called early; the end of
// the test calls it too.
func start(t testing.TB, sub *agentx.Subagent) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sub.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-sub.Ready():
	case <-time.After(5 * time.Second):
		t.Fatalf("not registered after 5 s: %v", sub.Stats().LastError)
	}
	return stop
}

// eventually waits up to five seconds until holds returns true.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}

// master starts an snmpd and a subagent with a table of n rows.
func master(t testing.TB, network string, little bool, n int) (*partner.SnmpdProc, *agentx.Fixture, *agentx.Subagent) {
	t.Helper()
	s := partner.Snmpd(t, partner.SnmpdOptions{AgentXNetwork: network})
	f := agentx.NewFixture(t, n)
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress, Description: "fixture"}, f.Tree)
	if little {
		sub.UseLittleEndian()
	}
	start(t, sub)
	return s, f, sub
}

// tool runs one of net-snmp's programs and returns its output lines.
func tool(t *testing.T, s *partner.SnmpdProc, name string, args ...string) []string {
	t.Helper()
	args = append([]string{"-v2c", "-c", partner.WriteCommunity, "-On", "-t", "10", "-r", "0"}, args...)
	out := partner.Run(t, time.Minute, name, args...)
	return strings.Split(strings.TrimSpace(out), "\n")
}

// expected returns the lines of a walk of the table, as net-snmp prints them without MIBs.
func expected(n int) []string {
	var lines []string
	for column := uint32(2); column <= 8; column++ {
		for i := uint64(1); i <= uint64(n); i++ {
			var v string
			switch column {
			case 2:
				v = `STRING: "user@example"`
			case 3:
				v = fmt.Sprintf("IpAddress: 10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
			case 4:
				v = fmt.Sprintf("Gauge32: %d", i)
			case 5:
				v = "INTEGER: 0"
			case 6:
				v = fmt.Sprintf("Counter32: %d", uint32(i<<20))
			case 7:
				if v = fmt.Sprintf("OID: .1.3.6.1.2.1.2.2.1.1.%d", i); i%2 == 0 {
					v = "OID: .0.0"
				}
			case 8:
				v = fmt.Sprintf("Counter64: %d", i<<40)
			}
			lines = append(lines, oid(agentx.FixtureTable, column, uint32(i))+" = "+v)
		}
	}
	return lines
}

// TestPartnerWalk walks a table of a thousand rows with each tool, over each transport, in each
// byte order.
func TestPartnerWalk(t *testing.T) {
	const rows = 1000
	for _, network := range []string{"unix", "tcp"} {
		for _, little := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s little=%t", network, little), func(t *testing.T) {
				s, _, sub := master(t, network, little, rows)
				want := expected(rows)
				table := agentx.FixtureTable.String()
				if diff := cmp.Diff(want, tool(t, s, "snmpwalk", s.Addr, table)); diff != "" {
					t.Errorf("snmpwalk (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(want, tool(t, s, "snmpbulkwalk", "-Cr50", s.Addr, table)); diff != "" {
					t.Errorf("snmpbulkwalk (-want +got):\n%s", diff)
				}
				if got := tool(t, s, "snmpget", s.Addr, oid(agentx.FixtureTable, 3, 999)); got[0] != want[1998] {
					t.Errorf("snmpget said %q, want %q", got, want[1998])
				}
				whole := tool(t, s, "snmpwalk", s.Addr, agentx.FixtureRoot[:7].String())
				if n := 5 + 7*rows + 1; len(whole) != n {
					t.Errorf("a walk of both subtrees has %d lines, want %d", len(whole), n)
				}
				if st := sub.Stats(); st.Connects != 1 || st.Malformed != 0 {
					t.Errorf("statistics %+v", st)
				}
			})
		}
	}
}

// client returns a gosnmp client of an snmpd.
func client(t testing.TB, s *partner.SnmpdProc, timeout time.Duration) *gosnmp.GoSNMP {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	c := &gosnmp.GoSNMP{
		Target: host, Port: uint16(n), Community: partner.WriteCommunity, Version: gosnmp.Version2c,
		Timeout: timeout, MaxOids: gosnmp.MaxOids, MaxRepetitions: 14,
	}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Conn.Close() })
	return c
}

// TestPartnerSevenColumns walks with gosnmp, seven columns in a GETBULK.
func TestPartnerSevenColumns(t *testing.T) {
	const rows = 1000
	s, _, _ := master(t, "unix", false, rows)
	c := client(t, s, 10*time.Second)
	if got := sevenColumns(t, c); got != rows {
		t.Errorf("%d rows", got)
	}
}

// sevenColumns walks the table and checks that rows are complete and in order. It returns their
// number.
func sevenColumns(t testing.TB, c *gosnmp.GoSNMP) (rows int) {
	t.Helper()
	last := uint32(0)
	at := columns(0)
	for {
		r, err := c.GetBulk(at, 0, 14)
		if err != nil || r.Error != gosnmp.NoError {
			t.Fatalf("behind row %d: %v, %v", last, r, err)
		}
		for vbs := r.Variables; len(vbs) >= 7; vbs = vbs[7:] {
			for i := range 7 {
				name := mib.MustOID(vbs[i].Name)
				column := agentx.FixtureTable.Append(uint32(i + 2))
				if !name.HasPrefix(column) {
					if i > 0 {
						t.Fatalf("row behind %d ends at column %d: %s", last, i+2, name)
					}
					return rows
				}
				if index := name[len(column):]; len(index) != 1 || i == 0 && index[0] <= last || i > 0 && index[0] != last {
					t.Fatalf("%s behind row %d", name, last)
				}
				last = name[len(column)]
			}
			rows++
		}
		at = columns(last)
	}
}

// TestPartnerWalkWhileChanging changes the table during walks: every permanent row is seen once, in
// order, while others are added and removed.
func TestPartnerWalkWhileChanging(t *testing.T) {
	const rows = 1000
	s, f, _ := master(t, "unix", false, rows)
	whole := f.Rows()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ctx.Err() == nil; n++ { // rows with an odd index are added and removed
			var some []agentx.FixtureRow
			for _, r := range whole {
				if r.Index%2 == 0 || int(r.Index)%7 == n%7 {
					some = append(some, r)
				}
			}
			f.SetRows(some)
		}
	})
	defer wg.Wait()
	defer cancel()
	for range 3 {
		seen, last := 0, uint32(0)
		for _, line := range tool(t, s, "snmpbulkwalk", "-Cr20", s.Addr, oid(agentx.FixtureTable, 4)) {
			name, _, _ := strings.Cut(line, " ")
			index := mib.MustOID(name)[len(agentx.FixtureTable)+1]
			if index <= last {
				t.Fatalf("row %d behind row %d", index, last)
			}
			if last = index; index%2 == 0 {
				seen++
			}
		}
		if seen != rows/2 {
			t.Errorf("%d of %d rows that stay were seen", seen, rows/2)
		}
	}
}

// open counts this process's open files and goroutines.
func open(t *testing.T) (files, goroutines int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries), runtime.NumGoroutine()
}

// TestPartnerRestart kills snmpd during a walk, and starts it again: the subagent is back within
// two seconds, and nothing remains of the old connections.
func TestPartnerRestart(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s, _, sub := master(t, network, false, 1000)
			files, goroutines := open(t)
			ends := []func(){s.Kill, s.Stop, s.Kill}
			for i, end := range ends {
				walk := make(chan struct{})
				c := client(t, s, 200*time.Millisecond)
				before := sub.Stats().Received[pdu.TypeGetNext]
				go func() {
					defer close(walk)
					for c.BulkWalk(agentx.FixtureTable.String(), func(gosnmp.SnmpPDU) error { return nil }) == nil {
					}
				}()
				eventually(t, "the walk goes on", func() bool { return sub.Stats().Received[pdu.TypeGetNext] > before+500 })
				end()
				<-walk
				c.Conn.Close()
				s.Start()
				back := time.Now()
				want := uint64(i + 2)
				eventually(t, "registered again", func() bool { return sub.Stats().Connects == want })
				if took := time.Since(back); took > 2*time.Second {
					t.Errorf("served again after %s", took)
				}
				if got := tool(t, s, "snmpget", s.Addr, oid(agentx.FixtureTable, 4, 1000)); !strings.HasSuffix(got[0], "Gauge32: 1000") {
					t.Errorf("then snmpget says %q", got)
				}
			}
			eventually(t, "no file and no goroutine is left", func() bool {
				f, g := open(t)
				return f <= files && g <= goroutines
			})
		})
	}
}

// TestPartnerSlow: an answer takes longer than the master waits, so it repeats the PDU, gives up
// and drops the session. The subagent notices and reconnects.
func TestPartnerSlow(t *testing.T) {
	s := partner.Snmpd(t, partner.SnmpdOptions{Config: []string{"agentXTimeout 1", "agentXRetries 2"}})
	var slow atomic.Bool
	release := make(chan struct{})
	tree, err := mib.New(&mib.Module[int]{
		Name: "slow", Root: agentx.FixtureRoot,
		Pin: func() int {
			if slow.Load() {
				<-release
			}
			return 0
		},
		Objects: []mib.Object[int]{mib.Scalar[int]{
			Def: mib.Def{Name: "slow", OID: agentx.FixtureRoot.Append(1), Type: mib.Integer32, Access: mib.ReadOnly},
			Get: func(_ int, v *mib.Value) { v.SetInteger32(5) },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree)
	start(t, sub)
	slow.Store(true)
	args := []string{"-v2c", "-c", partner.ReadCommunity, "-On", "-t", "10", "-r", "0", s.Addr, oid(agentx.FixtureRoot, 1, 0)}
	if out, err := partner.Try(t, 20*time.Second, "snmpget", args...); err == nil || !strings.Contains(err.Error(), "genError") {
		t.Errorf("snmpget of a slow object: %q, %v", out, err)
	}
	slow.Store(false)
	close(release)
	eventually(t, "registered again", func() bool { return sub.Stats().Connects == 2 })
	if got := tool(t, s, "snmpget", s.Addr, oid(agentx.FixtureRoot, 1, 0)); !strings.HasSuffix(got[0], "INTEGER: 5") {
		t.Errorf("then snmpget says %q", got)
	}
}

// TestPartnerNotify: snmpd sends our notification as a trap.
func TestPartnerNotify(t *testing.T) {
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	s := partner.Snmpd(t, partner.SnmpdOptions{Config: []string{"trap2sink " + sink.LocalAddr().String() + " traps"}})
	f := agentx.NewFixture(t, 1)
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, f.Tree)
	start(t, sub)
	if err := sub.Notify(t.Context(), trap(7)); err != nil {
		t.Fatal(err)
	}
	if err := sub.Notify(t.Context(), trap(7)[1:]); err == nil {
		t.Error("a notification without snmpTrapOID is taken")
	}
	if err := sink.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	for {
		n, _, err := sink.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		p, err := gosnmp.Default.SnmpDecodePacket(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Variables) < 3 || p.Variables[1].Value != agentx.FixtureRoot.Append(0, 1).String() {
			continue // snmpd's own coldStart
		}
		if v := p.Variables[2]; v.Name != oid(agentx.FixtureTable, 4, 7) || v.Value != uint(7) {
			t.Errorf("the trap has %+v", v)
		}
		return
	}
}
