package radius

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"layeh.com/radius/dictionary"
)

const (
	maxDictionary = 16 << 20 // octets of a file; FreeRADIUS's largest has some hundred thousand
	maxLine       = 4096
	maxIncludes   = 16 // nesting depth
)

// Skipped are the lines of a file that this package does not support: data types that only
// FreeRADIUS has, numbers that are not decimal, are in a TLV or exceed one octet, values of
// undefined attributes, blocks of TLVs and of extended vendor attributes, vendors with a third
// field in their format.
type Skipped struct {
	File  string
	Lines int
	First int    // number of the first line
	Text  string // the first line
}

func (s Skipped) String() string {
	return fmt.Sprintf("%s: unsupported lines skipped: %d, the first is line %d: %s", s.File, s.Lines, s.First, s.Text)
}

// Skipped returns the skipped lines of the operator's files, by file.
func (d *Dictionary) Skipped() []Skipped { return d.skipped }

// With returns d extended by the operator's files, in FreeRADIUS's format. Their definition of a
// number overrides that of d. Using a name of d for another number is an error. Errors name file
// and line.
func (d *Dictionary) With(files ...string) (*Dictionary, error) {
	return d.read(readFile, false, files...)
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() { // reading a pipe might never end
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("is not a regular file")}
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDictionary+1))
	if err == nil && len(data) > maxDictionary {
		err = fmt.Errorf("%s: larger than %d MiB", name, maxDictionary>>20)
	}
	return data, err
}

// read is With for any source of files. ours says that the files have our column of occurrences.
func (d *Dictionary) read(open func(string) ([]byte, error), ours bool, files ...string) (*Dictionary, error) {
	out := &Dictionary{
		vendors: map[uint32]*vendor{}, names: map[string]*Definition{}, occurrences: d.occurrences, skipped: slices.Clone(d.skipped),
	}
	r := &reader{open: open, ours: ours, vendors: map[string]string{}, names: map[string]string{}, aliases: map[string]string{}, skippedIn: map[string]int{}}
	for _, part := range d.parts {
		if _, err := out.add(part); err != nil {
			return nil, err
		}
		for _, v := range part.Vendors { // so that the operator need not repeat them
			fields := []string{"VENDOR", v.Name, strconv.Itoa(v.Number)}
			if v.TypeOctets != nil {
				fields = append(fields, fmt.Sprintf("format=%d,%d", *v.TypeOctets, *v.LengthOctets))
			}
			r.parseVendor(place{}, fields)
		}
	}
	for _, file := range files {
		if err := r.parseFile(file); err != nil {
			return nil, err
		}
	}
	parser := dictionary.Parser{IgnoreIdenticalAttributes: true}
	part, err := parser.Parse(&parserInput{strings.NewReader(r.text.String())})
	if pe := (*dictionary.ParseError)(nil); errors.As(err, &pe) {
		return nil, r.places[min(pe.Line, len(r.places))-1].errorf("%w", pe.Inner)
	} else if err != nil {
		return nil, err
	}
	if name, err := out.add(part); err != nil {
		return nil, r.placeOf(name).errorf("%w", err)
	}
	if ours {
		for name, o := range r.occurrences {
			out.occurrences[out.names[name].Type] = o
		}
	}
	r.skipValues(out)
	out.skipped = append(out.skipped, r.skipped...)
	return out, nil
}

// parserInput is the text for layeh's parser.
type parserInput struct{ *strings.Reader }

func (*parserInput) Name() string { return "dictionary" }
func (*parserInput) Close() error { return nil }

// place is a line of a file.
type place struct {
	file string
	line int
}

func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{p.file, p.line}, args...)...)
}

// reader converts files and their includes to one text for layeh's parser. That parser supports
// fewer data types and flags, rejects a vendor that is defined twice, and never returns from files
// that include each other.
type reader struct {
	open    func(string) ([]byte, error)
	ours    bool
	text    strings.Builder
	places  []place // of each line in text
	reading []string

	vendors    map[string]string // number and format, by name
	names      map[string]string // name of each number
	aliases    map[string]string // first names of vendors with several names
	block      string            // vendor of the current block, or ""
	openBlocks []string          // end keywords of the open blocks that are skipped, the innermost last

	skipped     []Skipped
	skippedIn   map[string]int // index in skipped, by file
	occurrences map[string]Occurrence
}

