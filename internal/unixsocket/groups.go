package unixsocket

import (
	"net"
	"os/user"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// GroupsOf returns the groups of the client of a connection: those that its process had when it
// connected (SO_PEERGROUPS), the primary group first, and then those of its user in the system's
// database, so that a service whose process has fewer groups than its user is a member too.
func GroupsOf(conn net.Conn) []uint32 {
	p, ok := PeerOf(conn)
	if !ok {
		return nil
	}
	groups := append([]uint32{p.GID}, supplementary(conn)...)
	for _, gid := range listed(p.UID) {
		if !slices.Contains(groups, gid) {
			groups = append(groups, gid)
		}
	}
	return groups
}

// maxGroups is NGROUPS_MAX (limits.h).
const maxGroups = 65536

// supplementary returns the supplementary groups of the process at the other end. Before Linux 4.13
// there is no way to know.
func supplementary(conn net.Conn) []uint32 {
	c, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var groups []uint32
	_ = raw.Control(func(fd uintptr) {
		for room := 64; room <= maxGroups; room *= 32 {
			list := make([]uint32, room)
			size := uint32(4 * room)
			_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
				uintptr(unsafe.Pointer(unsafe.SliceData(list))), uintptr(unsafe.Pointer(&size)), 0)
			switch {
			case errno == 0:
				groups = list[:size/4]
				return
			case errno != unix.ERANGE:
				return
			}
		}
	})
	return groups
}

// listed returns the groups of a user in the system's database.
func listed(uid uint32) (groups []uint32) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(n))
		}
	}
	return groups
}
