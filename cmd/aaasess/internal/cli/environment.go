package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Environment is the standard input and output and the environment variables of the process.
type Environment struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Terminal bool // In is a terminal, so a command may prompt
	// OutTerminal and ErrTerminal: Out and Err are terminals.
	OutTerminal, ErrTerminal bool

	Width int // columns of the terminal that Out is; 0: it is none
}

// IsTerminal reports whether a file is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// TerminalWidth returns the number of columns of a terminal; 0 if f is none, or does not tell it.
func TerminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// EventLayout is the layout of the times of what happens: on a terminal without the date.
func (g *Global) EventLayout() string {
	if g.Width > 0 {
		return "15:04:05.000"
	}
	return "2006-01-02T15:04:05.000Z07:00"
}
