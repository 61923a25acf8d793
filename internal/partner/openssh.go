package partner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// LoginOptions are a host on which alice logs in; see [LoginHost].
type LoginOptions struct {
	// Auth are lines of PAM that are run when the password of a login by sshd is wrong, and Session those
	// of its sessions and of su's. Sudo are those of sudo.
	Auth, Session, Sudo string
	Defaults            string // /etc/default/aaasess-hooks
	Programs            []string
}

// LoginPassword is the password of alice.
const LoginPassword = "correct horse"

// LoginHost makes a host with the users root and alice, and returns the home of alice.
func LoginHost(t testing.TB, opts LoginOptions) (n *Namespace, home string) {
	t.Helper()
	home = t.TempDir()
	for _, dir := range []string{home, filepath.Dir(home)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	hash := strings.TrimSpace(Run(t, runLimit, "openssl", "passwd", "-6", LoginPassword))
	const rest = "account required pam_unix.so\nsession required pam_unix.so\n"
	sudo := "auth sufficient pam_permit.so\naccount required pam_permit.so\n" + opts.Sudo
	return NewHost(t, HostOptions{Programs: opts.Programs, Etc: map[string]string{
		"passwd":                "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\nalice:x:12345:12345::" + home + ":/bin/bash\n",
		"group":                 "root:x:0:\nnogroup:x:65534:\nalice:x:12345:\n",
		"shadow":                "root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\nalice:" + hash + ":19000:0:99999:7:::\n",
		"nsswitch.conf":         "passwd: files\ngroup: files\nshadow: files\n",
		"default/aaasess-hooks": opts.Defaults,
		"pam.d/sshd": "auth [success=2 default=ignore] pam_unix.so\n" + opts.Auth + "auth requisite pam_deny.so\nauth required pam_permit.so\n" +
			rest + opts.Session,
		"pam.d/su":     "auth sufficient pam_permit.so\n" + rest + opts.Session,
		"pam.d/login":  "auth sufficient pam_permit.so\n" + rest + opts.Session,
		"pam.d/sudo":   sudo,
		"pam.d/sudo-i": sudo,
		"sudoers":      "root ALL=(ALL:ALL) ALL\nalice ALL=(ALL:ALL) ALL\n",
	}}), home
}

// Console returns a command that logs in as alice at its terminal, without a password. It needs no server.
func (n *Namespace) Console() []string { return n.In("login", "-f", "alice") }

// OpenSSHProc is an OpenSSH server with PAM.
type OpenSSHProc struct {
	*Program
	host *Namespace
	dir  string
}

// OpenSSH starts a server at 127.0.0.1 of a [LoginHost].
func (n *Namespace) OpenSSH(home string) *OpenSSHProc {
	n.t.Helper()
	p := &OpenSSHProc{host: n, dir: n.t.TempDir()}
	for _, name := range []string{"host", "alice"} {
		Run(n.t, runLimit, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(p.dir, name))
	}
	keys := filepath.Join(home, "keys")
	Run(n.t, runLimit, "install", "-m", "644", filepath.Join(p.dir, "alice.pub"), keys)
	conf, ask := filepath.Join(p.dir, "sshd_config"), filepath.Join(p.dir, "ask")
	writeFile(n.t, conf, "Port 22\nListenAddress 127.0.0.1\nHostKey "+filepath.Join(p.dir, "host")+"\nUsePAM yes\nPasswordAuthentication yes\n"+
		"KbdInteractiveAuthentication no\nAuthorizedKeysFile "+keys+"\nStrictModes no\nPrintMotd no\nPidFile none\n")
	writeFile(n.t, ask, "#!/bin/sh\necho wrong\n")
	if err := os.Chmod(ask, 0o755); err != nil {
		n.t.Fatal(err)
	}
	p.Program = n.Program("Server listening", "/usr/sbin/sshd", "-D", "-e", "-f", conf)
	return p
}

// Login returns a command that logs in as alice with a key, and runs a command.
func (p *OpenSSHProc) Login(command ...string) []string {
	return p.ssh([]string{"-i", filepath.Join(p.dir, "alice"), "-o", "BatchMode=yes"}, command)
}

// Wrong returns a command that tries one wrong password.
func (p *OpenSSHProc) Wrong() []string {
	argv := p.ssh([]string{"-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"}, []string{"true"})
	return append([]string{"env", "SSH_ASKPASS=" + filepath.Join(p.dir, "ask"), "SSH_ASKPASS_REQUIRE=force"}, argv...)
}

func (p *OpenSSHProc) ssh(options, command []string) []string {
	argv := append([]string{"ssh", "-q", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"}, options...)
	return p.host.In(append(append(argv, "alice@127.0.0.1"), command...)...)
}