// parseFile converts a file.
func (r *reader) parseFile(name string) error {
	if slices.Contains(r.reading, name) || len(r.reading) >= maxIncludes {
		return fmt.Errorf("%s: $INCLUDE loop, or more than %d nested files", name, maxIncludes)
	}
	data, err := r.open(name)
	if err != nil {
		return err
	}
	r.reading = append(r.reading, name)
	defer func() { r.reading = r.reading[:len(r.reading)-1] }()
	at := place{file: name}
	for line := range strings.Lines(string(data)) {
		at.line++
		if len(line) > maxLine {
			return at.errorf("line is longer than %d octets", maxLine)
		}
		text, comment, _ := strings.Cut(line, "#")
		if fields := strings.Fields(text); len(fields) > 0 {
			if err := r.parseLine(at, fields, strings.TrimSpace(comment)); err != nil {
				return err
			}
		}
	}
	if len(r.openBlocks) > 0 || r.block != "" {
		return at.errorf("a BEGIN- block is not closed")
	}
	return nil
}

// parseLine converts a line that is not empty.
func (r *reader) parseLine(at place, fields []string, comment string) error {
	fields[0] = strings.ToUpper(fields[0])
	if n := len(r.openBlocks); n > 0 {
		if fields[0] == r.openBlocks[n-1] {
			r.openBlocks = r.openBlocks[:n-1]
		} else if end := blockEnd(fields[0]); end != "" {
			r.openBlocks = append(r.openBlocks, end)
		}
		r.skipLine(at, fields)
		return nil
	}
	switch fields[0] {
	case "$INCLUDE", "$INCLUDE-":
		return r.include(at, fields)
	case "VENDOR":
		if len(fields) > 2 && !isNumber(fields[2]) {
			return at.errorf("%q is not a vendor number", fields[2])
		}
		r.parseVendor(at, fields)
	case "BEGIN-TLV":
		r.openBlocks = append(r.openBlocks, "END-TLV")
		r.skipLine(at, fields)
	case "BEGIN-VENDOR":
		if len(fields) > 2 || len(fields) == 2 && r.vendors[fields[1]] == unsupported {
			r.openBlocks = append(r.openBlocks, "END-VENDOR")
			r.skipLine(at, fields)
			return nil
		}
		r.block = fields[len(fields)-1]
		r.emit(at, r.resolveAlias(fields))
	case "END-VENDOR":
		r.block = ""
		r.emit(at, r.resolveAlias(fields))
	case "ATTRIBUTE":
		return r.parseAttribute(at, fields, comment)
	case "VALUE":
		number := fields[len(fields)-1]
		n, err := strconv.ParseUint(number, 0, 64)
		switch {
		case len(fields) == 4 && !isNumber(number):
			return at.errorf("%q is not a number", number)
		case err == nil && n > 1<<32-1:
			r.skipLine(at, fields)
			return nil
		}
		r.emit(at, fields)
	default:
		r.emit(at, fields) // layeh's parser reports the error
	}
	return nil
}

// include converts the file of an $INCLUDE. Its name is relative to the including file.
func (r *reader) include(at place, fields []string) error {
	if len(fields) != 2 || r.block != "" {
		return at.errorf("$INCLUDE needs the name of a file, outside of blocks")
	}
	name := fields[1]
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(at.file), name)
	}
	err := r.parseFile(name)
	pe := (*fs.PathError)(nil)
	switch unread := errors.As(err, &pe) && pe.Path == name; {
	case unread && fields[0] == "$INCLUDE-" && errors.Is(err, fs.ErrNotExist):
		return nil
	case unread:
		return at.errorf("%w", err)
	}
	return err // about a line of that file
}

// blockEnd returns the keyword that ends a block, or "".
func blockEnd(keyword string) string {
	if name, ok := strings.CutPrefix(keyword, "BEGIN-"); ok {
		return "END-" + name
	}
	return ""
}

// unsupported replaces number and format of a vendor whose format layeh's parser does not support,
// such as "format=1,1,c".
const unsupported = "-"

