package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"aaasess/internal/folder"
	"aaasess/internal/shortage"
	"aaasess/internal/throttle"
)

// ErrInUse is returned when another daemon listens on a socket.
var ErrInUse = errors.New("another daemon listens on it")

// maxPath is the longest path for the sun_path of a Linux unix(7) address, which ends with a zero.
const maxPath = 107

// Config describes a socket.
type Config struct {
	// Path has at most 107 octets. If its folder does not exist, it is made, with the group.
	Path string
	// Mode is who may connect.
	Mode fs.FileMode
	// Group is the group of the socket, by name or number; "" means the group of the process.
	Group string
	// Short is called, at most once a minute, when file descriptors or memory are too short to accept
	// a connection. suppressed is how often it was not called since. nil: nobody is told.
	Short func(suppressed int, err error)
}

// Socket is a listening socket and its place in the file system.
type Socket struct {
	*net.UnixListener
	path string
	info fs.FileInfo // of our socket, to recognize it

	short func(suppressed int, err error)
	line  throttle.Line
}

// acceptPause is the pause before Accept tries again.
const acceptPause = 100 * time.Millisecond

// Accept implements net.Listener. While file descriptors or memory are short it waits, so that the
// shortage ends neither the daemon nor its log.
func (s *Socket) Accept() (net.Conn, error) {
	for {
		conn, err := s.UnixListener.Accept()
		if err == nil || !isPassing(err) {
			return conn, err
		}
		if suppressed, ok := s.line.Allow(time.Now()); ok && s.short != nil {
			s.short(suppressed, err)
		}
		time.Sleep(acceptPause)
	}
}

// isPassing reports whether an error of accept(2) passes by itself.
func isPassing(err error) bool { return shortage.Is(err) || errors.Is(err, syscall.ECONNABORTED) }

// Listen opens a socket. Connections wait in its queue until Accept. It makes the folder if only that
// is missing. It holds a flock(2) on the folder while it checks the path and binds the socket, so that
// of two daemons that start at the same time one fails. The error wraps [ErrInUse] if another daemon
// listens on the socket.
func Listen(cfg Config) (*Socket, error) {
	gid, err := groupID(cfg.Group)
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", cfg.Group, err)
	}
	s, err := listen(cfg.Path, cfg.Mode, gid)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", cfg.Path, err)
	}
	s.short = cfg.Short
	return s, nil
}

// listen is Listen with a group by number; a negative gid leaves the group.
func listen(path string, mode fs.FileMode, gid int) (*Socket, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path is longer than %d octets", maxPath)
	}
	dir := filepath.Dir(path)
	made, err := folder.Make(dir)
	if made && err == nil && gid >= 0 {
		err = os.Chown(dir, -1, gid)
	}
	if err != nil {
		return nil, err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.New("another daemon is starting with it")
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := checkFree(path); err != nil {
		return nil, err
	}
	return bind(path, mode, gid)
}

// checkFree returns an error unless the path is free, or has a stale socket on which no process
// listens.
func checkFree(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return errors.New("the path exists and is not a socket")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return ErrInUse
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, syscall.EAGAIN) { // its queue is full
		return ErrInUse
	}
	return err
}

// bind opens the socket in a private folder, sets its mode and group, and moves it to path.
func bind(path string, mode fs.FileMode, gid int) (_ *Socket, err error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".s*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	inside := filepath.Join(private, "s")
	if len(inside) > maxPath {
		return nil, fmt.Errorf("the path of its folder is longer than %d octets", maxPath-len(inside)+len(filepath.Dir(path)))
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: inside, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(inside, mode)
	if err == nil && gid >= 0 {
		err = os.Chown(inside, -1, gid)
	}
	s := &Socket{UnixListener: l, path: path}
	if err == nil {
		s.info, err = os.Lstat(inside)
	}
	if err == nil {
		err = os.Rename(inside, path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return s, nil
}

// Remove deletes the socket file, if it is still ours. Call it before Close: while we listen, no
// other daemon replaces the file.
func (s *Socket) Remove() error {
	info, err := os.Lstat(s.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, s.info) {
		return nil
	}
	if err == nil {
		err = os.Remove(s.path)
	}
	return err
}

// groupID returns the id of a group by name or number, and -1 for "".
func groupID(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(n), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}
