package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/control"
	"aaasess/store"
)

// TestReloadOfAGroupAtTheEnd: a reload that changes a group while the daemon ends does not keep it from
// that.
func TestReloadOfAGroupAtTheEnd(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	base := relayConfig(t, "isp", server)
	l := launch(t, base, outside{})
	load := l.d.load
	l.d.load = func() (*config.Config, error) {
		l.cancel()
		r := l.d.methods.running[accounting.Group("isp")]
		eventually(t, "the method is being ended", func() bool {
			l.d.methods.mu.Lock()
			defer l.d.methods.mu.Unlock()
			return r.over
		})
		return load()
	}
	l.configure(with(t, base, "name: isp,", "name: isp, window: 7,"))
	l.hup <- os.Interrupt
	if err := l.wait(); err != nil {
		t.Error(err)
	}
}

// TestMonitorsWait: a group that monitors another waits for its Accounting-On from the first moment, in
// whatever order the groups begin.
func TestMonitorsWait(t *testing.T) {
	for range 5 {
		one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
		one.setSilent(true)
		more := ""
		for i := range 40 {
			more += fmt.Sprintf("    - {name: x%d, servers: [r2]}\n", i)
		}
		l := launch(t, with(t, announcing(t, one, two, three, "three"), "    - {name: one,", more+"    - {name: one,"), outside{})
		l.mustAccount(packet(acctStart, "S1", "alice"))
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		l.start(outside{}) // with a record that waits
		eventually(t, "a round of the Accounting-On is over", func() bool {
			return strings.Contains(l.log.String(), "nobody answers the Accounting-On")
		})
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		if got := three.order(); len(got) > 0 {
			t.Fatalf("the group that monitors sent %q", got)
		}
	}
}

// TestStoreFailsWithoutGoodbye: a daemon whose store has failed ends at once, so that the next one can
// begin; no server that is silent delays it.
func TestStoreFailsWithoutGoodbye(t *testing.T) {
	one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	disk := store.NewDisk()
	text := with(t, announcing(t, one, two, three, "one"), "timeout: 100ms", "timeout: 30s")
	l := launch(t, text, outside{disk: disk})
	eventuallyOrder(t, "group two", two, "Accounting-On")
	eventuallyOrder(t, "group one", one, "Accounting-On")
	one.setSilent(true)
	two.setSilent(true)
	disk.Break(errors.New("broken"))
	_ = l.account(packet(acctStart, "S1", "alice"), 300*time.Millisecond)
	if err := l.wait(); !errors.Is(err, store.ErrFailed) { // it has less time than an Off
		t.Errorf("ended with %v", err)
	}
}

// TestReplayNobodyDelivers: a record is not replayed into a queue where no command would find it again.
func TestReplayNobodyDelivers(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	l := launch(t, relayConfig(t, "isp", server), outside{})
	data := accounting.AppendRecord(nil, &accounting.Record{Session: 7, Type: 1, At: time.Now(), List: "network/default"})
	done := make(chan error, 1)
	var c store.Change
	for _, from := range []string{"group/gone", "group/isp", "group/gone"} {
		refused := accounting.Refused{From: from, At: time.Now(), Reason: "a test", Data: data}
		c.Appends = append(c.Appends, store.Append{Queue: accounting.RefusedQueue, Data: accounting.AppendRefused(nil, &refused)})
	}
	l.d.store.Commit(c, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n, err := l.client().Replay(t.Context(), control.RecordsRequest{Seqs: []uint64{1, 2}}); err == nil || n != 0 || !strings.Contains(err.Error(), "group/gone") {
		t.Errorf("replayed %d: %v", n, err)
	}
	if n, err := l.client().Replay(t.Context(), control.RecordsRequest{All: true}); err != nil || n != 1 {
		t.Errorf("of all replayed %d: %v", n, err)
	}
	eventually(t, "it arrives", func() bool { return server.asked.Load() == 1 })
	if n, err := l.client().Drop(t.Context(), control.RecordsRequest{All: true}); err != nil || n != 2 {
		t.Errorf("dropped %d: %v", n, err)
	}
}
