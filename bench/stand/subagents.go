package stand

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The subagents that can be compared, see the comment of command bench.
const (
	PeerContainer   = "container"
	PeerCanned      = "canned"
	PeerCannedYield = "canned-yield"
	PeerOurs        = "ours"
)

// Subagents are the values of the flag -peers, DefaultPeers its default.
var (
	Subagents    = []string{PeerContainer, PeerCanned, PeerCannedYield, PeerOurs}
	DefaultPeers = []string{PeerContainer, PeerCanned, PeerOurs}
)

// cannedYields is how often canned-yield yields the CPU before it blocks: as often as our subagent.
const cannedYields = "-DYIELDS=3"

// ourPackage is the subagent with this module's packages.
const ourPackage = "aaasess/bench/ourpeer"

//go:embed peers/*.c peers/*.h
var peerSources embed.FS

// BuildPeers builds the named subagents into dir and returns the program of each. The C peers need
// gcc, and container also needs libsnmp-dev.
func BuildPeers(ctx context.Context, dir string, names []string) (map[string]string, error) {
	if err := os.CopyFS(dir, peerSources); err != nil {
		return nil, fmt.Errorf("bench: peers: %w", err)
	}
	programs := make(map[string]string, len(names))
	for _, name := range names {
		program := filepath.Join(dir, name)
		if err := buildPeer(ctx, dir, name, program); err != nil {
			return nil, fmt.Errorf("bench: build %s: %w", name, err)
		}
		programs[name] = program
	}
	return programs, buildGetter(ctx, dir)
}

// Getter is the file name of the C client that times single GETs.
const Getter = "getter"

func buildGetter(ctx context.Context, dir string) error {
	err := buildWithNetSNMP(ctx, "--libs", "-O2", "-Wall", "-Wextra", "-o", filepath.Join(dir, Getter), filepath.Join(dir, "peers", "getter.c"))
	if err != nil {
		return fmt.Errorf("bench: build %s: %w", Getter, err)
	}
	return nil
}

func buildPeer(ctx context.Context, dir, name, program string) error {
	flags := []string{"-O2", "-fno-strict-aliasing", "-Wall", "-Wextra", "-o", program}
	switch name {
	case PeerOurs:
		return build(ctx, "go", "build", "-o", program, ourPackage)
	case PeerCanned:
		return build(ctx, "gcc", append(flags, filepath.Join(dir, "peers", "canned.c"))...)
	case PeerCannedYield:
		return build(ctx, "gcc", append(flags, cannedYields, filepath.Join(dir, "peers", "canned.c"))...)
	}
	return buildWithNetSNMP(ctx, "--agent-libs", append(flags, filepath.Join(dir, "peers", "container.c"))...)
}

// buildWithNetSNMP runs gcc with these arguments and the flags of net-snmp-config. libs is its
// option for the libraries.
func buildWithNetSNMP(ctx context.Context, libs string, args ...string) error {
	compile, err := netSNMPConfig(ctx, "--base-cflags")
	if err != nil {
		return err
	}
	link, err := netSNMPConfig(ctx, libs)
	if err != nil {
		return err
	}
	return build(ctx, "gcc", slices.Concat(compile, args, link)...)
}

// netSNMPConfig returns the words that net-snmp-config prints for an option.
func netSNMPConfig(ctx context.Context, what string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "net-snmp-config", what).Output()
	if err != nil {
		return nil, fmt.Errorf("net-snmp-config: %w", err)
	}
	return strings.Fields(string(out)), nil
}

func build(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
