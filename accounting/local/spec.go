package local

import (
	"log/slog"
	"reflect"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// Spec is the configuration of the file, an [accounting.Spec].
type Spec struct {
	File  string                    // its path
	Names func() *radius.Dictionary // names of attributes in the file
	// AcctOnOff has the lines that it gets as Accounting-On and -Off; nil: none.
	AcctOnOff *accounting.OnOff
}

var _ accounting.Spec = Spec{}

// Name returns [accounting.Local].
func (s Spec) Name() accounting.MethodName { return accounting.Local }

// Equal reports whether other is the same file with the same Accounting-On and -Off.
func (s Spec) Equal(other accounting.Spec) bool {
	return s.isFile(other) && reflect.DeepEqual(s.AcctOnOff, other.OnOff())
}

// isFile reports whether other is the same file.
func (s Spec) isFile(other accounting.Spec) bool {
	o, ok := other.(Spec)
	return ok && s.File == o.File
}

// Delivery returns the default.
func (s Spec) Delivery() accounting.MethodConfig { return accounting.MethodConfig{} }

// Hosts returns nil: a file has no servers.
func (s Spec) Hosts() []string { return nil }

// OnOff returns AcctOnOff.
func (s Spec) OnOff() *accounting.OnOff { return s.AcctOnOff }

// Open opens the file. A file gives no late answers, so the callback is not used.
func (s Spec) Open(_ func(), log *slog.Logger) (*accounting.Opened, error) {
	w, err := Open(s.File, s.Names, log)
	if err != nil {
		return nil, err
	}
	return &accounting.Opened{
		Method: w, Run: w.Run, Ready: w.Ready(), Announce: w.Announce, Reconfigure: s.reconfigure, Reopen: w.Reopen,
	}, nil
}

// reconfigure prepares a change of the Accounting-On and -Off. Two Writers of one file could cut off
// each other's lines, so the Writer stays.
func (s Spec) reconfigure(spec accounting.Spec) (apply func(), err error) {
	if !s.isFile(spec) {
		return nil, nil
	}
	return func() {}, nil
}
