package snmpmib

import (
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/atomicfile"
	"aaasess/internal/throttle"
	"aaasess/mib"
)

// The objects of SNMPv2-MIB that a SET can change.
const (
	sysContact            = "sysContact"
	sysName               = "sysName"
	sysLocation           = "sysLocation"
	snmpEnableAuthenTraps = "snmpEnableAuthenTraps"
)

// maxDisplayString is the size of the texts (RFC 3418 section 2), in octets.
const maxDisplayString = 255

// Settings are the values of sysContact, sysName, sysLocation and snmpEnableAuthenTraps that
// managers have SET. A file keeps them. A value that the configuration gives goes first: see
// [System.Fixed]. The methods may be called from any goroutine.
type Settings struct {
	file   string
	logger *slog.Logger
	lines  throttle.Lines[settingsLine]

	mu      sync.Mutex        // serializes changes, guards the fields up to kept; held while the file is written
	final   settings          // without the changes below
	changes []*settingsChange // committed, in this order; the first one can still be undone
	// mustRewrite says that the file may differ from kept, because the last write failed: the next
	// SET writes it, even if it changes nothing.
	mustRewrite bool

	kept atomic.Pointer[settings] // final with all changes, as in the file
}

// settingsLine is a kind of log line. The name of a sender is from the configuration, so there are
// few.
type settingsLine struct{ object, by string }

// settings are texts by the name of the object; snmpEnableAuthenTraps is "1" or "2". An object that
// nobody has SET is missing. A map does not change once it is stored in Settings.
type settings map[string]string

// OpenSettings reads the file; a missing one has no values, and is written at the next SET. A file of
// an older format is written again at once. The logger receives a line for each value that a SET has
// changed, at most one a minute for each object and sender; nil discards them.
func OpenSettings(file string, logger *slog.Logger) (*Settings, error) {
	kept, old, err := readSettings(file)
	if err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Settings{file: file, logger: logger, final: kept}
	s.kept.Store(&kept)
	if old {
		// The values are known, so a full disk is no reason not to start: the next SET writes the file.
		if err := atomicfile.Replace(file, kept.text()); err != nil {
			s.mustRewrite = true
			logger.Warn("snmp: the file of SET values could not be written in its new format", "file", file, "err", err)
		}
	}
	return s, nil
}

// get returns the value of an object that a manager has SET, unless the configuration fixes it. A
// nil Settings has none.
func (s *Settings) get(system *System, object string) (string, bool) {
	if s == nil || system.fixes(object) {
		return "", false
	}
	value, ok := (*s.kept.Load())[object]
	return value, ok
}

// text returns the current value of a text, which is configured unless a manager has SET it.
func (s *Settings) text(system *System, object, configured string) string {
	if value, ok := s.get(system, object); ok {
		return value
	}
	return configured
}

// AuthenTraps returns snmpEnableAuthenTraps: whether authenticationFailure notifications are
// enabled.
func (s *Settings) AuthenTraps(system *System) bool {
	if value, ok := s.get(system, snmpEnableAuthenTraps); ok {
		return value == strconv.Itoa(authenTrapsEnabled)
	}
	return system.AuthenTraps
}

// commit makes a change visible and durable. It can still be undone.
func (s *Settings) commit(c *settingsChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := append(slices.Clip(s.changes), c)
	if err := s.store(s.final.with(changes)); err != nil {
		return err
	}
	s.changes = changes
	return nil
}

// undo removes a committed change. Changes before and after it stay. If the disk does not accept
// that, the change stays too, and is final.
func (s *Settings) undo(c *settingsChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(s.changes), func(other *settingsChange) bool { return other == c })
	err := s.store(s.final.with(rest))
	if err != nil {
		c.final = true
	} else {
		s.changes = rest
	}
	s.fold()
	return err
}

// finish makes a committed change final. It returns the objects whose values differ from the final
// ones before.
func (s *Settings) finish(c *settingsChange) (changed []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	earlier := slices.DeleteFunc(slices.Clone(s.changes[:slices.Index(s.changes, c)]), func(c *settingsChange) bool { return !c.final })
	before := s.final.with(earlier)
	for _, object := range c.objects {
		if was, ok := before[object]; !ok || was != c.next[object] {
			changed = append(changed, object)
		}
	}
	c.final = true
	s.fold()
	return changed
}

