package systemd

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// States of sd_notify(3), for [Notifier.Send].
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	alive    = "WATCHDOG=1"
)

const (
	// sendWait is how long Send waits for a manager that does not read its socket.
	sendWait = time.Second
	// maxStatus is the longest text of a status in octets. systemd reads 4096 octets of a message.
	maxStatus = 1024
)

// Notifier sends messages to the service manager. A nil Notifier sends none. Any goroutine may call
// its methods.
type Notifier struct {
	fd       int    // a datagram socket, never closed: the daemon has one Notifier until it ends
	manager  string // name of the manager's socket
	watchdog time.Duration
}

// New returns the Notifier for the variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. It is
// nil if there is no service manager, or none that it can reach. An error says what it ignores; the
// Notifier can be used nevertheless.
func New(getenv func(string) string) (*Notifier, error) {
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil, nil
	}
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return nil, fmt.Errorf("systemd: NOTIFY_SOCKET %q is neither a path nor an abstract socket", name)
	}
	watchdog, ignored := parseWatchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("systemd: socket: %w", err)
	}
	wait := unix.NsecToTimeval(int64(sendWait))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait); err != nil {
		return nil, errors.Join(fmt.Errorf("systemd: socket: %w", err), unix.Close(fd))
	}
	return &Notifier{fd: fd, manager: name, watchdog: watchdog}, ignored
}

// parseWatchdog returns the time within which the manager wants a sign of life; 0: none. pid is the
// process that it is meant for, "" any.
func parseWatchdog(usec, pid string) (time.Duration, error) {
	if usec == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	const longest = 1 << 53 // microseconds; more overflows a Duration
	n, err := strconv.ParseUint(usec, 10, 64)
	if err != nil || n == 0 || n > longest {
		return 0, fmt.Errorf("systemd: WATCHDOG_USEC %q is not a number of microseconds", usec)
	}
	return time.Duration(n) * time.Microsecond, nil
}

// WatchdogTime is the time within which the manager wants a sign of life; 0: it wants none.
func (n *Notifier) WatchdogTime() time.Duration {
	if n == nil {
		return 0
	}
	return n.watchdog
}

// Send sends one message with these lines, which take effect together.
func (n *Notifier) Send(lines ...string) error {
	if n == nil {
		return nil
	}
	message := []byte(strings.Join(lines, "\n"))
	// A SockaddrUnix converts the @ of an abstract socket. Sendto writes into it, so goroutines must
	// not share one.
	manager := &unix.SockaddrUnix{Name: n.manager}
	for {
		err := unix.Sendto(n.fd, message, unix.MSG_NOSIGNAL, manager)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("systemd: send %q: %w", lines[0], err)
		}
	}
}

// Reloading returns the lines that announce a reload, which [Ready] ends. Units of Type
// notify-reload need the time of the monotonic clock.
func Reloading() []string {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // fails only for unknown clocks
	return []string{"RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond))}
}

// Status returns the line for a text that systemctl status shows. Its lines are joined with "; ".
func Status(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Split(strings.TrimSpace(text), "\n"), "; "), "?")
	if len(text) > maxStatus {
		text = strings.ToValidUTF8(text[:maxStatus], "") + " ..."
	}
	return "STATUS=" + text
}

// ExtendTimeout returns the line that allows the current start, reload or stop to take this time
// from now, if the time of the unit is over before.
func ExtendTimeout(d time.Duration) string {
	return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", d.Microseconds())
}
