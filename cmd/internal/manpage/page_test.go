package manpage

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a paragraph", "One line,\nand another.", ".PP\nOne line, and another.\n"},
		{"sentences", "One. Two is \"aaasess show\"! See RFC 2866. (Not e.g. this.)", ".PP\nOne.\nTwo is \\fBaaasess show\\fR!\nSee RFC 2866. (Not e.g. this.)\n"},
		{"two paragraphs", "One.\n\nTwo.\n", ".PP\nOne.\n.PP\nTwo.\n"},
		{"a flag", "Without --a-flag, or with -f, it-is.", ".PP\nWithout \\fB\\-\\-a\\-flag\\fR, or with -f, it-is.\n"},
		{"no flag", "a--b ---", ".PP\na--b ---\n"},
		{"what roff would read", ".SH is text\n\n'and so is \\n ~ ^", ".PP\n\\&.SH is text\n.PP\n\\&'and so is \\en \\(ti \\(ha\n"},
		{"a list", "States:\n  up        it runs\n  not up    it does not;\n            ask why", ".PP\nStates:\n.TP\n\\fBup\\fR\nit runs\n.TP\n\\fBnot up\\fR\nit does not; ask why\n"},
		{
			"a list in a list", "  STATE  one of:\n           up    runs\n           down  does\n                 not\n  NAME   name",
			".TP\n\\fBSTATE\\fR\none of:\n.RS\n.TP\n\\fBup\\fR\nruns\n.TP\n\\fBdown\\fR\ndoes not\n.RE\n.TP\n\\fBNAME\\fR\nname\n",
		},
		{"columns of their own", "  A  one\n  LONGER  two\n          more", ".TP\n\\fBA\\fR\none\n.TP\n\\fBLONGER\\fR\ntwo more\n"},
		{"lines", "First of:\n  --a B\n  $C", ".PP\nFirst of:\n.PP\n.RS 4\n.nf\n\\-\\-a B\n$C\n.fi\n.RE\n"},
	} {
		var p Page
		p.Text(tt.text)
		if diff := cmp.Diff(tt.want, p.String()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestNew(t *testing.T) {
	p := New(Title{Name: "some-daemon", Section: 8, Date: "2026-11-29", Manual: "some manual", Summary: "a non-daemon"})
	p.Section("FILES")
	p.Term(Italic("/etc/a-b"), "First.\n\nSecond.")
	p.Code("a --b '{~}'")
	want := `.\" Made from the sources by "make man": do not edit.
.TH some\-daemon 8 2026-11-29 aaasess "some manual"
.SH "NAME"
some\-daemon \- a non-daemon
.SH "FILES"
.TP
\fI/etc/a\-b\fR
First.
.RS
.PP
Second.
.RE
.PP
.RS 4
.nf
a \-\-b \(aq{\(ti}\(aq
.fi
.RE
`
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Error(diff)
	}
}

func TestCut(t *testing.T) {
	rest, below := Cut("One.\n\nSignals:\n  TERM  ends\n\nTwo:\n  a  b\n", "Signals:", "Exit codes:")
	if rest != "One.\n\nTwo:\n  a  b" || len(below) != 1 || below["Signals:"] != "  TERM  ends" {
		t.Errorf("%q, %q", rest, below)
	}
}

// tree is a command with subcommands and flags of each kind.
func tree() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "prog", Long: "Do things."}
	root.PersistentFlags().Bool("json", false, "print JSON")
	show := &cobra.Command{Use: "show", Short: "Show something"}
	thing := &cobra.Command{Use: "thing [NAME [all-of-it]]", Short: "Show a thing", Example: "  prog show thing x", Run: run}
	thing.Flags().StringP("sort", "s", "name", "sort by `ORDER`: ORDER is name or age. Reversible")
	thing.Flags().Int("limit", 0, "show at most `N` things")
	thing.Flags().Bool("secret", false, "not for users")
	_ = thing.Flags().MarkHidden("secret")
	show.AddCommand(thing)
	root.AddCommand(show, &cobra.Command{Use: "old", Hidden: true, Run: run}, &cobra.Command{Use: "drop {SEQ... | --all}", Long: "Drop things.", Run: run})
	return root
}

func treePage() string {
	root := tree()
	var p Page
	p.Section("OPTIONS")
	p.Options(root.PersistentFlags())
	p.Section("COMMANDS")
	p.Commands(Documented(root), nil, "")
	return p.String()
}

func TestCommands(t *testing.T) {
	want := `.SH "OPTIONS"
.TP
\fB\-\-json\fR
Print JSON.
.SH "COMMANDS"
.SS "drop"
\fBprog drop\fR {\fISEQ\fR... | \fB\-\-all\fR}
.PP
Drop things.
.SS "show thing"
\fBprog show thing\fR [\fIoption\fR ...] [\fINAME\fR [\fBall\-of\-it\fR]]
.PP
Show a thing.
.TP
\fB\-\-limit\fR \fIN\fR
Show at most \fIN\fR things.
.TP
\fB\-s\fR, \fB\-\-sort\fR \fIORDER\fR
Sort by \fIORDER\fR: \fIORDER\fR is name or age.
Reversible.
Default: name.
.PP
Examples:
.PP
.RS 4
.nf
prog show thing x
.fi
.RE
`
	if diff := cmp.Diff(want, treePage()); diff != "" {
		t.Error(diff)
	}
}

func TestCommandsApart(t *testing.T) {
	root := tree()
	var p Page
	isLimit := func(f *pflag.Flag) bool { return f.Name == "limit" }
	p.Commands(Documented(root), isLimit, "See --limit above.")
	if got := p.String(); strings.Contains(got, "things.\n.TP") || !strings.Contains(got, "See \\fB\\-\\-limit\\fR above.") {
		t.Error(got)
	}
}

// TestUndescribed: a command or flag that is missing is found.
func TestUndescribed(t *testing.T) {
	for name, tt := range map[string]struct {
		remove string
		want   []string
	}{
		"nothing":        {"", nil},
		"a command":      {".SS \"drop\"\n", []string{"prog drop"}},
		"a subcommand":   {".SS \"show thing\"\n", []string{"prog show thing"}},
		"a flag":         {"\\fB\\-\\-limit\\fR", []string{"prog show thing --limit"}},
		"a shorthand":    {"\\fB\\-s\\fR, ", []string{"prog show thing --sort"}},
		"a flag for all": {"\\fB\\-\\-json\\fR", []string{"prog --json"}},
	} {
		page := strings.Replace(treePage(), tt.remove, "", 1)
		if got := Undescribed(page, tree()); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
