package link

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"aaasess/sessions"
)

// errMessage is returned when a message of the kernel cannot be decoded.
var errMessage = errors.New("link: the kernel's message cannot be decoded")

const (
	statsHeader = 12 // octets of if_stats_msg
	linkHeader  = unix.SizeofIfInfomsg
	// The counters that a session has are the first four of rtnl_link_stats64.
	usedStats = 4 * 8
)

// statsRequest asks for the counters of one interface, or of all if ifIndex is 0.
func statsRequest(ifIndex uint32) netlink.Message {
	m := netlink.Message{Header: netlink.Header{Type: unix.RTM_GETSTATS, Flags: netlink.Request}, Data: make([]byte, statsHeader)}
	if ifIndex == 0 {
		m.Header.Flags |= netlink.Dump
	}
	binary.NativeEndian.PutUint32(m.Data[4:], ifIndex)
	binary.NativeEndian.PutUint32(m.Data[8:], 1<<(unix.IFLA_STATS_LINK_64-1))
	return m
}

// linkRequest asks for the interface of a name.
func linkRequest(name string) (netlink.Message, error) {
	e := netlink.NewAttributeEncoder()
	e.String(unix.IFLA_IFNAME, name)
	attrs, err := e.Encode()
	if err != nil {
		return netlink.Message{}, fmt.Errorf("link: %w", err)
	}
	return netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request}, Data: append(make([]byte, linkHeader), attrs...),
	}, nil
}

// parseStats reads an RTM_NEWSTATS message.
func parseStats(data []byte) (s sessions.Sample, err error) {
	if len(data) < statsHeader {
		return s, errMessage
	}
	s.IfIndex = binary.NativeEndian.Uint32(data[4:])
	s.Traffic, err = parseTraffic(data[statsHeader:], unix.IFLA_STATS_LINK_64)
	return s, err
}

// linkMessage is an RTM_NEWLINK or RTM_DELLINK message.
type linkMessage struct {
	sessions.Sample
	// bridge says that it is about the interface as a port of a bridge. An interface that leaves a
	// bridge does not disappear.
	bridge bool
}

func parseLink(data []byte) (m linkMessage, err error) {
	if len(data) < linkHeader {
		return m, errMessage
	}
	m.bridge, m.IfIndex = data[0] != unix.AF_UNSPEC, binary.NativeEndian.Uint32(data[4:])
	if m.bridge {
		return m, nil
	}
	m.Traffic, err = parseTraffic(data[linkHeader:], unix.IFLA_STATS64)
	return m, err
}

// parseTraffic reads the counters in the attribute of this type. The direction is the user's.
func parseTraffic(attrs []byte, typ uint16) (t sessions.Traffic, err error) {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return t, fmt.Errorf("%w: %w", errMessage, err)
	}
	found := false
	for d.Next() {
		if d.Type() != typ {
			continue
		}
		d.Do(func(stats []byte) error {
			if len(stats) < usedStats {
				return errMessage
			}
			number := func(i int) uint64 { return binary.NativeEndian.Uint64(stats[8*i:]) }
			t, found = sessions.Traffic{number(2), number(3), number(0), number(1)}, true
			return nil
		})
	}
	if err := d.Err(); err != nil {
		return sessions.Traffic{}, fmt.Errorf("%w: %w", errMessage, err)
	}
	if !found {
		return t, errMessage
	}
	return t, nil
}
