//go:build partners

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"aaasess/sessions/radius/radiustest"
)

// nas sends packets to a daemon from many sockets at the same time, each until it is answered.
type nas struct {
	t    *testing.T
	to   netip.AddrPort
	sent atomic.Int64
}

func (n *nas) send(ctx context.Context, p *layeh.Packet) {
	for range 10 {
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		_, err := radiustest.Account(once, netip.AddrPort{}, n.to, p)
		cancel()
		if err == nil {
			n.sent.Add(1)
			return
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			n.t.Error(err)
			return
		}
	}
	n.t.Error("ten times no answer")
}

// each calls fn for the numbers below limit, in parallel, until ctx is done.
func (n *nas) each(ctx context.Context, limit, many int, fn func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= limit {
					return
				}
				fn(i)
			}
		})
	}
	all.Wait()
}

// rows reads the lines of a walk of casnUserId. It returns the users, and whether the indices only
// rise. It calls between after each perResponse lines; the walk then waits, except for what fits
// into a pipe.
func rows(t *testing.T, walk *exec.Cmd, between func()) map[string]int {
	t.Helper()
	out, err := walk.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := walk.Start(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	last := uint64(0)
	sc := bufio.NewScanner(out)
	for n := 1; sc.Scan(); n++ {
		if n%perResponse == 0 {
			between()
		}
		index, value, found := strings.Cut(strings.TrimPrefix(sc.Text(), casnUserID), " = STRING: ")
		id, err := strconv.ParseUint(index, 10, 32)
		if !found || err != nil || id <= last {
			t.Errorf("after row %d: %s", last, sc.Text())
			continue
		}
		last = id
		seen[strings.Trim(value, `"`)]++
	}
	if err := walk.Wait(); err != nil {
		t.Errorf("the walk: %v", err)
	}
	return seen
}

// perResponse is the number of rows that a walk requests at once.
const perResponse = 50

// TestWalkOfManyRows walks 100,000 rows while sessions start, stop and report. After every 50 rows,
// the walk waits until something has changed. It must see each row once that lives from start to
// end.
func TestWalkOfManyRows(t *testing.T) {
	const all, mortal = 100_000, 20 // every twentieth session ends
	d := start(t, setup{record: "stop-only"})
	n := &nas{t: t, to: netip.MustParseAddrPort(d.acct)}
	user := func(i int) string {
		if i%mortal == 0 {
			return fmt.Sprint("mortal", i)
		}
		return fmt.Sprint("live", i)
	}
	n.each(t.Context(), all, 64, func(i int) { n.send(t.Context(), packet(acctStart, fmt.Sprint("S", i), user(i))) })
	if got := d.scalar(".1.1.0"); got != all {
		t.Fatalf("%d rows, want %d", got, all)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	load.Go(func() {
		n.each(ctx, 1<<30, 4, func(i int) {
			if i < all/mortal {
				n.send(ctx, packet(acctStop, fmt.Sprint("S", i*mortal), user(i*mortal)))
			}
			n.send(ctx, packet(acctStart, fmt.Sprint("N", i), fmt.Sprint("new", i)))
			if i >= 100 {
				n.send(ctx, packet(acctStop, fmt.Sprint("N", i-100), fmt.Sprint("new", i-100)))
			}
			live := (i*mortal + 1) % all
			n.send(ctx, packet(acctInterim, fmt.Sprint("S", live), user(live), func(p *layeh.Packet) error {
				return rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(i+1))
			}))
		})
	})
	walkCtx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	began, before := time.Now(), n.sent.Load()
	changes := before
	seen := rows(t, exec.CommandContext(walkCtx, "snmpbulkwalk", "-v2c", "-c", "public", "-t10", "-r2", "-Cr"+strconv.Itoa(perResponse), "-On", d.snmpd.Addr, strings.TrimSuffix(casnUserID, ".")), func() {
		for n.sent.Load() == changes && walkCtx.Err() == nil {
			time.Sleep(100 * time.Microsecond)
		}
		changes = n.sent.Load()
	})
	during := n.sent.Load() - before
	stop()
	load.Wait()
	t.Logf("%d rows in %v, %d changes meanwhile", len(seen), time.Since(began), during)
	if during < all/perResponse {
		t.Errorf("only %d changes during the walk", during) // the walk ended early
	}
	missing := 0
	for i := range all {
		if got := seen[user(i)]; got > 1 || got == 0 && i%mortal != 0 {
			if missing++; missing < 10 {
				t.Errorf("%s is seen %d times", user(i), got)
			}
		}
	}
}
