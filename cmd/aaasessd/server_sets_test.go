package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/mib"
	"aaasess/mib/cas"
)

// snmpSetSerialNo orders the SETs of managers.
const snmpSetSerialNo = "1.3.6.1.6.3.1.1.6.1.0"

// The first of the rows that the managers of TestManagersTogether change, and how many there are. The
// numbers of some are too large for an Integer32.
const (
	firstRow = 1<<31 - 3
	manyRows = 6
)

// rowSet is a SET of managers: what it does with rows, by index.
type rowSet struct {
	serial  int
	creates map[uint32]byte // the last octet of the address
	kills   map[uint32]bool
}

// drawSet returns a SET of some rows with random addresses.
func drawSet(serial int, rng *rand.Rand) (rowSet, []gosnmp.SnmpPDU) {
	s := rowSet{serial, map[uint32]byte{}, map[uint32]bool{}}
	vbs := []gosnmp.SnmpPDU{{Name: snmpSetSerialNo, Type: gosnmp.Integer, Value: serial}}
	for _, at := range rng.Perm(manyRows)[:1+rng.IntN(3)] {
		index := uint32(firstRow + at)
		if rng.IntN(2) == 0 {
			s.kills[index] = true
			vbs = append(vbs, destroyRow(index)...)
			continue
		}
		s.creates[index] = byte(1 + rng.IntN(manyRows))
		row := createRow(index)
		row[0].Value = fmt.Sprint("127.1.0.", s.creates[index])
		vbs = append(vbs, row...)
	}
	rng.Shuffle(len(vbs), func(i, j int) { vbs[i], vbs[j] = vbs[j], vbs[i] })
	return s, vbs
}

// replay returns the rows after SETs that succeeded, in the order of their snmpSetSerialNo. Each must have
// been allowed.
func replay(t *testing.T, sets []rowSet) map[uint32]byte {
	t.Helper()
	slices.SortFunc(sets, func(a, b rowSet) int { return a.serial - b.serial })
	rows := map[uint32]byte{}
	for i, s := range sets {
		if i > 0 && sets[i-1].serial == s.serial {
			t.Errorf("two SETs have the number %d", s.serial)
		}
		for index := range s.kills {
			delete(rows, index)
		}
		for index, addr := range s.creates {
			for other, used := range rows {
				if other == index || used == addr {
					t.Errorf("SET %d has created row %d at address %d, there are %v", s.serial, index, addr, rows)
				}
			}
			rows[index] = addr
		}
	}
	return rows
}

// TestManagersTogether: several managers create and destroy the same servers, with snmpSetSerialNo in each
// SET, during reloads and while NASes report. The table is what the SETs with noError say, in the order of
// their numbers; walks find each row whole and in order; no record is lost or overtakes another one.
func TestManagersTogether(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	text := writableConfig(t, 0, u)
	l := launch(t, text, environment{})
	port := l.d.snmp.responder.Addrs()[0].Port()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex // guards the following
	var sets []rowSet
	sessions := 0
	for m := range 3 {
		g, rng := operator(t, port), rand.New(rand.NewPCG(uint64(m), uint64(time.Now().UnixNano())))
		all.Go(func() {
			for ctx.Err() == nil {
				answer, err := g.Get([]string{snmpSetSerialNo})
				if err != nil {
					t.Error(err)
					return
				}
				s, vbs := drawSet(answer.Variables[0].Value.(int), rng)
				switch answer, err = g.Set(vbs); {
				case err != nil:
					t.Error(err)
					return
				case answer.Error == gosnmp.NoError:
					mu.Lock()
					sets = append(sets, s)
					mu.Unlock()
				case answer.Error != gosnmp.InconsistentValue && answer.Error != gosnmp.CommitFailed:
					t.Errorf("SET: %v", answer.Error)
				}
			}
		})
	}
	all.Go(func() { checkWalks(ctx, t, operator(t, port)) })
	all.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			id := fmt.Sprint("S", n)
			l.mustAccount(packet(acctStart, id, "alice"), packet(acctStop, id, "alice"))
			sessions++
		}
	})
	all.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			l.configure([]string{text, "broken"}[n%2])
			select {
			case l.hup <- os.Interrupt:
			case <-ctx.Done():
			}
		}
	})
	all.Wait()
	if len(sets) == 0 || sessions == 0 {
		t.Errorf("%d SETs, %d sessions", len(sets), sessions)
	}
	want := replay(t, sets)
	got := map[uint32]byte{}
	for _, c := range l.d.overlay().Created {
		octets := c.Addr.As4()
		got[c.Index] = octets[3]
	}
	if !maps.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
	l.checkServers(append([]string{"r0"}, l.createdNames()...)...)
	checkOrder(t, u, sessions)
}

// createdNames returns the names of the servers that managers have created.
func (l *inProcess) createdNames() (names []string) {
	for _, c := range l.d.overlay().Created {
		names = append(names, c.Name())
	}
	return names
}

// checkWalks walks both tables until ctx is done, and reads rows as a whole.
func checkWalks(ctx context.Context, t *testing.T, g *gosnmp.GoSNMP) {
	for ctx.Err() == nil {
		var last mib.OID
		err := g.BulkWalk(cas.Root.String(), func(v gosnmp.SnmpPDU) error {
			name := mib.MustOID(strings.TrimPrefix(v.Name, "."))
			if name.Compare(last) <= 0 {
				t.Errorf("%v after %v", name, last)
			}
			last = name
			return nil
		})
		if err != nil {
			t.Error(err)
			return
		}
		for at := range manyRows {
			var names []string
			for column := uint32(casAddress); column <= casConfigRowStatus; column++ {
				names = append(names, casCell(column, uint32(firstRow+at)))
			}
			answer, err := g.Get(names)
			if err != nil {
				t.Error(err)
				return
			}
			missing := 0
			for _, v := range answer.Variables {
				if v.Type == gosnmp.NoSuchInstance {
					missing++
				}
			}
			if missing != 0 && missing != len(names) {
				t.Errorf("a row has a part of its columns: %v", answer.Variables)
			}
		}
	}
}

// checkOrder checks that a server has all records of sessions, and a start before its stop.
func checkOrder(t *testing.T, u *upstream, sessions int) {
	t.Helper()
	eventually(t, "the server has all records", func() bool { return len(u.kinds()) == 2*sessions })
	first := map[string]int{}
	for i, what := range u.all() {
		if _, ok := first[what]; !ok {
			first[what] = i
		}
	}
	for n := range sessions {
		if start, stop := fmt.Sprintf("Start %08X", n+1), fmt.Sprintf("Stop %08X", n+1); first[start] > first[stop] {
			t.Errorf("%s came before %s", stop, start)
		}
	}
}
