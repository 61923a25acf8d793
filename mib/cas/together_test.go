package cas

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// TestTogether: many managers create, destroy and undo rows with few addresses and indexes at the
// same time, and one reads, which finds the rows in order. Apply is never called twice at a time,
// no address is active twice, and each SET succeeds or has an error of a conflict.
func TestTogether(t *testing.T) {
	d := newDaemon(t)
	var applying sync.Mutex
	apply := func(next servers.Overlay) error {
		if !applying.TryLock() {
			t.Error("Apply is called while another one is in progress")
			return errors.New("at once")
		}
		defer applying.Unlock()
		runtime.Gosched()
		seen := map[string]bool{}
		for _, c := range next.Created {
			if seen[c.Addr.String()] {
				t.Errorf("%s is active twice", c.Addr)
			}
			seen[c.Addr.String()] = true
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.overlay = next
		d.build()
		return nil
	}
	d.mod.Apply = func(next servers.Overlay, _ time.Duration) error { return apply(next) }
	d.mod.Restore = apply
	var managers sync.WaitGroup
	for m := range 8 {
		managers.Go(func() {
			for i := range 100 {
				index := 1 + (m+i)%5
				texts := []string{
					fmt.Sprintf("casConfigRowStatus.2.%d=4 casAddress.2.%d=192.0.2.%d", index, index, 1+i%3),
					fmt.Sprintf("casConfigRowStatus.2.%d=5 casAddress.2.%d=192.0.2.%d", index, index, 1+i%3),
					fmt.Sprintf("casConfigRowStatus.2.%d=1", index),
					fmt.Sprintf("casConfigRowStatus.2.%d=6", index),
				}
				set, err := d.tree.Test(assign(texts[(m*7+i)%4]))
				if err == nil {
					err = set.Commit()
				}
				switch got := statusOf(err); {
				case err != nil:
					if !strings.HasPrefix(got, "inconsistentValue ") && !strings.HasPrefix(got, "commitFailed ") {
						t.Errorf("SET: %v", err)
					}
				case i%3 == 0:
					if se, ok := errors.AsType[*mib.SetError](set.Undo()); ok && !errors.Is(se, errChanged) {
						t.Errorf("undo: %v", se)
					}
				default:
					set.Cleanup()
				}
			}
		})
	}
	stop, read := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		for {
			select {
			case <-stop:
				return
			default:
				d.walk(t, configEntry)
			}
		}
	}()
	managers.Wait()
	close(stop)
	<-read
}
