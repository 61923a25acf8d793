package local

import (
	"log/slog"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// Spec is the configuration of the file, an [accounting.Spec].
type Spec struct {
	File  string                    // its path
	Names func() *radius.Dictionary // names of attributes in the file
}

var _ accounting.Spec = Spec{}

// Name returns [accounting.Local].
func (s Spec) Name() accounting.MethodName { return accounting.Local }

// Equal reports whether other is the same file.
func (s Spec) Equal(other accounting.Spec) bool {
	o, ok := other.(Spec)
	return ok && s.File == o.File
}

// Delivery returns the default.
func (s Spec) Delivery() accounting.MethodConfig { return accounting.MethodConfig{} }

// OnOff returns nil: a file needs no Accounting-On.
func (s Spec) OnOff() *accounting.OnOff { return nil }

// Open opens the file. A file gives no late answers, so the callback is not used.
func (s Spec) Open(_ func(), log *slog.Logger) (*accounting.Opened, error) {
	w, err := Open(s.File, s.Names, log)
	if err != nil {
		return nil, err
	}
	return &accounting.Opened{Method: w, Run: w.Run, Reopen: w.Reopen}, nil
}
