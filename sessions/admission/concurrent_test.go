package admission

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestConcurrent: the relay, the listener of accounting, SNMP and Run work at the same time. In the end no
// login is left, and each number that was told is that of one session.
func TestConcurrent(t *testing.T) {
	const users, workers = 100, 4
	timed(t, Config{IncludeInAccessReq: true, PopulateAtSetup: true, Max: users * workers}, func(s *stand) {
		s.run()
		var wg sync.WaitGroup
		var mu sync.Mutex
		told := map[string]string{}
		for w := range workers {
			wg.Go(func() {
				for i := range users {
					user := fmt.Sprint("user", w, "-", i)
					line := []any{radius.CallingStationID, user, radius.NASPort, i}
					q := loginAt(nas1, user, line...)
					name := s.Ask(q).SessionID
					if again := s.Ask(q).SessionID; again != name {
						t.Errorf("%s was told %q and %q", user, name, again)
					}
					ev := sessions.Event{Type: sessions.Start, NAS: nas1, Kind: sessions.Network, AcctSessionID: user, At: time.Now(), Attrs: attrs(radius.UserName, user, radius.AcctSessionID, user) + attrs(line...)}
					var both sync.WaitGroup
					both.Go(func() { s.Accept(q, attrs(radius.Class, user)) })
					both.Go(func() {
						if err := s.table.Apply(ev, nil); err != nil {
							t.Error(err)
						}
					})
					both.Wait()
					_ = s.table.View().EntryFrom(1)
					mu.Lock()
					told[name] = user
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		s.settle()
		v := s.table.View()
		for is := range v.All() {
			if told[is.Name()] != is.User() || is.Granted().Text(radius.Class) != is.User() {
				t.Errorf("session %s of %s: servers were told it is of %q, and it was granted %s", is.Name(), is.User(), told[is.Name()], show(is.Granted()))
			}
		}
		if st := s.Stats(); v.Len() != users*workers || v.Entries() != v.Len() || int(v.Total) != v.Len() || st.Waiting != 0 {
			t.Errorf("%d sessions, %d rows, %d in all; %+v", v.Len(), v.Entries(), v.Total, st)
		}
	})
}