// fold moves final changes to s.final. A final change behind one that can still be undone must
// wait: its values are the newer ones. The caller holds mu.
func (s *Settings) fold() {
	n := slices.IndexFunc(s.changes, func(c *settingsChange) bool { return !c.final })
	if n < 0 {
		n = len(s.changes)
	}
	s.final = s.final.with(s.changes[:n])
	s.changes = slices.Clone(s.changes[n:])
}

// with returns the values after changes, of which a later one goes first.
func (s settings) with(changes []*settingsChange) settings {
	s = maps.Clone(s)
	for _, c := range changes {
		maps.Copy(s, c.next)
	}
	return s
}

// store makes values durable, then visible. If that fails, nothing changes. Values that the file has
// already are not written again. The caller holds mu.
func (s *Settings) store(kept settings) error {
	if !s.mustRewrite && maps.Equal(kept, *s.kept.Load()) {
		return nil
	}
	err := atomicfile.Replace(s.file, kept.text())
	if s.mustRewrite = err != nil; s.mustRewrite {
		return err
	}
	s.kept.Store(&kept)
	return nil
}

// settingsWriter is the [mib.Writer] of the modules that have these objects.
type settingsWriter struct {
	settings *Settings
	system   func() *System
}

// newSettingsWriter returns a writer; nil, by which every SET is notWritable, if nothing keeps the
// values.
func newSettingsWriter(cfg Config) mib.Writer {
	if cfg.Settings == nil {
		return nil
	}
	return &settingsWriter{cfg.Settings, cfg.System}
}

// Writable reports whether the configuration leaves the object to managers.
func (w *settingsWriter) Writable(o mib.Def) bool { return !w.system().fixes(o.Name) }

// Test checks the values. The last one counts if a request has several for one object.
func (w *settingsWriter) Test(as []mib.Assignment) (mib.Change, error) {
	c := &settingsChange{settings: w.settings, next: settings{}, by: as[0].By, position: as[0].Position}
	for i := range as {
		a := &as[i]
		status := checkSetting(a.Object.Name, &a.Value)
		if status == mib.NoError && (len(a.Instance) != 1 || a.Instance[0] != 0) {
			status = mib.NoCreation
		}
		if status != mib.NoError {
			return nil, &mib.SetError{Status: status, Index: a.Position}
		}
		c.next[a.Object.Name] = encodeSetting(&a.Value)
	}
	c.objects = slices.Sorted(maps.Keys(c.next))
	return c, nil
}

// checkSetting checks a value of the right type (RFC 3416 section 4.2.5). A DisplayString has no
// octets above 127 (RFC 2579); snmpd refuses NUL too, and so do we.
func checkSetting(object string, v *mib.Value) mib.ErrorStatus {
	if object == snmpEnableAuthenTraps {
		if n := v.Int32(); n != authenTrapsEnabled && n != authenTrapsDisabled {
			return mib.WrongValue
		}
		return mib.NoError
	}
	if len(v.Str) > maxDisplayString {
		return mib.WrongLength
	}
	for i := range len(v.Str) {
		if v.Str[i] == 0 || v.Str[i] > 127 {
			return mib.WrongValue
		}
	}
	return mib.NoError
}

// settingsChange is a SET of some of the objects.
type settingsChange struct {
	settings *Settings
	objects  []string // whose values change, sorted
	next     settings
	final    bool // cannot be undone any more; guarded by settings.mu
	by       mib.Requester
	position int
}

// Commit makes the values durable. If the disk does not accept them, nothing changes.
func (c *settingsChange) Commit() error {
	if err := c.settings.commit(c); err != nil {
		return &mib.SetError{Status: mib.CommitFailed, Index: c.position, Err: err}
	}
	return nil
}

// Undo removes the values. What other requests have SET, before or since, stays or is back.
func (c *settingsChange) Undo() error {
	if err := c.settings.undo(c); err != nil {
		return &mib.SetError{Status: mib.UndoFailed, Index: c.position, Err: err}
	}
	return nil
}

// Cleanup makes the values final, and logs those that have changed: at most one line a minute for
// each object and sender.
func (c *settingsChange) Cleanup() {
	for _, object := range c.settings.finish(c) {
		line := c.settings.lines.Allow(settingsLine{object, c.by.Name}, time.Now())
		if !line.Write {
			continue
		}
		log := c.settings.logger
		if line.Suppressed > 0 {
			log = log.With("suppressed", line.Suppressed)
		}
		log.Info("snmp: value changed by a SET", "object", object, "now", c.next[object], "by", c.by.Name, "from", c.by.Address)
	}
}
