package local

import (
	"strings"
	"time"

	"aaasess/sessions"
)

// maxInterface is the maximum length of the name of a network interface.
const maxInterface = 15

// interfaceName checks the name of a network interface as the kernel does.
func (t *translation) interfaceName(pointer, name string) {
	if len(name) > maxInterface || name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\v\f\r") {
		t.reject(pointer, "%q is not the name of a network interface", name)
	}
}

// findInterfaces finds the interfaces that a start or update names. An interface that is not there does
// not make the report fail, because then the session would not be accounted.
func (s *Server) findInterfaces(t *translation, ev *sessions.Event) {
	if s.cfg.Interface == nil || ev.Type == sessions.Stop {
		return
	}
	if t.Interface != "" {
		if i, err := s.cfg.Interface(t.Interface); err != nil {
			s.warn(err)
		} else {
			ev.IfIndex, ev.Link = i.Index, i.Link
		}
	}
	if t.PortInterface != "" {
		if i, err := s.cfg.Interface(t.PortInterface); err != nil {
			s.warn(err)
		} else {
			ev.PortIfIndex = i.Index
		}
	}
}

// warn logs that a report names an interface that is not there.
func (s *Server) warn(err error) {
	if suppressed, ok := s.line.Allow(time.Now()); ok {
		s.cfg.Logger.Warn("a report names a network interface that cannot be found; its session has none", "suppressed", suppressed, "err", err)
	}
}
