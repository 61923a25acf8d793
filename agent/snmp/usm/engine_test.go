package usm_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/usm"
)

func openEngine(t *testing.T, file string, id []byte, now func() time.Time) *usm.Engine {
	t.Helper()
	e, err := usm.OpenEngine(file, id, now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func wantBootsTime(t *testing.T, e *usm.Engine, boots, seconds int32) {
	t.Helper()
	if b, s := e.BootsTime(); b != boots || s != seconds {
		t.Errorf("boots %d, time %d, want %d and %d", b, s, boots, seconds)
	}
}

func TestEngineBoots(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine")
	now := (&clock{}).now
	first := openEngine(t, file, nil, now)
	wantBootsTime(t, first, 1, 0)
	id := first.ID()
	if len(id) != 17 || !bytes.HasPrefix(id, unhex("80007ed905")) {
		t.Errorf("id %x is not of RFC 3411's format 5 with enterprise 32473", id)
	}
	second := openEngine(t, file, nil, now)
	wantBootsTime(t, second, 2, 0)
	third := openEngine(t, file, id, now)
	wantBootsTime(t, third, 3, 0)
	if !bytes.Equal(second.ID(), id) || !bytes.Equal(third.ID(), id) {
		t.Errorf("id %x became %x and %x", id, second.ID(), third.ID())
	}
	other := openEngine(t, file, testEngineID, now)
	wantBootsTime(t, other, 1, 0)
	again := openEngine(t, file, nil, now)
	wantBootsTime(t, again, 2, 0)
	if !bytes.Equal(again.ID(), testEngineID) {
		t.Errorf("id %x, want the one that was given last", again.ID())
	}
	if another := openEngine(t, filepath.Join(t.TempDir(), "engine"), nil, now); bytes.Equal(another.ID(), id) {
		t.Errorf("two engines are called %x", id)
	}
}

func TestEngineFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine")
	openEngine(t, file, testEngineID, time.Now)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	want := []string{fmt.Sprintf("engineID %x", testEngineID), "boots 1", ""}
	if !strings.HasPrefix(lines[0], "# ") || !cmp.Equal(lines[1:], want) {
		t.Errorf("the file is\n%s", text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 1 {
		t.Errorf("in the folder are %v, %v", names, err)
	}
}

// TestEngineFileLeftover: an unfinished file from before a power cut has no effect.
func TestEngineFileLeftover(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine")
	openEngine(t, file, testEngineID, time.Now)
	if err := os.WriteFile(file+".new", bytes.Repeat([]byte("rubbish"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	wantBootsTime(t, openEngine(t, file, nil, (&clock{}).now), 2, 0)
	wantBootsTime(t, openEngine(t, file, nil, (&clock{}).now), 3, 0)
}

func TestEngineFileCorrupt(t *testing.T) {
	const right = "engineID 80007ed90501020304050607\nboots 3\n"
	tests := []struct{ name, text, want string }{
		{"empty", "", "has no newline"},
		{"cut", right[:len(right)-1], "has no newline"},
		{"zeros", strings.Repeat("\x00", 60), "has no newline"},
		{"no boots", "engineID 80007ed90501020304050607\n", "needs both"},
		{"no id", "boots 3\n", "needs both"},
		{"only a comment", "# nothing\n", "needs both"},
		{"boots twice", right + "boots 4\n", `"boots" is configured twice`},
		{"id twice", right + "engineID 80007ed90501020304050608\n", "is configured twice"},
		{"boots 0", strings.Replace(right, "3\n", "0\n", 1), `boots is "0"`},
		{"negative boots", strings.Replace(right, "boots 3", "boots -3", 1), `boots is "-3"`},
		{"too many boots", strings.Replace(right, "boots 3", "boots 2147483648", 1), `boots is "2147483648"`},
		{"no number", strings.Replace(right, "boots 3", "boots three", 1), `boots is "three"`},
		{"a word more", strings.Replace(right, "boots 3", "boots 3 4", 1), `boots is "3 4"`},
		{"carriage returns", strings.ReplaceAll(right, "\n", "\r\n"), "engineID"},
		{"id not hexadecimal", strings.Replace(right, "8000", "80xx", 1), "engineID"},
		{"id too short", "engineID 80007ed9\nboots 3\n", "5 to 32"},
		{"id too long", "engineID " + strings.Repeat("80", 33) + "\nboots 3\n", "5 to 32"},
		{"id of zeros", "engineID 0000000000\nboots 3\n", "all octets of the engine id are 0x0"},
		{"another line", right + "password secret\n", `line "password secret"`},
		{"an empty line", right + "\n", `line ""`},
		{"too long", right + strings.Repeat("# long\n", 1000), "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "engine")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := usm.OpenEngine(file, nil, time.Now)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("%v, want %q and the file's name", err, tt.want)
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != tt.text {
				t.Errorf("the file became %q, %v", after, err)
			}
		})
	}
}

func TestEngineErrors(t *testing.T) {
	dir := t.TempDir()
	for _, id := range [][]byte{{}, unhex("80007ed9"), bytes.Repeat([]byte{0xff}, 5), bytes.Repeat([]byte{1}, 33)} {
		if _, err := usm.OpenEngine(filepath.Join(dir, "engine"), id, time.Now); err == nil {
			t.Errorf("id %x is taken", id)
		}
	}
	if names, _ := os.ReadDir(dir); len(names) > 0 {
		t.Errorf("refused, but there is %v", names)
	}
	for _, file := range []string{dir, filepath.Join(dir, "missing", "engine")} {
		if _, err := usm.OpenEngine(file, testEngineID, time.Now); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestEngineBootsLatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine")
	text := fmt.Sprintf("engineID %x\nboots %d\n", testEngineID, math.MaxInt32-1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	for range 3 {
		wantBootsTime(t, openEngine(t, file, nil, c.now), math.MaxInt32, 0)
	}
	wantBootsTime(t, openEngine(t, file, unhex("80007ed90501020304050608"), c.now), 1, 0)
}

func TestEngineTime(t *testing.T) {
	e, c := newEngine(t, 5, 0)
	steps := []struct {
		advance time.Duration
		seconds int32
	}{
		{0, 0},
		{999 * time.Millisecond, 0},
		{time.Millisecond, 1},
		{time.Hour, 3601},
		{-10 * time.Second, 3591},
		{-2 * time.Hour, 0}, // before the start time
		{2*time.Hour + 10*time.Second, 3601},
	}
	for _, s := range steps {
		c.advance(s.advance)
		wantBootsTime(t, e, 5, s.seconds)
		if up := e.UpTime(); up < 0 || int32(up/time.Second) != s.seconds {
			t.Errorf("up %s, want %d seconds", up, s.seconds)
		}
	}
}

// TestEngineTimeWraps: after 2^31-1 seconds the time restarts at 0, and boots is incremented, on
// disk too.
func TestEngineTimeWraps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine")
	c := &clock{}
	e := openEngine(t, file, testEngineID, c.now)
	c.advance(math.MaxInt32*time.Second + 999*time.Millisecond)
	wantBootsTime(t, e, 1, math.MaxInt32)
	c.advance(time.Millisecond)
	wantBootsTime(t, e, 2, 0)
	c.advance(77 * time.Second)
	wantBootsTime(t, e, 2, 77)
	if up := e.UpTime(); up != (math.MaxInt32+1+77)*time.Second {
		t.Errorf("up %s", up)
	}
	wantBootsTime(t, openEngine(t, file, nil, c.now), 3, 0)
	c.advance((math.MaxInt32 + 1) * time.Second)
	wantBootsTime(t, e, 3, 77)
}

// TestEngineTimeWrapsUnwritten: an engine that cannot store its boots sets them to the maximum,
// with which it accepts no message.
func TestEngineTimeWrapsUnwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	e := openEngine(t, filepath.Join(dir, "engine"), testEngineID, c.now)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c.advance((math.MaxInt32 + 3) * time.Second)
	wantBootsTime(t, e, usm.MaxBoots, 2)
}

// TestEngineWallClock: a wall clock that is changed by a day has no effect.
func TestEngineWallClock(t *testing.T) {
	start := time.Now()
	now := start
	e := openEngine(t, filepath.Join(t.TempDir(), "engine"), nil, func() time.Time { return now })
	for _, day := range []int64{+1, -1} {
		now = setWallClock(start.Add(42*time.Second), day*24*60*60)
		if apart := now.Round(0).Sub(start.Round(0)); apart.Abs() < 23*time.Hour {
			t.Fatalf("the wall clock moved by %s: the layout of time.Time has changed", apart)
		}
		wantBootsTime(t, e, 1, 42)
		if up := e.UpTime(); up != 42*time.Second {
			t.Errorf("up %s", up)
		}
	}
}

// setWallClock changes the wall clock seconds of t and keeps its monotonic reading. The seconds are
// bits 30 to 62 of the first word (see the comment of Time in package time).
func setWallClock(t time.Time, seconds int64) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) += uint64(seconds << 30)
	return t
}

// TestEngineShared: one of many goroutines detects that the time wraps.
func TestEngineShared(t *testing.T) {
	e, c := newEngine(t, 5, math.MaxInt32)
	done := make(chan [2]int32)
	for range 8 {
		go func() {
			for {
				if boots, seconds := e.BootsTime(); boots != 5 {
					done <- [2]int32{boots, seconds}
					return
				}
			}
		}()
	}
	c.advance(time.Second)
	for range 8 {
		if got := <-done; got != [2]int32{6, 0} {
			t.Errorf("boots and time %v", got)
		}
	}
}
