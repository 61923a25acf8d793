//go:build partners

package debian

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/partner"
)

// Versions of the two packages: the newer one replaces the older one.
const (
	older = "0.0.0+git1.0000000"
	newer = "0.0.0+git2.0000000"
)

var built = map[string]func() (string, error){older: sync.OnceValues(builder(older)), newer: sync.OnceValues(builder(newer))}

// builder returns a function that runs "make deb", with one version, and returns the package.
func builder(version string) func() (string, error) {
	return func() (string, error) {
		dir, err := os.MkdirTemp(packages, "")
		if err != nil {
			return "", err
		}
		cmd := exec.Command("make", "deb", "DEB_DIR="+dir, "DEB_VERSION="+version, "VERSION=")
		cmd.Dir = "../.."
		if version == older {
			if cmd.Dir, err = previousSources(); err != nil {
				return "", err
			}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("make deb: %w: %s", err, out)
		}
		found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
		if err != nil || len(found) != 1 {
			return "", fmt.Errorf("make deb made %q, %w", found, err)
		}
		return found[0], nil
	}
}

// previousSources returns a folder with the sources of the commit before this one, so that an upgrade
// is one between different programs. Without git or such a commit, or if that commit cannot make a
// package, it returns the folder of these sources.
func previousSources() (string, error) {
	const these = "../.."
	archive := exec.Command("git", "archive", "--format=tar", "HEAD~1")
	archive.Dir = these
	sources, err := archive.Output()
	if err != nil {
		return these, nil
	}
	dir, err := os.MkdirTemp(packages, "")
	if err != nil {
		return "", err
	}
	extract := exec.Command("tar", "-x", "-C", dir)
	extract.Stdin = bytes.NewReader(sources)
	if out, err := extract.CombinedOutput(); err != nil {
		return "", fmt.Errorf("tar: %w: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "deploy/debian/nfpm.yaml")); err != nil {
		return these, nil
	}
	return dir, nil
}

func build(t *testing.T, version string) string {
	t.Helper()
	file, err := built[version]()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// packages is the folder of the packages.
var packages string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "aaasess-debian-")
	if err != nil {
		panic(err)
	}
	packages = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// member is a file in a package.
type member struct {
	tar.Header
	text []byte
}

// open returns the members of a package by their names: "control/NAME" for those of the control
// archive, "/NAME" for the files.
func open(t *testing.T, file string) map[string]member {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	var order []string
	rest, ok := bytes.CutPrefix(b, []byte("!<arch>\n"))
	for ok && len(rest) >= 60 {
		name := strings.TrimRight(string(rest[:16]), " /")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil || 60+size > len(rest) {
			t.Fatalf("%s: part %q has size %q", file, name, rest[48:58])
		}
		order, parts[name] = append(order, name), rest[60:60+size]
		rest = rest[min(len(rest), 60+size+size%2):]
	}
	if !slices.Equal(order, []string{"debian-binary", "control.tar.gz", "data.tar.gz"}) || string(parts["debian-binary"]) != "2.0\n" {
		t.Fatalf("%s has the parts %q", file, order)
	}
	all := map[string]member{}
	unpack(t, parts["control.tar.gz"], "control", all)
	unpack(t, parts["data.tar.gz"], "", all)
	return all
}

// unpack adds the members of a compressed archive, with the folder in front of their names.
func unpack(t *testing.T, archive []byte, folder string, all map[string]member) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[folder+"/"+strings.Trim(strings.TrimPrefix(h.Name, "."), "/")] = member{*h, text}
	}
}

// limit is how long a command may take on a busy machine.
const limit = 3 * time.Minute

// special are the modes of what is not 0644 (a file) or 0755 (a folder or a program).
var special = map[string]int64{"/etc/aaasess": 0o750, "/etc/aaasess/aaasess.yaml": 0o640}

// folders are those in which the package may have files.
var folders = regexp.MustCompile(`^/(etc/aaasess/|etc/default/aaasess-hooks$|etc/logrotate\.d/aaasess$|usr/bin/aaasess$|usr/sbin/aaasessd$|usr/lib/systemd/system/aaasess\.service$|usr/lib/tmpfiles\.d/aaasess\.conf$|` +
	`usr/share/(aaasess/|doc/aaasess/|man/man[158]/aaasess|snmp/mibs/CISCO-|bash-completion/completions/aaasess$|` +
	`zsh/vendor-completions/_aaasess$|fish/vendor_completions\.d/aaasess\.fish$))`)

