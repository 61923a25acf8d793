package snmpmib

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"aaasess/mib"
)

// begin tests and commits a SET that another part of its request may still fail.
func (f *fixture) begin(t *testing.T, vbs ...mib.Varbind) *mib.Set {
	t.Helper()
	set, err := f.tree.Test(vbs)
	if err == nil {
		err = set.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestSettingsUndoBesides: SETs that are undone while others are in progress. A value that was
// acknowledged stays, even if the SET that is undone had the same one; a value that was not never
// comes back.
func TestSettingsUndoBesides(t *testing.T) {
	end := func(t *testing.T, undo bool, set *mib.Set) {
		t.Helper()
		if !undo {
			set.Cleanup()
		} else if err := set.Undo(); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name          string
		first, second string
		undo          [2]bool
		secondFirst   bool // the second one ends first
		want          string
	}{
		{"the same value, the first is undone", "x", "x", [2]bool{true, false}, true, "x"},
		{"the same value, the first is undone before the second is final", "x", "x", [2]bool{true, false}, false, "x"},
		{"both are undone, in order", "aaa", "bbb", [2]bool{true, true}, false, "orig"},
		{"both are undone, the second first", "aaa", "bbb", [2]bool{true, true}, true, "orig"},
		{"the second is undone", "aaa", "bbb", [2]bool{false, true}, false, "aaa"},
		{"the second is undone first", "aaa", "bbb", [2]bool{false, true}, true, "aaa"},
		{"both are final, the second first", "aaa", "bbb", [2]bool{}, true, "bbb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, file := withSettings(t)
			if err := f.set(text(contactName, "orig")); err != nil {
				t.Fatal(err)
			}
			a, b := f.begin(t, text(contactName, tt.first)), f.begin(t, text(contactName, tt.second))
			if tt.secondFirst {
				end(t, tt.undo[1], b)
				end(t, tt.undo[0], a)
			} else {
				end(t, tt.undo[0], a)
				end(t, tt.undo[1], b)
			}
			want := fmt.Sprintf(`%q "host" "rack 1" 2`, tt.want)
			if got := f.values(t); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			f.openSettings(t, file)
			if got := f.values(t); got != want {
				t.Errorf("after a restart %s, want %s", got, want)
			}
		})
	}
}

// TestSettingsInterleaved: any SETs, which are committed, undone and cleaned up in any order. Readers
// and the file always have the value that was committed last and is not undone. So in the end they
// have the newest one that was acknowledged.
func TestSettingsInterleaved(t *testing.T) {
	objects := []string{sysContact, sysName}
	file := filepath.Join(t.TempDir(), "settings")
	rapid.Check(t, func(t *rapid.T) {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		s, err := OpenSettings(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		var committed []*settingsChange // without those that were undone
		var open []*settingsChange
		begin := func(t *rapid.T) {
			c := &settingsChange{settings: s, next: rapid.MapOfN(rapid.SampledFrom(objects), rapid.StringMatching("[ab]"), 1, 2).Draw(t, "values")}
			if err := c.Commit(); err != nil {
				t.Fatal(err)
			}
			committed, open = append(committed, c), append(open, c)
		}
		end := func(t *rapid.T, undo bool) {
			if len(open) == 0 {
				t.Skip("nothing is in progress")
			}
			i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
			c := open[i]
			open = append(open[:i:i], open[i+1:]...)
			if !undo {
				c.Cleanup()
				return
			}
			if err := c.Undo(); err != nil {
				t.Fatal(err)
			}
			for i, other := range committed {
				if other == c {
					committed = append(committed[:i:i], committed[i+1:]...)
					break
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit":  begin,
			"undo":    func(t *rapid.T) { end(t, true) },
			"cleanup": func(t *rapid.T) { end(t, false) },
			"": func(t *rapid.T) {
				want := settings{}
				for _, c := range committed {
					maps.Copy(want, c.next)
				}
				inFile, _, err := readSettings(file)
				if got := *s.kept.Load(); err != nil || !maps.Equal(got, want) || !maps.Equal(inFile, want) {
					t.Fatalf("readers have %q, the file %q, want %q; %v", got, inFile, want, err)
				}
				if len(open) == 0 && (len(s.changes) > 0 || !maps.Equal(s.final, want)) {
					t.Fatalf("%d changes are kept, final is %q, want %q", len(s.changes), s.final, want)
				}
			},
		})
	})
}
