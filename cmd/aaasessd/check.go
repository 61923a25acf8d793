package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/web"
)

// check prints what is wrong with a configuration file, and with this host for a daemon that this
// user starts with it. Warnings do not make it fail.
func check(file string, out, warnings io.Writer) error {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	for _, skipped := range cfg.Dictionary.Skipped() {
		fmt.Fprintln(warnings, skipped)
	}
	for _, warning := range cfg.Warnings() {
		fmt.Fprintln(warnings, "warning:", warning)
	}
	if warning := statusPageWarning(cfg); warning != "" {
		fmt.Fprintln(warnings, "warning:", warning)
	}
	if err := errors.Join(checkFolders(cfg), checkPorts(cfg, mayBindPort), checkHTTP(cfg)); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is correct\n", file)
	return nil
}

// checkFolders returns an error for each folder that is missing and cannot be made, or cannot be
// written to.
func checkFolders(cfg *config.Config) error {
	errs := []error{checkFolder("state", cfg.State), checkSocketFolder(cfg)}
	if cfg.Local != nil {
		errs = append(errs, checkFolder("accounting.local.file", filepath.Dir(cfg.Local.File)))
	}
	return errors.Join(errs...)
}

// checkSocketFolder checks the folder of the control socket. Its parent must be there, or be made
// with the state folder.
func checkSocketFolder(cfg *config.Config) error {
	const key = "control.socket"
	dir := filepath.Dir(string(cfg.Control.Socket))
	parent := filepath.Dir(dir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(filepath.Clean(cfg.State)+"/", parent+"/") {
		if _, err := os.Stat(parent); err != nil {
			return fmt.Errorf("%s: folder %s is missing, and its parent too: %w", key, dir, err)
		}
	}
	return checkFolder(key, dir)
}

// checkFolder checks a folder that the daemon makes, with its parents, if it is missing.
func checkFolder(key, dir string) error {
	existing := filepath.Clean(dir)
	for {
		info, err := os.Stat(existing)
		if (errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)) && filepath.Dir(existing) != existing {
			existing = filepath.Dir(existing)
			continue
		}
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: existing, Err: unix.ENOTDIR}
		}
		if err == nil {
			err = unix.Access(existing, unix.W_OK|unix.X_OK)
		}
		switch {
		case err == nil:
			return nil
		case existing == filepath.Clean(dir):
			return fmt.Errorf("%s: user %d cannot write to folder %s: %w", key, os.Geteuid(), dir, err)
		default:
			return fmt.Errorf("%s: folder %s is missing, and user %d cannot make it in %s: %w", key, dir, os.Geteuid(), existing, err)
		}
	}
}

// checkPorts returns an error for each address whose port the daemon may not open.
func checkPorts(cfg *config.Config, may func(port uint16) bool) error {
	var errs []error
	each := func(key string, addresses []netip.AddrPort) {
		for _, a := range addresses {
			if !may(a.Port()) {
				errs = append(errs, fmt.Errorf("%s: user %d cannot open port %d of %s without the capability CAP_NET_BIND_SERVICE", key, os.Geteuid(), a.Port(), a.Addr()))
			}
		}
	}
	each("radius.accounting.listen", cfg.Listener.Addresses)
	if a := cfg.Authentication; a != nil {
		each("radius.authentication.listen", a.Listener.Addresses)
	}
	if h := cfg.HTTP; h != nil {
		each("http.listen", h.Listen)
	}
	if r := cfg.SNMP.Responder; r != nil {
		each("snmp.responder.listen", r.Config.Listen)
	}
	return errors.Join(errs...)
}

// checkHTTP returns what is wrong with the web configuration of the HTTP listener.
func checkHTTP(cfg *config.Config) error {
	if cfg.HTTP == nil {
		return nil
	}
	if err := web.Check(cfg.HTTP.WebConfig); err != nil {
		return fmt.Errorf("http.web-config: %w", err)
	}
	return checkStatusPage(cfg)
}

// mayBindPort reports whether this process may open a port (ip(7), ip_unprivileged_port_start).
func mayBindPort(port uint16) bool {
	first := uint64(1024)
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32); err == nil {
			first = n
		}
	}
	if port == 0 || uint64(port) >= first {
		return true
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return true // unknown
	}
	return hasCapability(string(status), unix.CAP_NET_BIND_SERVICE)
}

// hasCapability reports whether a process has a capability, by its /proc/PID/status (proc(5)).
func hasCapability(status string, number uint) bool {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "CapEff:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return err == nil && set&(1<<number) != 0
		}
	}
	return false
}