// TestFiles: places, owners and modes of all files; nothing is outside the package's own places.
func TestFiles(t *testing.T) {
	all := open(t, build(t, newer))
	for name, m := range all {
		if strings.HasPrefix(name, "control/") {
			continue
		}
		if m.Uid != 0 || m.Gid != 0 || m.Uname != "root" || m.Gname != "root" {
			t.Errorf("%s is owned by %s:%s (%d:%d)", name, m.Uname, m.Gname, m.Uid, m.Gid)
		}
		want := int64(0o644)
		hook := strings.HasPrefix(name, "/usr/share/aaasess/hooks/") && bytes.HasPrefix(m.text, []byte("#!"))
		if hook || m.Typeflag == tar.TypeDir || regexp.MustCompile(`^/usr/s?bin/`).MatchString(name) {
			want = 0o755
		}
		if mode, listed := special[name]; listed {
			want = mode
		}
		switch m.Typeflag {
		case tar.TypeSymlink:
			target := filepath.Join(filepath.Dir(name), m.Linkname)
			if all[target].Typeflag != tar.TypeReg || filepath.IsAbs(m.Linkname) {
				t.Errorf("%s is a link to %s", name, m.Linkname)
			}
		case tar.TypeReg, tar.TypeDir:
			if m.Mode&0o7777 != want {
				t.Errorf("%s has mode %o, want %o", name, m.Mode, want)
			}
		default:
			t.Errorf("%s has type %c", name, m.Typeflag)
		}
		if m.Typeflag != tar.TypeDir && !folders.MatchString(name) {
			t.Errorf("%s is not in a place of this package", name)
		}
	}
	for _, name := range strings.Fields(`/usr/bin/aaasess /usr/sbin/aaasessd /etc/aaasess/aaasess.yaml /etc/logrotate.d/aaasess
		/usr/share/man/man1/aaasess.1.gz /usr/share/man/man5/aaasess.yaml.5.gz /usr/share/man/man8/aaasessd.8.gz
		/usr/share/doc/aaasess/copyright /usr/share/doc/aaasess/changelog.gz /usr/share/doc/aaasess/examples/aaasess.yaml
		/usr/share/aaasess/hooks/openvpn/report /usr/share/aaasess/hooks/openvpn/README.md
		/usr/share/doc/aaasess/examples/prometheus/aaasess.rules.yml /usr/share/doc/aaasess/examples/grafana/aaasess.json
		/usr/share/doc/aaasess/examples/snmpd.conf.d/aaasess.conf /usr/lib/systemd/system/aaasess.service`) {
		if len(all[name].text) == 0 {
			t.Errorf("%s is missing or empty", name)
		}
	}
	for name, word := range map[string]string{
		"bash-completion/completions/aaasess": "__start_aaasess", "zsh/vendor-completions/_aaasess": "#compdef aaasess", "fish/vendor_completions.d/aaasess.fish": "complete -c aaasess",
	} {
		if !bytes.Contains(all["/usr/share/"+name].text, []byte(word)) {
			t.Errorf("%s has no %q", name, word)
		}
	}
}

// TestControl: what dpkg reads. A file below /etc is a conffile, and no other.
func TestControl(t *testing.T) {
	all := open(t, build(t, newer))
	for _, line := range []string{"Package: aaasess", "Version: " + newer, "Section: net", "Depends: adduser, init-system-helpers, procps"} {
		if !strings.Contains(string(all["control/control"].text), line+"\n") {
			t.Errorf("control has no line %q:\n%s", line, all["control/control"].text)
		}
	}
	var conffiles, sums []string
	for name, m := range all {
		if m.Typeflag != tar.TypeReg || strings.HasPrefix(name, "control/") {
			continue
		}
		if strings.HasPrefix(name, "/etc/") {
			conffiles = append(conffiles, name)
		}
		sums = append(sums, fmt.Sprintf("%x  %s", md5.Sum(m.text), name[1:]))
	}
	for file, want := range map[string][]string{"conffiles": conffiles, "md5sums": sums} {
		got := strings.Split(strings.TrimSpace(string(all["control/"+file].text)), "\n")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		m := all["control/"+script]
		if m.Mode&0o777 != 0o755 || !bytes.HasPrefix(m.text, []byte("#!/bin/sh\nset -e\n")) {
			t.Errorf("%s has mode %o and begins with %.30q", script, m.Mode, m.text)
		}
	}
}

// TestCompressed: compressed files have no name and time, so that the same sources make the same
// package.
func TestCompressed(t *testing.T) {
	n := 0
	for name, m := range open(t, build(t, newer)) {
		if !strings.HasSuffix(name, ".gz") {
			continue
		}
		n++
		z, err := gzip.NewReader(bytes.NewReader(m.text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, err := io.ReadAll(z); err != nil || len(text) == 0 || z.Name != "" || !z.ModTime.IsZero() {
			t.Errorf("%s: %d octets, %v, name %q, time %v", name, len(text), err, z.Name, z.ModTime)
		}
	}
	if n != 4 {
		t.Errorf("%d compressed files", n)
	}
}

// TestMIBs: each of Cisco's modules is where snmp's tools look, and those of other owners are not.
// The tools know the names with the modules of the package alone.
func TestMIBs(t *testing.T) {
	all := open(t, build(t, newer))
	dir := t.TempDir()
	for name, m := range all {
		switch folder, file := filepath.Split(name); folder {
		case "/usr/share/aaasess/mibs/":
			if _, linked := all["/usr/share/snmp/mibs/"+file]; linked != strings.HasPrefix(file, "CISCO-") && m.Typeflag == tar.TypeReg {
				t.Errorf("%s is in /usr/share/snmp/mibs: %v", file, linked)
			}
			if err := os.WriteFile(filepath.Join(dir, file), m.text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	const want = ".1.3.6.1.4.1.9.9.150.1.1.3.1.5.13"
	got := partner.Run(t, limit, "snmptranslate", "-M", dir, "-m", "ALL", "-On", "CISCO-AAA-SESSION-MIB::casnDisconnect.13")
	if strings.TrimSpace(got) != want {
		t.Errorf("casnDisconnect.13 is %q, want %s", got, want)
	}
}
