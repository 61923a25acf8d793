package cas

import (
	"testing"
	"time"

	"aaasess/internal/servers"
)

// TestRowIsNeverGone: a manager that reads while another one activates a row, or while an activation is
// undone, finds the row before or after that, whatever the reader is doing at that moment.
func TestRowIsNeverGone(t *testing.T) {
	const status = "casConfigRowStatus.2.7"
	// begin brings a row to its activation, and returns the change that follows while a manager reads.
	for name, begin := range map[string]func(t *testing.T, d *daemon) (change func() error){
		"activation": func(t *testing.T, d *daemon) func() error {
			return d.test(t, status+"=1").Commit
		},
		"undo of the activation": func(t *testing.T, d *daemon) func() error {
			set := d.test(t, status+"=1")
			if err := set.Commit(); err != nil {
				t.Fatal(err)
			}
			return set.Undo
		},
	} {
		for when, hook := range map[string]func(d *daemon, change func()){
			"after the View was read": func(d *daemon, change func()) {
				view := d.mod.View
				d.mod.View = func() *servers.View { v := view(); change(); return v }
			},
			"after the servers have changed": func(d *daemon, _ func()) {
				read := func(err error) error {
					if got := d.get(status); err == nil && got != "1" && got != "2" {
						t.Errorf("during the change the status is %s", got)
					}
					return err
				}
				d.mod.Apply = func(next servers.Overlay, _ time.Duration) error { return read(d.apply(next)) }
				d.mod.Restore = func(before servers.Overlay) error { return read(d.apply(before)) }
			},
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				d := newDaemon(t)
				d.must(t, status+"=5 casAddress.2.7=192.0.2.7")
				change := begin(t, d)
				changed := false
				once := func() {
					if changed {
						return
					}
					changed = true
					if err := change(); err != nil {
						t.Error(err)
					}
				}
				d.pass(time.Second)
				hook(d, once)
				if got := d.get(status); got != "1" && got != "2" {
					t.Errorf("the status is %s", got)
				}
				once()
			})
		}
	}
}
