package sessions

import "fmt"

// Accepting is nil if an event would be taken now, else why not.
func (t *Table) Accepting() error {
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}
