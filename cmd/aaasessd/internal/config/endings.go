package config

import (
	"cmp"
	"fmt"
	"net"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/sessions"
	"aaasess/sessions/local/ending"
	"aaasess/sessions/radius/dae"
)

type rawCommand struct {
	Name     nameText      `yaml:"name" required:"yes" doc:"The name that reports and disconnect.command of a client give."`
	Run      []string      `yaml:"run" required:"yes" min:"1" max:"64" doc:"The program, as an absolute path, and its arguments. No shell runs. {FIELD} stands for a value of the session, see docs/disconnect.md. A session without the value, or whose value has control characters or begins the argument with a hyphen, cannot be ended by the command."`
	User     string        `yaml:"user" required:"yes" min:"1" max:"64" doc:"Name or number of the user that the command runs as, with its primary group and no other. Another user than that of aaasessd needs capabilities, see docs/disconnect.md."`
	Timeout  time.Duration `yaml:"timeout" default:"10s" min:"100ms" max:"5m" doc:"How long the command may take. Then it is killed, with all processes that it has started, and the session is not ended."`
	NotFound int           `yaml:"not-found" default:"3" min:"1" max:"255" doc:"The exit code that says that the session is not there any more: its stop record is made. 0 says that the session ends. Any other code is a refusal."`
}

type rawOpenVPN struct {
	Name     nameText          `yaml:"name" required:"yes" doc:"The name that reports and disconnect.openvpn of a client give."`
	Address  string            `yaml:"address" required:"yes" min:"1" doc:"The path of the Unix socket, or host:port: management in OpenVPN's configuration."`
	Password strictyaml.Secret `yaml:"password" doc:"The password of the management interface. If missing, it wants none."`
	Tell     string            `yaml:"tell" default:"halt" enum:"halt restart" doc:"What the program of the user is told. halt: it stops; restart: it connects again at once."`
	Timeout  time.Duration     `yaml:"timeout" default:"5s" min:"100ms" max:"1m" doc:"How long an attempt to end a session may take."`
}

// Endings are the ways to end sessions without RFC 5176.
type Endings struct {
	Means ending.Means
	// Clients say how the sessions of clients are ended, by their names.
	Clients map[string]*sessions.Ending
}

// endings returns the ways to end sessions without RFC 5176.
func (d checker) endings(raw *rawConfig) Endings {
	out := Endings{Means: ending.Means{Commands: map[string]*ending.Command{}, OpenVPN: map[string]*ending.OpenVPN{}}, Clients: map[string]*sessions.Ending{}}
	if raw.LocalSocket != nil {
		commands, servers := d.Unique(), d.Unique()
		for i := range raw.LocalSocket.Commands {
			c, path := &raw.LocalSocket.Commands[i], fmt.Sprintf("local.commands[%d]", i)
			commands.Check(path+".name", string(c.Name), "the name of")
			out.Means.Commands[string(c.Name)] = d.command(path, c)
		}
		for i := range raw.LocalSocket.OpenVPN {
			o, path := &raw.LocalSocket.OpenVPN[i], fmt.Sprintf("local.openvpn[%d]", i)
			servers.Check(path+".name", string(o.Name), "the name of")
			out.Means.OpenVPN[string(o.Name)] = d.openVPN(path, o)
		}
	}
	for i := range raw.RADIUS.Clients {
		c := &raw.RADIUS.Clients[i]
		if how := d.clientEnding(fmt.Sprintf("radius.clients[%d].disconnect", i), &c.Disconnect, &out.Means); how != nil {
			out.Clients[string(c.Name)] = how
		}
	}
	return out
}

// command returns a command. It adds its arguments one by one, so that a fault has the place of the argument.
func (d checker) command(path string, raw *rawCommand) *ending.Command {
	c := &ending.Command{Name: string(raw.Name), User: d.commandUser(path+".user", raw.User), Timeout: raw.Timeout, NotFound: raw.NotFound}
	for i, text := range raw.Run {
		at := fmt.Sprintf("%s.run[%d]", path, i)
		a, err := ending.ParseArgument(text)
		switch {
		case err != nil:
			d.Fault(at, "%v", err)
		case i == 0 && (!strings.HasPrefix(text, "/") || a.HasField()):
			d.Fault(at, "%q is not an absolute path", text)
		}
		c.Args = append(c.Args, a)
	}
	return c
}

// commandUser returns the user that a command runs as.
func (d checker) commandUser(path, name string) *ending.User {
	if name == "" {
		return nil // reported already
	}
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		d.Fault(path, "there is no user %s on this host", name)
		return nil
	}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	if err := cmp.Or(errUID, errGID); err != nil {
		d.Fault(path, "user %s: %v", name, err)
	}
	return &ending.User{UID: uint32(uid), GID: uint32(gid)}
}

// openVPN returns a management interface.
func (d checker) openVPN(path string, raw *rawOpenVPN) *ending.OpenVPN {
	cfg := ending.OpenVPNConfig{
		Name: string(raw.Name), Network: "unix", Address: raw.Address, Password: string(raw.Password), Restart: raw.Tell == "restart", Timeout: raw.Timeout,
	}
	switch _, _, err := net.SplitHostPort(raw.Address); {
	case err == nil && !strings.Contains(raw.Address, "/"):
		if cfg.Network = "tcp"; !isHostPort(raw.Address) {
			d.Fault(path+".address", "%q is not host:port", raw.Address)
		}
	case raw.Address != "":
		cfg.Address = string(d.Resolve(strictyaml.Path(raw.Address)))
		d.checkSocket(path+".address", cfg.Address)
	}
	if strings.ContainsAny(cfg.Password, "\r\n\x00") {
		d.Fault(path+".password", "has more than one line")
	}
	return ending.NewOpenVPN(cfg)
}

// clientEnding returns how the sessions of a client are ended, nil if its NASes are asked.
func (d checker) clientEnding(path string, raw *rawClientDisconnect, means *ending.Means) *sessions.Ending {
	for _, key := range [...]struct {
		key, name, entries string
		known              bool
	}{
		{"command", string(raw.Command), "local.commands", means.Commands[string(raw.Command)] != nil},
		{"openvpn", string(raw.OpenVPN), "local.openvpn", means.OpenVPN[string(raw.OpenVPN)] != nil},
	} {
		switch {
		case key.name == "":
		case raw.Profile != dae.ProfileNone:
			d.Fault(path+"."+key.key, "needs profile: none")
		case !key.known:
			d.Fault(path+"."+key.key, "%s has no entry %s", key.entries, key.name)
		}
	}
	switch {
	case raw.Command != "" && raw.OpenVPN != "":
		d.Fault(path+".openvpn", "a client has either command or openvpn")
	case raw.Profile != dae.ProfileNone:
	case raw.Command != "":
		if c := means.Commands[string(raw.Command)]; c != nil && slices.ContainsFunc(c.Args, func(a ending.Argument) bool { return strings.Contains(a.String(), "{pid}") }) {
			d.Fault(path+".command", "command %s has {pid}, and sessions of a NAS have no process here", raw.Command)
		}
		return &sessions.Ending{Command: string(raw.Command)}
	case raw.OpenVPN != "":
		return &sessions.Ending{OpenVPN: string(raw.OpenVPN)}
	}
	return nil
}
