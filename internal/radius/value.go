package radius

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// format returns a value as text: text unchanged, enumerated values by name, addresses in their
// usual form, times in RFC 3339, and octets as 0x and hexadecimal digits, like every value that
// does not fit its attribute's kind. number reports that the text is a decimal number. A nil
// Definition is of kind Octets.
func (def *Definition) format(value string) (text string, number bool) {
	if def == nil {
		return hexadecimal(value), false
	}
	b := []byte(value)
	var n uint64
	switch {
	case def.Kind == Text && utf8.ValidString(value):
		return value, false
	case def.Kind == Time && len(b) == 4:
		return time.Unix(int64(binary.BigEndian.Uint32(b)), 0).UTC().Format(time.RFC3339), false
	case def.Kind == IPv4Address && len(b) == 4, def.Kind == IPv6Address && len(b) == 16:
		addr, _ := netip.AddrFromSlice(b)
		return addr.String(), false
	case def.Kind == IPv4Prefix && len(b) == 6 && b[1] <= 32:
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[2:])), int(b[1])).String(), false
	case def.Kind == IPv6Prefix && len(b) >= 2 && len(b) <= 18 && b[1] <= 128:
		var addr [16]byte
		copy(addr[:], b[2:])
		return netip.PrefixFrom(netip.AddrFrom16(addr), int(b[1])).String(), false
	case def.Kind == InterfaceID && len(b) == 8:
		return fmt.Sprintf("%x:%x:%x:%x", b[:2], b[2:4], b[4:6], b[6:]), false
	case def.Kind == Ethernet && len(b) == 6:
		return net.HardwareAddr(b).String(), false
	case def.Kind == Signed && len(b) == 4:
		return strconv.Itoa(int(int32(binary.BigEndian.Uint32(b)))), true
	case len(b) > 0 && len(b) == def.Kind.size():
		for _, octet := range b {
			n = n<<8 | uint64(octet)
		}
		if name := def.values.names[uint32(n)]; name != "" && n < 1<<32 {
			return name, false
		}
		return strconv.FormatUint(n, 10), true
	}
	return hexadecimal(value), false
}

func hexadecimal(value string) string { return fmt.Sprintf("0x%x", value) }

// size is the length of a number of this kind in octets, or 0 if the kind is not a number.
func (k Kind) size() int {
	switch k {
	case Byte:
		return 1
	case Short:
		return 2
	case Integer, Signed:
		return 4
	case Integer64:
		return 8
	}
	return 0
}

// parse returns the value that format prints as text. Its errors say what the text should be.
func (def *Definition) parse(text string) (value string, err error) {
	var b []byte
	switch def.Kind {
	case Text:
		return text, nil
	case Integer, Integer64, Byte, Short, Signed:
		return def.parseNumber(text)
	case Time:
		at, err := time.Parse(time.RFC3339, text)
		if n := at.Unix(); err != nil || n < 0 || n > 1<<32-1 {
			return "", fmt.Errorf("%q is not a time such as 2001-09-09T01:46:40Z", text)
		}
		b = binary.BigEndian.AppendUint32(nil, uint32(at.Unix()))
	case IPv4Address, IPv6Address:
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" || addr.Is4() != (def.Kind == IPv4Address) {
			return "", fmt.Errorf("%q is not an %s address", text, protocol(def.Kind == IPv4Address))
		}
		b = addr.AsSlice()
	case IPv4Prefix, IPv6Prefix:
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Addr().Is4() != (def.Kind == IPv4Prefix) || p != p.Masked() {
			return "", fmt.Errorf("%q is not an %s prefix", text, protocol(def.Kind == IPv4Prefix))
		}
		b = append([]byte{0, byte(p.Bits())}, p.Addr().AsSlice()...)
		if def.Kind == IPv6Prefix {
			b = b[:2+(p.Bits()+7)/8]
		}
	case InterfaceID:
		for group := range strings.SplitSeq(text, ":") {
			n, err := strconv.ParseUint(group, 16, 16)
			if err != nil {
				return "", fmt.Errorf("%q is not an interface id such as 0001:0203:0405:0607", text)
			}
			b = binary.BigEndian.AppendUint16(b, uint16(n))
		}
		if len(b) != 8 {
			return "", fmt.Errorf("%q is not an interface id such as 0001:0203:0405:0607", text)
		}
	case Ethernet:
		if b, err = net.ParseMAC(text); err != nil || len(b) != 6 {
			return "", fmt.Errorf("%q is not an address such as 00:00:5e:00:53:01", text)
		}
	default:
		digits, ok := strings.CutPrefix(text, "0x")
		if b, err = hex.DecodeString(digits); !ok || err != nil {
			return "", fmt.Errorf("%q is not 0x followed by hexadecimal digits", text)
		}
	}
	return string(b), nil
}

func protocol(is4 bool) string {
	if is4 {
		return "IPv4"
	}
	return "IPv6"
}

// parseNumber is parse for numbers and for names of values.
func (def *Definition) parseNumber(text string) (string, error) {
	size := def.Kind.size()
	if def.Tagged && size == 4 {
		size = 3
	}
	var n uint64
	var err error
	if v, ok := def.values.numbers[text]; ok {
		n = uint64(v)
	} else if def.Kind == Signed {
		var v int64
		v, err = strconv.ParseInt(text, 10, 32)
		n = uint64(uint32(v))
	} else {
		n, err = strconv.ParseUint(text, 10, 8*size)
	}
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && size < 8 && n>>(8*size) != 0:
		return "", fmt.Errorf("%q is too large", text)
	case err != nil && len(def.values.numbers) > 0:
		return "", fmt.Errorf("%q is neither a number nor the name of a value", text)
	case err != nil:
		return "", fmt.Errorf("%q is not a number", text)
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[8-def.Kind.size():]), nil
}

// splitTag splits the tag from a value (RFC 2868 section 3). The tag of a number is the first of
// its four octets; the returned number has four octets again. The tag of a text is its first octet
// if that is at most maxTag.
func (def *Definition) splitTag(value string) (tag byte, rest string) {
	switch {
	case def == nil || !def.Tagged || value == "":
	case def.Kind == Integer && len(value) == 4 && value[0] <= maxTag:
		return value[0], "\x00" + value[1:]
	case def.Kind == Text && value[0] <= maxTag:
		return value[0], value[1:]
	}
	return 0, value
}

// addTag adds a tag to a value. A text without a tag stays unchanged.
func (def *Definition) addTag(tag byte, value string) string {
	switch {
	case def.Tagged && def.Kind == Integer:
		return string(tag) + value[1:]
	case def.Tagged && tag != 0:
		return string(tag) + value
	}
	return value
}

// maxTag is the largest tag.
const maxTag = 0x1f

// Tag returns the tag of a tunnel attribute (RFC 2868 section 3). If the first octet is larger than
// the largest tag, there is no tag, and Tag returns 0.
func Tag(value string) byte {
	if value == "" || value[0] > maxTag {
		return 0
	}
	return value[0]
}
