package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/internal/api"
	"aaasess/store"
)

// sendOthers starts a session every 50 ms, so that servers answer something. The function that it
// returns ends that.
func (l *inProcess) sendOthers() (end func()) {
	sending, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-sending:
				return
			case <-time.After(50 * time.Millisecond):
				_ = l.account(packet(acctStart, fmt.Sprint("O", i), "bob"), limit)
			}
		}
	}()
	return func() { close(sending); <-ended }
}

// awaitSetAside waits until a record is set aside.
func (l *inProcess) awaitSetAside() (list *api.SetAsideList) {
	l.t.Helper()
	eventually(l.t, "a record is set aside", func() bool {
		var err error
		if list, err = l.client().SetAside(l.t.Context(), 0, 10); err != nil {
			l.t.Fatal(err)
		}
		return len(list.Records) == 1
	}, &list)
	return list
}

// TestSetAside: a record that a server never answers while it answers others is set aside. It is
// shown, can be replayed, and does not delay other records.
func TestSetAside(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	u.ignore("Start 00000001")
	l := launch(t, with(t, relayConfig(t, "isp", u), "hold-down: 0s}", "hold-down: 0s, backoff: {max-delay: 1s, retry: 2}}",
		"min-free: 1MiB", "min-free: 1MiB, max-size: 64MiB"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStop, "S1", "alice"))
	end := l.sendOthers()
	a := l.awaitSetAside().Records[0]
	end()
	eventually(t, "the log has the number of the list", func() bool {
		return strings.Contains(l.log.String(), fmt.Sprintf("never answered and set aside; see \\\"aaasess spool list\\\"\" record=%d ", a.Seq))
	})
	if a.From != "group/isp" || a.Session != "00000001" || a.Type != "Start" || a.User != "alice" || a.Reason == "" {
		t.Errorf("set aside is %+v", a)
	}
	eventually(t, "the stop of its session", func() bool { return slices.Contains(u.kinds(), "Stop 00000001") })

	one, err := l.client().SetAsideRecord(t.Context(), a.Seq)
	if err != nil || !slices.Contains(one.Attributes, api.Attribute{Name: "User-Name", Value: "alice"}) {
		t.Errorf("its attributes are %+v, %v", one.Attributes, err)
	}
	u.ignore("")
	if n, err := l.client().Replay(t.Context(), api.RecordsRequest{Seqs: []uint64{a.Seq}}); err != nil || n != 1 {
		t.Errorf("replayed %d: %v", n, err)
	}
	eventually(t, "it arrives", func() bool { return slices.Contains(u.kinds(), "Start 00000001") })
	spool, err := l.client().Spool(t.Context())
	if err != nil || spool.SetAside != 0 || spool.Disk.Accepting != "yes" || spool.Disk.MaxSize != 64<<20 || len(spool.Queues) != 1 {
		t.Errorf("the spool is %+v, %v", spool, err)
	}
}

// TestReplayNobodyDelivers: a record is not replayed into a queue without a method.
func TestReplayNobodyDelivers(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	l := launch(t, relayConfig(t, "isp", server), environment{})
	data := accounting.AppendRecord(nil, &accounting.Record{Session: 7, Type: 1, At: time.Now(), List: "network/default"})
	done := make(chan error, 1)
	var c store.Change
	for _, from := range []string{"group/gone", "group/isp", "group/gone"} {
		entry := accounting.SetAsideEntry{From: from, At: time.Now(), Reason: "a test", Data: data}
		c.Appends = append(c.Appends, store.Append{Queue: accounting.SetAsideQueue, Data: accounting.AppendSetAsideEntry(nil, &entry)})
	}
	l.d.store.Commit(c, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n, err := l.client().Replay(t.Context(), api.RecordsRequest{Seqs: []uint64{1, 2}}); err == nil || n != 0 || !strings.Contains(err.Error(), "group/gone") {
		t.Errorf("replayed %d: %v", n, err)
	}
	if n, err := l.client().Replay(t.Context(), api.RecordsRequest{All: true}); err != nil || n != 1 {
		t.Errorf("of all replayed %d: %v", n, err)
	}
	eventually(t, "it arrives", func() bool { return server.asked.Load() == 1 })
	if n, err := l.client().Drop(t.Context(), api.RecordsRequest{All: true}); err != nil || n != 2 {
		t.Errorf("dropped %d: %v", n, err)
	}
}
