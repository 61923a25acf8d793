package main

import (
	"flag"
	"testing"

	"aaasess/cmd/internal/manpage"
	"aaasess/internal/goldentest"
)

// manDate is when the meaning of the page last changed.
const manDate = "2026-12-01"

// manPage returns aaasessd(8).
func manPage() string {
	cmd := root()
	page := manpage.New(manpage.Title{
		Name: "aaasessd", Section: 8, Date: manDate, Manual: "aaasess manual",
		Summary: "AAA session agent: session table, CISCO-AAA-SESSION-MIB, disconnect, accounting",
	})
	commands := manpage.Documented(cmd)
	page.Section("SYNOPSIS")
	lines := []manpage.Roff{manpage.Bold("aaasessd") + " [" + manpage.Italic("option") + " ...]"}
	for _, c := range commands {
		lines = append(lines, manpage.Synopsis(c))
	}
	page.Lines(lines...)

	description, below := manpage.Cut(cmd.Long, "Signals:", "Exit codes:")
	page.Section("DESCRIPTION")
	page.Text(description)
	page.Text(`The daemon runs in the foreground and logs to the standard error. Once a NAS has its answer, the
session and its accounting records are on disk: after a crash the daemon continues with them.
"aaasess show status" says whether it is well.`)
	page.Section("OPTIONS")
	page.Options(cmd.NonInheritedFlags())
	page.Term(manpage.Bold("-h")+", "+manpage.Bold("--help"), "Print the help.")
	page.Term(manpage.Bold("-v")+", "+manpage.Bold("--version"), "Print the version and the commit.")
	page.Section("COMMANDS")
	page.Paragraph("Without a command the daemon runs.")
	page.Commands(commands, nil, "")
	page.Subsection("completion")
	page.Text(`Print a script that completes commands and options in a shell: bash, fish, powershell or zsh. See
"completion" in aaasess(1).`)
	page.Section("SIGNALS")
	page.Text(below["Signals:"])
	page.Section("EXIT STATUS")
	page.Text(below["Exit codes:"])
	return manEnd(page)
}

// manEnd adds the last sections.
func manEnd(page *manpage.Page) string {
	page.Section("ENVIRONMENT")
	page.Term(manpage.Bold("NOTIFY_SOCKET"), `systemd sets it for a service with Type=notify or notify-reload. The daemon then tells systemd when it
is ready, when it reloads and when it ends, and whether it is well: "systemctl status" shows that. At its
end it asks for the time that its Accounting-Offs need.`)
	page.Term(manpage.Bold("WATCHDOG_USEC")+", "+manpage.Bold("WATCHDOG_PID"), `systemd sets them for a service with WatchdogSec=. The daemon then tells systemd in time that it is
alive, unless one of its parts hangs. systemd then restarts it.`)
	page.Term(manpage.Bold("CREDENTIALS_DIRECTORY"), `systemd sets it for a service with LoadCredential=. A secret of the configuration may be such a
credential; see aaasess.yaml(5).`)
	page.Term(manpage.Bold("GOMEMLIMIT"), `The memory that the daemon should stay below, such as 2GiB. Above 90% of it new sessions get no
answer, so their NASes send them again; stops are always accepted. Default: no limit.`)
	page.Term(manpage.Bold("GOMAXPROCS"), "The largest number of processors that the daemon uses at the same time. Default: all.")
	page.Section("FILES")
	page.Term(manpage.Italic("/etc/aaasess/aaasess.yaml"), "The usual place of the configuration. --config names it.")
	page.Term(manpage.Italic("/var/lib/aaasess"), "The usual state folder. Only one daemon at a time can use it.")
	page.Term(manpage.Italic("/run/aaasess/aaasess.sock"), "The usual control socket, for aaasess(1).")
	page.Term(manpage.Italic("var/"), "Everything that the built-in configuration needs, in the folder where the daemon was started.")
	page.Section("SEE ALSO")
	page.Paragraph(manpage.Bold("aaasess") + "(1), " + manpage.Bold("aaasess.yaml") + "(5), " + manpage.Bold("snmpd.conf") + "(5), " +
		manpage.Bold("systemd.service") + "(5), " + manpage.Bold("sd_notify") + "(3)")
	page.Paragraph("RFC 2866 (RADIUS accounting), RFC 5176 (Disconnect-Request), RFC 2741 (AgentX), RFC 3411 to 3418 (SNMP)")
	return page.String()
}

const manFile = "../../docs/man/aaasessd.8"

var updateMan = flag.Bool("update", false, "write "+manFile)

// TestManPage: the page follows the commands. "make man" writes it.
func TestManPage(t *testing.T) {
	goldentest.Check(t, manFile, manPage(), *updateMan, "make man")
}

// TestManPageIsComplete: the page has every command and every flag.
func TestManPageIsComplete(t *testing.T) {
	for _, what := range manpage.Undescribed(manPage(), root()) {
		t.Errorf("%s is not in %s", what, manFile)
	}
}
