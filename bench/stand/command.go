package stand

import (
	"io"

	"aaasess/bench/snmpclient"
)

// CommandOf returns the function of a process of a measurement, or nil if the arguments are not
// those of such a process.
func CommandOf(args []string) func(args []string, out io.Writer) error {
	if len(args) == 0 {
		return nil
	}
	return map[string]func([]string, io.Writer) error{
		snmpclient.Command: snmpclient.Run, acknowledgeCommand: runAcknowledge, tacacsCommand: runTACACS, fillCommand: runFill,
	}[args[0]]
}
