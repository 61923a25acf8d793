package usm

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"aaasess/internal/atomicfile"
)

// engineState is the content of the engine's file. Without a file the id is nil and boots are 0.
type engineState struct {
	id    []byte
	boots int32
}

// The file is text:
//
//	# a comment
//	engineID 80007ed905...
//	boots 17
const (
	engineComment = "# The state of this SNMP engine (RFC 3414 section 2.2). Without this file the engine gets a new id.\n"
	idKey         = "engineID"
	bootsKey      = "boots"
	maxEngineFile = 4096
)

func readEngineFile(name string) (engineState, error) {
	text, err := atomicfile.Read(name, maxEngineFile)
	if errors.Is(err, fs.ErrNotExist) {
		return engineState{}, nil
	}
	if err != nil {
		return engineState{}, fmt.Errorf("usm: engine: %w", err)
	}
	s, err := parseEngineState(string(text))
	if err != nil {
		return engineState{}, fmt.Errorf("usm: engine: %s: %w", name, err)
	}
	return s, nil
}

// parseEngineState is strict: with a wrong id no key is valid, and with too small boots old
// messages would be accepted again.
func parseEngineState(text string) (engineState, error) {
	var s engineState
	if !strings.HasSuffix(text, "\n") {
		return s, errors.New("the last line has no newline")
	}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		if seen[key] {
			return s, fmt.Errorf("%q is configured twice", key)
		}
		seen[key] = true
		switch key {
		case idKey:
			id, err := hex.DecodeString(value)
			if err != nil {
				return s, fmt.Errorf("%s: %w", idKey, err)
			}
			if err := checkEngineID(id); err != nil {
				return s, err
			}
			s.id = id
		case bootsKey:
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil || n == 0 {
				return s, fmt.Errorf("%s is %q, want a number from 1 to 2147483647", bootsKey, value)
			}
			s.boots = int32(n)
		default:
			return s, fmt.Errorf("unknown line %q", line)
		}
	}
	if !seen[idKey] || !seen[bootsKey] {
		return s, fmt.Errorf("needs both %s and %s", idKey, bootsKey)
	}
	return s, nil
}

func (s engineState) text() string {
	return fmt.Sprintf("%s%s %x\n%s %d\n", engineComment, idKey, s.id, bootsKey, s.boots)
}

// write replaces the file atomically: after a power cut it has the old or the new content.
func (s engineState) write(name string) error {
	if err := atomicfile.Replace(name, []byte(s.text())); err != nil {
		return fmt.Errorf("usm: engine: %w", err)
	}
	return nil
}
