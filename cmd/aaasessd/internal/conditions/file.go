package conditions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"aaasess/internal/atomicfile"
)

// version is that of the file's format.
const version = 1

// maxFile is the largest file that is read, in octets: some thousand methods.
const maxFile = 1 << 20

// Damaged is what the name of a file that cannot be read gets at its end.
const Damaged = ".damaged"

// file is the content of the file: the bad states that managers were told.
type file struct {
	Version int    `json:"version"`
	Bad     []told `json:"bad"`
}

// told is a bad state.
type told struct {
	Key
	Since time.Time `json:"since"`
}

// encode returns the text of the file.
func encode(bad map[Key]time.Time) ([]byte, error) {
	f := file{Version: version, Bad: []told{}}
	for k, since := range bad {
		f.Bad = append(f.Bad, told{k, since.UTC()})
	}
	slices.SortFunc(f.Bad, func(a, b told) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Method, b.Method)) })
	b, err := json.MarshalIndent(&f, "", " ")
	return append(b, '\n'), err
}

// decode returns the bad states of a text.
func decode(b []byte) (map[Key]time.Time, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	switch {
	case d.More():
		return nil, errors.New("text after the end")
	case f.Version != version:
		return nil, fmt.Errorf("version %d, want %d", f.Version, version)
	}
	bad := map[Key]time.Time{}
	for _, t := range f.Bad {
		_, again := bad[t.Key]
		switch {
		case !t.isValid():
			return nil, fmt.Errorf("state %q of method %q is unknown", t.Kind, t.Method)
		case again:
			return nil, fmt.Errorf("state %q of method %q is there twice", t.Kind, t.Method)
		case t.Since.IsZero():
			return nil, fmt.Errorf("state %q of method %q has no time", t.Kind, t.Method)
		}
		bad[t.Key] = t.Since
	}
	return bad, nil
}

// isValid reports whether the machine can have the key.
func (k *Key) isValid() bool {
	switch k.Kind {
	case Spool, Disk, Events:
		return k.Method == ""
	case Queue:
		return k.Method != ""
	}
	return false
}

// read returns the states in the file of the configuration. It moves a file that it cannot read out of the
// way.
func (c *Config) read() map[Key]time.Time {
	b, err := atomicfile.Read(c.File, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return map[Key]time.Time{}
	}
	bad := map[Key]time.Time{}
	if err == nil {
		bad, err = decode(b)
	}
	if err != nil {
		err = errors.Join(err, os.Rename(c.File, c.File+Damaged))
		c.Logger.Warn("snmp: what managers were told of our own states cannot be read; the file is set aside", "file", c.File+Damaged, "err", err)
		return map[Key]time.Time{}
	}
	return bad
}
