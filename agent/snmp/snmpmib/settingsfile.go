package snmpmib

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"aaasess/internal/atomicfile"
	"aaasess/mib"
)

// The file is text; values are quoted as in Go. Empty lines and comments are ignored. The first line
// is the format and the last one is "end", with a newline. So an empty file and one that was cut off
// anywhere are errors: they would forget what managers have SET.
//
//	format 2
//	# a comment
//	sysContact "noc@example.net"
//	snmpEnableAuthenTraps "2"
//	end
//
// Format 1 has a comment as its first line, and no last one: if it was cut at the end of a line, that
// cannot be noticed. So it is only read, and written again in format 2.
const (
	settingsFormat  = "format 2\n"
	settingsComment = "# Values that SNMP managers have SET (RFC 3418). A value in the configuration file goes first.\n"
	settingsEnd     = "end\n"
	maxSettingsFile = 16 << 10
)

// badSettings returns the error for a file that is wrong. It ends the daemon, so it says
// what to do.
func badSettings(why error) error {
	return fmt.Errorf("snmpmib: settings: %w; mend the file, or delete it: then what managers have SET is forgotten", why)
}

// readSettings reads a file; a missing one has no values. old means that the file has format 1.
func readSettings(name string) (s settings, old bool, err error) {
	text, err := atomicfile.Read(name, maxSettingsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, false, nil
	}
	if errors.Is(err, atomicfile.ErrUnfit) {
		return nil, false, badSettings(err)
	}
	if err != nil {
		return nil, false, fmt.Errorf("snmpmib: settings: %w", err)
	}
	s, old, err = parseSettings(string(text))
	if err != nil {
		return nil, false, badSettings(fmt.Errorf("%s: %w", name, err))
	}
	return s, old, nil
}

// parseSettings parses the content of a file. old means that it has format 1.
func parseSettings(text string) (s settings, old bool, err error) {
	old = strings.HasPrefix(text, "#")
	if !old && !strings.HasPrefix(text, "format ") {
		return nil, false, errors.New("the first line is not a format")
	}
	if !strings.HasSuffix(text, "\n") {
		return nil, false, errors.New("the last line has no newline: the file is truncated")
	}
	if !old {
		body, ok := strings.CutPrefix(text, settingsFormat)
		if !ok {
			first, _, _ := strings.Cut(text, "\n")
			return nil, false, fmt.Errorf("%q is not a format that this version knows", first)
		}
		if text, ok = strings.CutSuffix("\n"+body, "\n"+settingsEnd); !ok {
			return nil, false, errors.New(`the last line is not "end": the file is truncated`)
		}
	}
	s = settings{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := s.parseLine(line); err != nil {
			return nil, false, err
		}
	}
	return s, old, nil
}

// parseLine adds the value of a line. It accepts only what a SET accepts too.
func (s settings) parseLine(line string) error {
	object, quoted, _ := strings.Cut(line, " ")
	value, err := strconv.Unquote(quoted)
	if err != nil {
		return fmt.Errorf("line %q has no quoted value", line)
	}
	var v mib.Value
	switch object {
	case sysContact, sysName, sysLocation:
		v.SetOctets(value)
	case snmpEnableAuthenTraps:
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%s is %q, want 1 or 2", object, value)
		}
		v.SetInteger32(int32(n))
	default:
		return fmt.Errorf("unknown object %q", object)
	}
	if status := checkSetting(object, &v); status != mib.NoError {
		return fmt.Errorf("%s is %q: %s", object, value, status)
	}
	if _, twice := s[object]; twice {
		return fmt.Errorf("%s has two values", object)
	}
	s[object] = encodeSetting(&v)
	return nil
}

// encodeSetting returns a checked value as settings and their file have it.
func encodeSetting(v *mib.Value) string {
	if v.Type == mib.Integer32 {
		return strconv.Itoa(int(v.Int32()))
	}
	return v.Str
}

// text returns the content of the file.
func (s settings) text() []byte {
	b := []byte(settingsFormat + settingsComment)
	for _, object := range slices.Sorted(maps.Keys(s)) {
		b = fmt.Appendf(b, "%s %q\n", object, s[object])
	}
	return append(b, settingsEnd...)
}
