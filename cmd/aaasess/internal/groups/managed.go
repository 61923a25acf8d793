package groups

import (
	"fmt"
	"io"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
)

// ManagedRows returns a row for each server that SNMP managers have changed: what they did, the
// protocol, the name, and the address or why the change is given up.
func ManagedRows(m *api.ManagedServers) (rows [][]string) {
	for _, s := range m.Created {
		rows = append(rows, []string{"created", string(s.Protocol), s.Name, s.Address})
	}
	for _, s := range m.Destroyed {
		rows = append(rows, []string{"destroyed", string(s.Protocol), s.Name, ""})
	}
	for _, s := range m.GivenUp {
		change := "destroyed"
		if s.Created {
			change = "created"
		}
		rows = append(rows, []string{change, string(s.Protocol), s.Name, "given up: " + s.Reason})
	}
	return rows
}

// printManagedServers prints a table of the servers that managers have changed, if there are any.
func printManagedServers(w io.Writer, m *api.ManagedServers) error {
	if m.IsEmpty() {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	t := term.NewTable(w, []term.Column{{Title: "BY SNMP"}, {Title: "PROTOCOL"}, {Title: "SERVER"}, {Title: "DETAILS"}})
	for _, row := range ManagedRows(m) {
		if err := t.Row(row...); err != nil {
			return err
		}
	}
	return t.Flush()
}

// managed writes what managers have changed of a group of all servers.
func managed(s *term.Screen, group *api.ServerGroup) {
	s.Title("Changes of SNMP managers to %s", term.Quoted(group.Name))
	var rows [][]string
	for _, row := range ManagedRows(group.Managed) {
		rows = append(rows, []string{row[0], row[2], row[3]})
	}
	s.Cells([]int{11, 33, 16}, [][]string{{"Change", "Server", "Details"}}, rows)
	s.Rule("=")
}
