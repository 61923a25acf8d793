package stand

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"aaasess/bench/snmpclient"
	"aaasess/internal/freeport"
)

// The responders that can be compared with ours, see the comment of command bench.
const (
	PeerInSNMPD     = "insnmpd"
	PeerInSNMPDNext = "insnmpd-next"
	PeerCannedUDP   = "cannedudp"
)

// Responders are the values of the flag -responders.
var Responders = []string{PeerInSNMPD, PeerInSNMPDNext, PeerCannedUDP, PeerOurs}

// libraryRepeats is the compiler flag that makes insnmpd-next from the source of insnmpd.
const libraryRepeats = "-DLIBRARY_REPEATS"

// HasSNMPv3 reports whether a responder serves SNMPv3.
func HasSNMPv3(name string) bool { return name != PeerCannedUDP }

// responderPackage is the responder with this module's packages.
const responderPackage = "aaasess/bench/ourresponder"

// snmpdModules are the only modules that snmpd loads. Others would cost it time for timers and
// look-ups.
const snmpdModules = "dlmod,vacm_conf,usmConf"

// BuildResponders builds the named responders into dir and returns the program of each; that of
// insnmpd is a module. The C programs need gcc and libsnmp-dev.
func BuildResponders(ctx context.Context, dir string, names []string) (map[string]string, error) {
	if err := os.CopyFS(dir, peerSources); err != nil {
		return nil, fmt.Errorf("bench: responders: %w", err)
	}
	programs := make(map[string]string, len(names))
	for _, name := range names {
		program := filepath.Join(dir, "responder-"+name)
		if err := buildResponder(ctx, dir, name, program); err != nil {
			return nil, fmt.Errorf("bench: build %s: %w", name, err)
		}
		programs[name] = program
	}
	return programs, buildGetter(ctx, dir)
}

func buildResponder(ctx context.Context, dir, name, program string) error {
	flags := []string{"-O2", "-Wall", "-Wextra", "-o", program}
	switch name {
	case PeerOurs:
		return build(ctx, "go", "build", "-o", program, responderPackage)
	case PeerCannedUDP:
		return build(ctx, "gcc", append(flags, filepath.Join(dir, "peers", "cannedudp.c"))...)
	}
	if name == PeerInSNMPDNext {
		flags = append(flags, libraryRepeats)
	}
	return buildWithNetSNMP(ctx, "--agent-libs", append(flags, "-shared", "-fPIC", filepath.Join(dir, "peers", "insnmpd.c"))...)
}

// OpenResponder starts a responder and returns once the last row is served.
func OpenResponder(ctx context.Context, h Host, name, program string, rows int) (*Stand, error) {
	dir, err := os.MkdirTemp(h.Dir, "responder-")
	if err != nil {
		return nil, err
	}
	s := &Stand{Host: h, Rows: rows}
	if s.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	s.isolate(dir)
	if err := s.startResponder(ctx, dir, name, program); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.awaitLastRow(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stand) startResponder(ctx context.Context, dir, name, program string) error {
	port, rows := fmt.Sprint(s.Port), fmt.Sprint(s.Rows)
	switch name {
	case PeerInSNMPD, PeerInSNMPDNext:
		return s.startInSNMPD(ctx, dir, program)
	case PeerOurs:
		return s.serve(ctx, program, "-port", port, "-rows", rows,
			"-engine", filepath.Join(dir, "engine"), "-password", snmpclient.SecurePassword)
	}
	return s.serve(ctx, program, "-port", port, "-rows", rows)
}

func (s *Stand) startInSNMPD(ctx context.Context, dir, module string) error {
	// Without dontLogTCPWrappersConnects snmpd logs each request.
	config := fmt.Sprintf(`agentAddress udp:127.0.0.1:%d
rocommunity public
createUser %s SHA %s AES %s
rouser %s priv
dontLogTCPWrappersConnects true
dlmod insnmpd %s
`, s.Port, snmpclient.SecureUser, snmpclient.SecurePassword, snmpclient.SecurePassword, snmpclient.SecureUser, module)
	file := filepath.Join(dir, "responder.conf") // not snmpd.conf, which snmpd overwrites with its state
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	program, err := findProgram("snmpd")
	if err != nil {
		return err
	}
	s.Env = append(s.Env, fmt.Sprintf("BENCH_ROWS=%d", s.Rows))
	return s.serve(ctx, program, "-f", "-Lo", "-C", "-c", file, "-I", snmpdModules)
}
