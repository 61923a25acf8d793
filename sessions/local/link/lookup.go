package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"aaasess/sessions"
)

// ErrNotFound is returned when no interface has the name.
var ErrNotFound = errors.New("link: no interface has this name")

// Interface is an interface of this host.
type Interface struct {
	Index uint32 // ifIndex
	// Link makes it a session's own; see [sessions.Event].Link.
	Link *sessions.Link
}

// Lookup returns the interface of a name, with what it has counted so far.
func (r *Reader) Lookup(name string) (Interface, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return Interface{}, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	request, err := linkRequest(name)
	if err != nil {
		return Interface{}, err
	}
	replies, err := r.ask(request)
	switch {
	case errors.Is(err, unix.ENODEV):
		return Interface{}, fmt.Errorf("%w: %q", ErrNotFound, name)
	case err != nil:
		return Interface{}, fmt.Errorf("link: interface %q: %w", name, err)
	case len(replies) != 1:
		return Interface{}, fmt.Errorf("link: interface %q: %d messages in place of one", name, len(replies))
	}
	m, err := parseLink(replies[0].Data)
	if err != nil {
		return Interface{}, err
	}
	r.needed()
	return Interface{Index: m.IfIndex, Link: &sessions.Link{Host: r.cfg.Host, Traffic: m.Traffic}}, nil
}

// ask sends a request and returns the replies. Its socket is kept for the next request, unless it has
// failed: opening one takes longer than the request.
func (r *Reader) ask(request netlink.Message) (replies []netlink.Message, err error) {
	var conn *netlink.Conn
	select {
	case conn = <-r.idle:
	default:
		if conn, err = r.cfg.Dial(0); err != nil {
			return nil, err
		}
	}
	replies, err = conn.Execute(request)
	if err == nil || errors.Is(err, unix.ENODEV) {
		select {
		case r.idle <- conn:
			return replies, err
		default:
		}
	}
	_ = conn.Close()
	return replies, err
}

// Host identifies the boot of the host and the network namespace of this process: the numbers of
// interfaces have a meaning only there. boot is the boot id (random(4)).
func Host(boot string) (uint64, error) {
	if boot == "" {
		return 0, errors.New("link: the boot of the host is not known")
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("link: %w", err)
	}
	defer unix.Close(fd)
	namespace, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil { // Linux before 5.14
		var st unix.Stat_t
		if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
			return 0, fmt.Errorf("link: network namespace: %w", err)
		}
		namespace = st.Ino
	}
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(boot), namespace))
	return max(1, h.Sum64()), nil
}
