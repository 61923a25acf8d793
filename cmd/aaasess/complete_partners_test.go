//go:build partners

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shells has, for each shell, a script that prints the completions of the command line $LINE, one a
// line. The scripts start with "aaasess" in $PATH.
var shells = map[string][]string{
	"bash": {"bash", "--norc", "-c", `
source /usr/share/bash-completion/bash_completion
source <(aaasess completion bash)
compopt() { :; } # works only while bash itself completes
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9 COMP_KEY=9
read -r -a COMP_WORDS <<<"$LINE"
[[ $LINE == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
__start_aaasess
printf '%s\n' "${COMPREPLY[@]}"`},
	// What zsh itself would do with the completions, outside of its line editor: leave out those that do not
	// begin with the word, and the descriptions.
	"zsh": {"zsh", "-f", "-c", `
autoload -U compinit && compinit -D && source <(aaasess completion zsh)
_describe() { for c in $completions; do c=${c//\\:/$'\0'}; c=${c%%:*}; [[ $c == ${words[-1]}* ]] && print -r -- ${c//$'\0'/:}; done; return 0 }
words=(${(s: :)LINE}); [[ $LINE == *' ' ]] && words+=('')
CURRENT=$#words
_aaasess`},
	"fish": {"fish", "--no-config", "-c", `aaasess completion fish | source; complete -C "$LINE"`},
}

// TestShells: real shells complete commands, flags and what the daemon has.
func TestShells(t *testing.T) {
	d := daemon(t)
	peculiar(t, d)
	bin := filepath.Dir(program(t))
	for shell, script := range shells {
		for _, tt := range []struct{ line, want string }{
			{"aaasess sh", "show"},
			{"aaasess show sess", "session sessions"},
			{"aaasess show sessions --wi", "--wide"},
			{"aaasess show sessions --sort i", "id idle input"},
			{"aaasess show session 0000000", "00000001 00000002 00000003 00000004 00000005 00000006 00000007"},
			{"aaasess disconnect 00000003 0000000", "00000001 00000002 00000004 00000005 00000006 00000007"},
			{"aaasess disconnect --user c", "carol"},
			{"aaasess disconnect --nas nas-", "nas-1 nas-2"},
			{"aaasess simulate --server ", ""},
		} {
			cmd := exec.Command(script[0], script[1:]...)
			cmd.Env = append(os.Environ(), "LINE="+tt.line, "AAASESS_SOCKET="+d.Socket, "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir())
			cmd.Stderr = t.Output()
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %q: %v", shell, tt.line, err)
			}
			var got []string
			for line := range strings.Lines(string(out)) { // without the description
				line, _, _ = strings.Cut(strings.TrimSpace(line), "\t")
				if line, _, _ = strings.Cut(line, " "); line != "" {
					got = append(got, line)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s: %q: %q, want %s", shell, tt.line, out, tt.want)
			}
		}
	}
}

// TestZsh: zsh itself accepts the script, and knows that it is for aaasess.
func TestZsh(t *testing.T) {
	cmd := exec.Command("zsh", "-f", "-c", `autoload -U compinit && compinit -D && source <(aaasess completion zsh) && print $_comps[aaasess]`)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program(t))+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "_aaasess\n" {
		t.Errorf("%v: %q", err, out)
	}
}
