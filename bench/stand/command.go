package stand

import (
	"io"

	"aaasess/bench/snmpclient"
)

// CommandOf is what this program does as a process of a measurement, nil if it is not one.
func CommandOf(args []string) func(args []string, out io.Writer) error {
	if len(args) == 0 {
		return nil
	}
	return map[string]func([]string, io.Writer) error{
		snmpclient.Command: snmpclient.Run, acknowledgeCommand: runAcknowledge, fillCommand: runFill,
	}[args[0]]
}