// parseVendor converts a VENDOR line. A vendor that is already defined, by this name or another, is
// not defined again.
func (r *reader) parseVendor(at place, fields []string) {
	if len(fields) == 4 && strings.HasPrefix(fields[3], "format=") && strings.Count(fields[3], ",") > 1 {
		r.vendors[fields[1]] = unsupported
		r.skipLine(at, fields)
		return
	}
	if len(fields) >= 3 {
		number := strings.Join(fields[2:], " ")
		if r.vendors[fields[1]] == number {
			return
		}
		if first := r.names[fields[2]]; first != "" && first != fields[1] && r.vendors[fields[1]] == "" {
			r.aliases[fields[1]], r.vendors[fields[1]] = first, number
			return
		}
		r.vendors[fields[1]], r.names[fields[2]] = number, fields[1]
	}
	r.emit(at, fields)
}

// resolveAlias returns a BEGIN-VENDOR or END-VENDOR line with the vendor's first name, which the
// parser knows.
func (r *reader) resolveAlias(fields []string) []string {
	if len(fields) == 2 && r.aliases[fields[1]] != "" {
		return []string{fields[0], r.aliases[fields[1]]}
	}
	return fields
}

// parseAttribute converts an ATTRIBUTE line and keeps only the flags that the parser supports.
func (r *reader) parseAttribute(at place, fields []string, comment string) error {
	if len(fields) != 4 && len(fields) != 5 {
		r.emit(at, fields)
		return nil
	}
	kind, _, _ := strings.Cut(strings.ToLower(fields[3]), "[")
	_, known := kinds[kind]
	if n, err := strconv.ParseUint(fields[2], 10, 32); err != nil || strconv.FormatUint(n, 10) != fields[2] || !known {
		if !isNumber(fields[2]) {
			return at.errorf("%q is not an attribute number", fields[2])
		}
		r.skipLine(at, fields)
		return nil
	}
	if n, _ := strconv.Atoi(fields[2]); n > 255 && r.block == "" { // internal to FreeRADIUS, or a mistake
		r.skipLine(at, fields)
		return nil
	}
	if len(fields) == 5 {
		flags := slices.DeleteFunc(strings.Split(fields[4], ","), func(flag string) bool {
			return slices.Contains([]string{"array", "virtual", "secret", "internal"}, flag)
		})
		if fields = fields[:4]; len(flags) > 0 {
			fields = append(fields, strings.Join(flags, ","))
		}
	}
	r.emit(at, fields)
	if r.ours && r.block == "" {
		o, ok := occurrences[comment]
		if !ok {
			return at.errorf("%q is not an occurrence in Accounting-Requests, want 0, 0-1, 0-1/tag or 0+", comment)
		}
		if r.occurrences == nil {
			r.occurrences = map[string]Occurrence{}
		}
		r.occurrences[fields[1]] = o
	}
	return nil
}

// isNumber reports whether text is a number in any of FreeRADIUS's notations: 5, 0x05, 1.5.
func isNumber(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if _, err := strconv.ParseUint(part, 0, 64); err != nil {
			return false
		}
	}
	return true
}

func (r *reader) emit(at place, fields []string) {
	r.text.WriteString(strings.Join(fields, " ") + "\n")
	r.places = append(r.places, at)
}

// skipLine records a skipped line.
func (r *reader) skipLine(at place, fields []string) {
	i, ok := r.skippedIn[at.file]
	if !ok {
		i = len(r.skipped)
		r.skippedIn[at.file] = i
		r.skipped = append(r.skipped, Skipped{File: at.file})
	}
	s := &r.skipped[i]
	if s.Lines++; s.Lines == 1 || at.line < s.First {
		s.First, s.Text = at.line, strings.Join(fields, " ")
	}
}

// skipValues records the VALUE lines of undefined attributes, which have no effect.
func (r *reader) skipValues(d *Dictionary) {
	for i, line := range slices.Collect(strings.Lines(r.text.String())) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "VALUE" && d.names[fields[1]] == nil {
			r.skipLine(r.places[i], fields)
		}
	}
}

// placeOf returns the place of an attribute's definition.
func (r *reader) placeOf(name string) place {
	for i, line := range slices.Collect(strings.Lines(r.text.String())) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "ATTRIBUTE" && fields[1] == name {
			return r.places[i]
		}
	}
	return place{}
}
