package snmpmib

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
)

var (
	contactName  = systemRoot.Append(4, 0)
	nameName     = systemRoot.Append(5, 0)
	locationName = systemRoot.Append(6, 0)
	trapsName    = snmpRoot.Append(30, 0)
)

// withSettings returns the fixture with a file of settings, and that file's name.
func withSettings(t testing.TB) (*fixture, string) {
	t.Helper()
	f := newFixture(t)
	file := filepath.Join(t.TempDir(), "settings")
	f.openSettings(t, file)
	return f, file
}

// openSettings replaces the settings by those of the file, as a restart does.
func (f *fixture) openSettings(t testing.TB, file string) {
	t.Helper()
	s, err := OpenSettings(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.cfg.Settings = s
	f.tree = newTree(t, f.cfg)
}

func text(name mib.OID, value string) mib.Varbind {
	vb := mib.Varbind{Name: name}
	vb.Value.SetOctets(value)
	return vb
}

// set carries out a SET.
func (f *fixture) set(vbs ...mib.Varbind) error {
	set, err := f.tree.Test(vbs)
	if err == nil {
		err = set.Commit()
	}
	if err == nil {
		set.Cleanup()
	}
	return err
}

// values returns the four objects.
func (f *fixture) values(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"sysContact", "sysName", "sysLocation", "snmpEnableAuthenTraps"} {
		fmt.Fprint(&b, f.get(t, name, 0), " ")
	}
	return strings.TrimSpace(b.String())
}

const configured = `"ops" "host" "rack 1" 2`

// TestSettings: each SET, and the values before and after a restart.
func TestSettings(t *testing.T) {
	long := strings.Repeat("x", 255)
	tests := map[string]struct {
		vbs    []mib.Varbind
		status mib.ErrorStatus
		index  int
		want   string
	}{
		"contact":                {[]mib.Varbind{text(contactName, "noc")}, 0, 0, `"noc" "host" "rack 1" 2`},
		"name":                   {[]mib.Varbind{text(nameName, "other")}, 0, 0, `"ops" "other" "rack 1" 2`},
		"location":               {[]mib.Varbind{text(locationName, "rack 2")}, 0, 0, `"ops" "host" "rack 2" 2`},
		"traps":                  {[]mib.Varbind{integer(trapsName, 1)}, 0, 0, `"ops" "host" "rack 1" 1`},
		"the configured value":   {[]mib.Varbind{integer(trapsName, 2)}, 0, 0, configured},
		"all":                    {[]mib.Varbind{text(locationName, "c"), integer(trapsName, 1), text(contactName, "a"), text(nameName, "b")}, 0, 0, `"a" "b" "c" 1`},
		"empty":                  {[]mib.Varbind{text(contactName, "")}, 0, 0, `"" "host" "rack 1" 2`},
		"longest":                {[]mib.Varbind{text(contactName, long)}, 0, 0, `"` + long + `" "host" "rack 1" 2`},
		"longest, quoted":        {[]mib.Varbind{text(contactName, strings.Repeat("\x7f", 255)), text(nameName, strings.Repeat("\x01", 255)), text(locationName, strings.Repeat("\"", 255))}, 0, 0, `"` + strings.Repeat(`\x7f`, 255) + `" "` + strings.Repeat(`\x01`, 255) + `" "` + strings.Repeat(`\"`, 255) + `" 2`},
		"control characters":     {[]mib.Varbind{text(contactName, "a \"b\\\r\n# c\t")}, 0, 0, `"a \"b\\\r\n# c\t" "host" "rack 1" 2`},
		"twice, the last counts": {[]mib.Varbind{text(contactName, "a"), text(contactName, "b")}, 0, 0, `"b" "host" "rack 1" 2`},

		"too long":                     {[]mib.Varbind{text(contactName, long+"x")}, mib.WrongLength, 1, configured},
		"not ASCII":                    {[]mib.Varbind{text(contactName, "Zürich")}, mib.WrongValue, 1, configured},
		"NUL":                          {[]mib.Varbind{text(contactName, "a\x00b")}, mib.WrongValue, 1, configured},
		"a number":                     {[]mib.Varbind{integer(contactName, 5)}, mib.WrongType, 1, configured},
		"another instance":             {[]mib.Varbind{text(systemRoot.Append(4, 1), "a")}, mib.NoCreation, 1, configured},
		"no instance":                  {[]mib.Varbind{text(systemRoot.Append(4), "a")}, mib.NoCreation, 1, configured},
		"a longer instance":            {[]mib.Varbind{text(contactName.Append(0), "a")}, mib.NoCreation, 1, configured},
		"traps 0":                      {[]mib.Varbind{integer(trapsName, 0)}, mib.WrongValue, 1, configured},
		"traps 3":                      {[]mib.Varbind{integer(trapsName, 3)}, mib.WrongValue, 1, configured},
		"traps -1":                     {[]mib.Varbind{integer(trapsName, -1)}, mib.WrongValue, 1, configured},
		"traps as text":                {[]mib.Varbind{text(trapsName, "1")}, mib.WrongType, 1, configured},
		"another instance of traps":    {[]mib.Varbind{integer(snmpRoot.Append(30, 1), 1)}, mib.NoCreation, 1, configured},
		"good and bad":                 {[]mib.Varbind{text(contactName, "a"), integer(trapsName, 3)}, mib.WrongValue, 2, configured},
		"good and read-only":           {[]mib.Varbind{text(contactName, "a"), text(systemRoot.Append(1, 0), "a")}, mib.NotWritable, 2, configured},
		"twice, the first one is bad":  {[]mib.Varbind{text(contactName, "\xff"), text(contactName, "b")}, mib.WrongValue, 1, configured},
		"a read-only one of the group": {[]mib.Varbind{integer(snmpRoot.Append(31, 0), 1)}, mib.NotWritable, 1, configured},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, file := withSettings(t)
			err := f.set(tt.vbs...)
			if tt.status != mib.NoError {
				wantSetError(t, err, tt.status, tt.index)
			} else if err != nil {
				t.Fatal(err)
			}
			if got := f.values(t); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			f.openSettings(t, file)
			if got := f.values(t); got != tt.want {
				t.Errorf("after a restart %s, want %s", got, tt.want)
			}
		})
	}
}

