package snmpmib

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"aaasess/mib"
)

// The file is text; values are quoted as in Go. Empty lines and comments are ignored. The first line
// is a comment and the last one has a newline, so an empty file and one that was cut off are errors:
// they would forget what managers have SET.
//
//	# a comment
//	sysContact "noc@example.net"
//	snmpEnableAuthenTraps "2"
const (
	settingsComment = "# Values that SNMP managers have SET (RFC 3418). A value in the configuration file goes first.\n"
	maxSettingsFile = 16 << 10
)

// readSettings reads a file; a missing one has no values.
func readSettings(name string) (settings, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("snmpmib: settings: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSettingsFile+1))
	if err != nil {
		return nil, fmt.Errorf("snmpmib: settings: %w", err)
	}
	if len(text) > maxSettingsFile {
		return nil, fmt.Errorf("snmpmib: settings: %s: longer than %d octets", name, maxSettingsFile)
	}
	s, err := parseSettings(string(text))
	if err != nil {
		return nil, fmt.Errorf("snmpmib: settings: %s: %w", name, err)
	}
	return s, nil
}

// parseSettings accepts only what a SET accepts too.
func parseSettings(text string) (settings, error) {
	if !strings.HasPrefix(text, "#") {
		return nil, errors.New("the first line is not a comment")
	}
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("the last line has no newline")
	}
	s := settings{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		object, quoted, _ := strings.Cut(line, " ")
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("line %q has no quoted value", line)
		}
		var v mib.Value
		switch object {
		case sysContact, sysName, sysLocation:
			v.SetOctets(value)
		case snmpEnableAuthenTraps:
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("%s is %q, want 1 or 2", object, value)
			}
			v.SetInteger32(int32(n))
		default:
			return nil, fmt.Errorf("unknown object %q", object)
		}
		if status := checkSetting(object, &v); status != mib.NoError {
			return nil, fmt.Errorf("%s is %q: %s", object, value, status)
		}
		if _, twice := s[object]; twice {
			return nil, fmt.Errorf("%s has two values", object)
		}
		s[object] = encodeSetting(&v)
	}
	return s, nil
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
	b := []byte(settingsComment)
	for _, object := range slices.Sorted(maps.Keys(s)) {
		b = fmt.Appendf(b, "%s %q\n", object, s[object])
	}
	return b
}
