package sessions

import "fmt"

// Accepting returns nil if the table accepts events now, else the reason.
func (t *Table) Accepting() error {
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}
