package local

import (
	"net/http"
	"os/user"
	"strconv"
)

// ownCommand sets the user of a command to the caller, and rejects another one: the caller may report
// nothing but its own commands.
func (s *Server) ownCommand(c *caller, t *translation) {
	name, err := s.cfg.UserName(c.uid)
	switch {
	case err != nil:
		t.fault = problem(http.StatusForbidden, "/user", "user %d of this host has no name", c.uid)
	case t.User != "" && t.User != name:
		t.fault = problem(http.StatusForbidden, "/user", "user %s may report only its own commands: see local.access in the configuration", name)
	}
	t.User = name
}

// userName returns the name of a user of this host.
func userName(uid uint32) (string, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return "", err
	}
	return u.Username, nil
}
