package tacacs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
)

// Arguments is how records become arguments.
type Arguments struct {
	Ports      []PortRule
	Times      Times
	Attributes bool
	ResyncMark string
	Names      *radius.Dictionary
}

// Request returns a record as a request.
func (a *Arguments) Request(rec *accounting.Record, _ time.Time) tacacs.AcctRequest {
	return tacacs.AcctRequest{Flags: tacacs.AcctFlagStart, Args: []string{"task_id=" + rec.SessionName()}}
}

// Times says which records tell their times.
type Times uint8

// The records that tell their times.
const (
	TimesLate Times = iota
	TimesAlways
	TimesNever
)

// UnmarshalText parses the name of a Times.
func (t *Times) UnmarshalText(text []byte) error {
	i := slices.Index([]string{"late", "always", "never"}, string(text))
	if i < 0 {
		return errors.New("unknown times")
	}
	*t = Times(i)
	return nil
}

// PortRule gives ports of NASes the names of lines.
type PortRule struct {
	Types       []uint32
	First, Last uint32
	Text        string
}

// ErrPortRule is returned, wrapped, when a port cannot be named by a PortRule.
var ErrPortRule = errors.New("wrong rule for ports")

// Check returns nil if a rule has a name for every port that it matches.
func (r PortRule) Check() error {
	switch {
	case r.Text == "":
		return fmt.Errorf("%w: %q is not printable ASCII", ErrPortRule, r.Text)
	case strings.Count(r.Text, "%d") > 1 || strings.Count(r.Text, "%") > strings.Count(r.Text, "%d"):
		return fmt.Errorf("%w: %q has another %% than one %%d", ErrPortRule, r.Text)
	}
	return nil
}