// TestFixed: a value that the configuration gives is notWritable and goes before one that was SET.
// Without it, the SET value is back.
func TestFixed(t *testing.T) {
	f, _ := withSettings(t)
	if err := f.set(text(contactName, "noc"), text(locationName, "rack 2"), integer(trapsName, 1)); err != nil {
		t.Fatal(err)
	}
	free := f.system
	fixed := *free
	fixed.Fixed = []string{"sysContact", "snmpEnableAuthenTraps"}
	f.system = &fixed
	if got, want := f.values(t), `"ops" "host" "rack 2" 2`; got != want || f.cfg.Settings.AuthenTraps(f.system) {
		t.Errorf("%s, want %s", got, want)
	}
	wantSetError(t, f.set(text(contactName, "a")), mib.NotWritable, 1)
	wantSetError(t, f.set(text(nameName, "a"), integer(trapsName, 1)), mib.NotWritable, 2)
	wantSetError(t, f.set(text(contactName.Append(9), "a")), mib.NotWritable, 1)
	if err := f.set(text(nameName, "other")); err != nil {
		t.Error(err)
	}
	f.system = free
	if got, want := f.values(t), `"noc" "other" "rack 2" 1`; got != want || !f.cfg.Settings.AuthenTraps(f.system) {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestSettingsUndo: if another part of a SET fails, the values are those of before, in the file too.
func TestSettingsUndo(t *testing.T) {
	f, file := withSettings(t)
	if err := f.set(text(contactName, "noc")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set, err := f.tree.Test([]mib.Varbind{text(contactName, "a"), text(nameName, "b"), integer(trapsName, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, want := f.values(t), `"a" "b" "rack 1" 1`; got != want {
		t.Errorf("committed: %s, want %s", got, want)
	}
	if err := set.Undo(); err != nil {
		t.Fatal(err)
	}
	if got, want := f.values(t), `"noc" "host" "rack 1" 2`; got != want {
		t.Errorf("undone: %s, want %s", got, want)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was\n%s and is\n%s, %v", before, after, err)
	}
}

// TestSettingsUndoLate: an undo leaves a value that another request has SET since.
func TestSettingsUndoLate(t *testing.T) {
	f, _ := withSettings(t)
	set, err := f.tree.Test([]mib.Varbind{text(contactName, "a"), text(nameName, "b")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(set.Commit(), f.set(text(contactName, "later")), set.Undo()); err != nil {
		t.Fatal(err)
	}
	if got, want := f.values(t), `"later" "host" "rack 1" 2`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestSettingsDisk: a SET that the disk does not accept is commitFailed and changes nothing; an undo
// that it does not accept is undoFailed.
func TestSettingsDisk(t *testing.T) {
	f, file := withSettings(t)
	block := file + ".new" // a folder in place of the next file
	if err := os.Mkdir(block, 0o700); err != nil {
		t.Fatal(err)
	}
	wantSetError(t, f.set(integer(trapsName, 2), text(contactName, "a")), mib.CommitFailed, 2)
	if got := f.values(t); got != configured {
		t.Errorf("%s", got)
	}
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	set, err := f.tree.Test([]mib.Varbind{text(contactName, "a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(set.Commit(), os.Mkdir(block, 0o700)); err != nil {
		t.Fatal(err)
	}
	wantSetError(t, set.Undo(), mib.UndoFailed, 1)
	// What could not be undone is final: readers and the file agree, and later SETs build on it.
	if err := errors.Join(os.Remove(block), f.set(text(nameName, "b"))); err != nil {
		t.Fatal(err)
	}
	later, err := f.tree.Test([]mib.Varbind{text(contactName, "c")})
	if err == nil {
		err = errors.Join(later.Commit(), later.Undo())
	}
	if err != nil {
		t.Fatal(err)
	}
	const want = `"a" "b" "rack 1" 2`
	if got := f.values(t); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	f.openSettings(t, file)
	if got := f.values(t); got != want {
		t.Errorf("after a restart %s, want %s", got, want)
	}
}

// TestSettingsTogether: SETs at once lose nothing, in memory and in the file.
func TestSettingsTogether(t *testing.T) {
	f, file := withSettings(t)
	var wg sync.WaitGroup
	for i := range 20 {
		for _, name := range []mib.OID{contactName, nameName, locationName} {
			wg.Go(func() {
				if err := f.set(text(name, fmt.Sprint(i)), integer(trapsName, 1)); err != nil {
					t.Error(err)
				}
				f.tree.NewReader().Get(name, new(mib.Value))
			})
		}
	}
	wg.Wait()
	got := f.values(t)
	if strings.Contains(got, "ops") || strings.Contains(got, "host") || strings.Contains(got, "rack") || !strings.HasSuffix(got, " 1") {
		t.Errorf("%s", got)
	}
	f.openSettings(t, file)
	if again := f.values(t); again != got {
		t.Errorf("%s, after a restart %s", got, again)
	}
}

// TestSettingsUnchanged: a SET of the values that are there writes neither the file nor the log.
// After a write that failed, the file may have others, so it is written.
func TestSettingsUnchanged(t *testing.T) {
	f, file := withSettings(t)
	var log bytes.Buffer
	f.cfg.Settings.logger = slog.New(slog.NewTextHandler(&log, nil))
	check := func(written bool, vbs ...mib.Varbind) {
		t.Helper()
		before, _ := os.Stat(file)
		if err := f.set(vbs...); err != nil {
			t.Fatal(err)
		}
		if after, err := os.Stat(file); err != nil || os.SameFile(before, after) == written {
			t.Errorf("%v, written %t, want %t", err, !written, written)
		}
	}
	check(true, text(contactName, "a"), text(nameName, "b"))
	check(false, text(contactName, "a"))
	check(false, text(nameName, "b"), text(contactName, "a"))
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines:\n%s", n, &log)
	}
	block := file + ".new"
	if err := errors.Join(os.Mkdir(block, 0o700), os.WriteFile(filepath.Join(block, "x"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	wantSetError(t, f.set(text(contactName, "c")), mib.CommitFailed, 1)
	if err := os.RemoveAll(block); err != nil {
		t.Fatal(err)
	}
	check(true, text(contactName, "a"))
	check(false, text(contactName, "a"))
}

// TestSettingsLogThrottled: a sender that changes a value again and again gets a line a minute, and
// does not hide those of other senders and objects.
func TestSettingsLogThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := withSettings(t)
		var log bytes.Buffer
		f.cfg.Settings.logger = slog.New(slog.NewTextHandler(&log, nil))
		set := func(by string, vb mib.Varbind) {
			t.Helper()
			set, err := f.tree.TestBy(mib.Requester{Name: by, Address: "192.0.2.1:161"}, []mib.Varbind{vb})
			if err == nil {
				err = set.Commit()
			}
			if err != nil {
				t.Fatal(err)
			}
			set.Cleanup()
		}
		for i := range 100 {
			set("noc", text(contactName, fmt.Sprint(i)))
		}
		set("other", text(contactName, "x"))
		set("noc", text(nameName, "x"))
		time.Sleep(time.Minute)
		set("noc", text(contactName, "last"))
		var got []string
		for line := range strings.Lines(log.String()) {
			_, line, _ = strings.Cut(line, "SET\" ")
			line, _, _ = strings.Cut(line, " from=")
			got = append(got, line)
		}
		want := []string{"object=sysContact now=0 by=noc", "object=sysContact now=x by=other", "object=sysName now=x by=noc", "suppressed=99 object=sysContact now=last by=noc"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestSettingsLog: the log names object, value and sender of a SET, once it is final.
func TestSettingsLog(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	var err error
	if f.cfg.Settings, err = OpenSettings(filepath.Join(t.TempDir(), "settings"), slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	f.tree = newTree(t, f.cfg)
	set, err := f.tree.TestBy(mib.Requester{Name: "noc", Address: "192.0.2.1:161"}, []mib.Varbind{text(contactName, "a b")})
	if err == nil {
		err = set.Commit()
	}
	if err != nil || log.Len() > 0 {
		t.Fatalf("%v, log %q", err, log.String())
	}
	set.Cleanup()
	if !strings.HasSuffix(log.String(), "object=sysContact now=\"a b\" by=noc from=192.0.2.1:161\n") {
		t.Errorf("log %q", log.String())
	}
}
