package manpage

import (
	"fmt"
	"regexp"
	"strings"
)

// Roff is text that is already marked up and escaped.
type Roff string

// Plain returns text without markup.
func Plain(text string) Roff { return Roff(prose.Replace(text)) }

// Bold returns text to be typed as it is, such as a command. Its hyphens are those of a terminal.
func Bold(text string) Roff { return Roff(`\fB` + literal.Replace(text) + `\fR`) }

// Italic returns the name of a value.
func Italic(text string) Roff { return Roff(`\fI` + literal.Replace(text) + `\fR`) }

var (
	prose   = strings.NewReplacer(`\`, `\e`, "~", `\(ti`, "^", `\(ha`)
	literal = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`)
)

// Title is what the head and foot of a page say.
type Title struct {
	Name    string // of the page, such as aaasessd
	Section int    // of the manual
	Date    string // when the page last changed, such as 2026-11-29; never the day of the build
	Manual  string // what the page belongs to, such as "System administration"
	Summary string // one line, without a full stop
}

// Page is a manual page.
type Page struct {
	b       strings.Builder
	heading bool // the last line is a heading, after which a paragraph needs no macro
}

// New returns a page that has only its title and the section NAME.
func New(t Title) *Page {
	p := &Page{}
	p.line(`.\" Made from the sources by "make man": do not edit.`)
	p.line(fmt.Sprintf(`.TH %s %d %s aaasess "%s"`, literal.Replace(t.Name), t.Section, t.Date, t.Manual))
	p.Section("NAME")
	p.line(literal.Replace(t.Name) + ` \- ` + string(Plain(t.Summary)))
	return p
}

// String returns the page in man(7).
func (p *Page) String() string { return p.b.String() }

func (p *Page) line(text string) {
	p.b.WriteString(text + "\n")
	p.heading = strings.HasPrefix(text, ".S")
}

// paragraph begins a paragraph.
func (p *Page) paragraph() {
	if !p.heading {
		p.line(".PP")
	}
}

// Section begins a section.
func (p *Page) Section(heading string) { p.line(`.SH "` + string(Plain(heading)) + `"`) }

// Subsection begins a part of a section.
func (p *Page) Subsection(heading string) { p.line(`.SS "` + literal.Replace(heading) + `"`) }

// Paragraph adds a paragraph with markup.
func (p *Page) Paragraph(text Roff) {
	p.paragraph()
	p.line(guard(string(text)))
}

// Lines adds lines that are not joined.
func (p *Page) Lines(lines ...Roff) {
	for i, l := range lines {
		if i > 0 {
			p.line(".br")
		}
		p.line(guard(string(l)))
	}
}

// Term adds an entry of a list: a term, and below it its text.
func (p *Page) Term(term Roff, text string) {
	p.line(".TP")
	p.line(guard(string(term)))
	p.body(parse(text))
}

// Text adds a help text.
func (p *Page) Text(text string) {
	for _, b := range parse(text) {
		p.block(b)
	}
}

// Code adds lines as they are: commands, or an extract of a file.
func (p *Page) Code(text string) {
	p.paragraph()
	p.verbatim(strings.Split(strings.Trim(text, "\n"), "\n"))
}

func (p *Page) verbatim(lines []string) {
	p.line(".RS 4")
	p.line(".nf")
	for _, l := range lines {
		p.line(guard(literal.Replace(l)))
	}
	p.line(".fi")
	p.line(".RE")
}

func (p *Page) block(b block) {
	switch {
	case b.entries != nil:
		for _, e := range b.entries {
			p.line(".TP")
			p.line(guard(string(Bold(e.term))))
			p.body(e.text)
		}
	case b.lines != nil:
		p.paragraph()
		p.verbatim(b.lines)
	default:
		p.paragraph()
		p.sentences(b.paragraph, "")
	}
}

// body adds the text of an entry: what follows its first paragraph is indented with it.
func (p *Page) body(blocks []block) {
	for i, b := range blocks {
		if i == 0 && b.paragraph != "" {
			p.sentences(b.paragraph, "")
			continue
		}
		p.line(".RS")
		p.block(b)
		p.line(".RE")
	}
}

// sentenceEnd matches the space between two sentences.
var sentenceEnd = regexp.MustCompile(`([A-Za-z0-9)"][.!?]\)?) ([A-Z"])`)

// sentences adds prose, one sentence on each line, so that a changed sentence is one changed line.
// value, if not "", is the name of a value that the prose is about.
func (p *Page) sentences(text, value string) {
	for _, s := range strings.Split(sentenceEnd.ReplaceAllString(text, "$1\n$2"), "\n") {
		line := inline(s)
		if value != "" {
			line = Roff(regexp.MustCompile(`\b`+value+`\b`).ReplaceAllLiteralString(string(line), string(Italic(value))))
		}
		p.line(guard(string(line)))
	}
}

// guard keeps a line of text from being read as a macro.
func guard(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

// typed matches what a user types, within prose: a quoted command or a flag.
var typed = regexp.MustCompile(`"(aaasessd? [^"]+)"|\B--[a-z][a-z-]*\b`)

// inline returns prose in which commands and flags are bold.
func inline(text string) Roff {
	var out Roff
	at := 0
	for _, m := range typed.FindAllStringSubmatchIndex(text, -1) {
		from, to := m[0], m[1]
		out += Plain(text[at:from])
		if m[2] >= 0 {
			from, to = m[2], m[3]
		}
		out += Bold(text[from:to])
		at = m[1]
	}
	return out + Plain(text[at:])
}
