package local

import (
	"log/slog"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// Spec is the file as the configuration has it: an [accounting.Spec].
type Spec struct {
	File  string                    // its path
	Names func() *radius.Dictionary // by which a record is written
}

var _ accounting.Spec = Spec{}

// Name is [accounting.Local].
func (s Spec) Name() accounting.MethodName { return accounting.Local }

// Equal reports whether other is the same file.
func (s Spec) Equal(other accounting.Spec) bool {
	o, ok := other.(Spec)
	return ok && s.File == o.File
}

// Delivery is the default.
func (s Spec) Delivery() accounting.MethodConfig { return accounting.MethodConfig{} }

// OnOff is nil: nobody reads the file at once.
func (s Spec) OnOff() *accounting.OnOff { return nil }

// Open opens the file. Nobody is heard late.
func (s Spec) Open(_ func(), log *slog.Logger) (*accounting.Opened, error) {
	w, err := Open(s.File, s.Names, log)
	if err != nil {
		return nil, err
	}
	return &accounting.Opened{Method: w, Run: w.Run, Ready: w.Ready(), Reopen: w.Reopen}, nil
}
