package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminalLimit is how long a test waits for an output.
const terminalLimit = time.Minute

// terminal is a terminal in which a program runs.
type terminal struct {
	t    *testing.T
	pty  *os.File // the end of the terminal
	tty  *os.File // the end of the program
	cmd  *exec.Cmd
	done chan error // the program's end

	mu      sync.Mutex
	screen  *vt.Emulator
	raw     bytes.Buffer  // all that the program has written
	changed chan struct{} // closed at the next output
	before  unix.Termios  // the modes before the program began
}

// openTerminal runs the command line in a terminal. env has further variables.
func openTerminal(t *testing.T, columns, rows uint16, env []string, args ...string) *terminal {
	t.Helper()
	return runTerminal(t, columns, rows, env, exec.Command(program(t), args...))
}

// openShell runs a shell with job control in a terminal, and waits for its prompt: keys before it would
// leave a prompt without a command on the screen, which a later prompts takes for its own.
func openShell(t *testing.T, env []string) *terminal {
	t.Helper()
	term := runTerminal(t, 80, 24, append(env, "PS1=ready> "), exec.Command("/bin/sh", "-i"))
	term.prompts()
	return term
}

func runTerminal(t *testing.T, columns, rows uint16, env []string, cmd *exec.Cmd) *terminal {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{
		t: t, pty: master, tty: tty, cmd: cmd, done: make(chan error, 1),
		screen: vt.NewEmulator(int(columns), int(rows)), changed: make(chan struct{}),
	}
	answers := term.screen.InputPipe().(io.Closer) // the emulator's own Close races with its Read
	if err := pty.Setsize(master, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = tty, tty, tty
	term.cmd.Env = append([]string{"TERM=xterm-256color", "TZ=UTC", "HOME=" + t.TempDir()}, env...)
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	term.before = term.modes()
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { term.done <- term.cmd.Wait() })
	running.Go(term.read)
	running.Go(func() { _, _ = io.Copy(master, term.screen) }) // answers of the terminal
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill() // fails if it has ended
		_ = tty.Close()
		_ = master.Close()
		_ = answers.Close()
		running.Wait()
	})
	return term
}

// read shows what the program writes.
func (term *terminal) read() {
	b := make([]byte, 4096)
	for {
		n, err := term.pty.Read(b)
		term.mu.Lock()
		term.raw.Write(b[:n])
		_, _ = term.screen.Write(b[:n])
		close(term.changed)
		term.changed = make(chan struct{})
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// keys sends keys.
func (term *terminal) keys(keys string) {
	term.t.Helper()
	if _, err := term.pty.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// resize changes the size of the terminal.
func (term *terminal) resize(columns, rows uint16) {
	term.t.Helper()
	term.mu.Lock()
	term.screen.Resize(int(columns), int(rows))
	term.mu.Unlock()
	if err := pty.Setsize(term.pty, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		term.t.Fatal(err)
	}
}

// wait waits until a condition holds for the screen, and returns the screen. The condition may read
// term.screen.
func (term *terminal) wait(what string, is func(screen string) bool) string {
	term.t.Helper()
	limit := time.After(terminalLimit)
	for {
		term.mu.Lock()
		screen, changed := term.screen.String(), term.changed
		found := is(screen)
		term.mu.Unlock()
		if found {
			return screen
		}
		select {
		case <-changed:
		case <-limit:
			term.t.Fatalf("the screen never has %s:\n%s", what, screen)
		}
	}
}

// shows waits until the screen has all the texts. One that has spaces may be folded.
func (term *terminal) shows(texts ...string) string {
	term.t.Helper()
	return term.wait(strings.Join(texts, " and "), func(screen string) bool {
		folded := strings.Join(strings.Fields(screen), " ")
		for _, text := range texts {
			if !strings.Contains(screen, text) && !strings.Contains(folded, text) {
				return false
			}
		}
		return true
	})
}

// prompts waits until a shell has the terminal and prompts.
func (term *terminal) prompts() {
	term.t.Helper()
	term.wait("a prompt", func(screen string) bool {
		return !term.screen.IsAltScreen() && !term.screen.CursorHidden() && strings.HasSuffix(strings.TrimSpace(screen), "ready>")
	})
}

// hides waits until the screen does not have a text.
func (term *terminal) hides(text string) {
	term.t.Helper()
	term.wait("no "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

// written returns all that the program has written.
func (term *terminal) written() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.raw.String()
}

// modes returns the modes of the terminal, such as its echo.
func (term *terminal) modes() unix.Termios {
	term.t.Helper()
	modes, err := unix.IoctlGetTermios(int(term.tty.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return *modes
}

// end waits for the end of the program, and returns its exit code.
func (term *terminal) end() int {
	term.t.Helper()
	select {
	case err := <-term.done:
		term.done <- err
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			term.t.Fatal(err)
		}
		return 0
	case <-time.After(terminalLimit):
		term.t.Fatal("the program does not end")
	}
	return -1
}
