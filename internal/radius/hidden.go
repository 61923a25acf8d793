package radius

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
)

// Encryption is how the values of an attribute are encrypted. All kinds depend on the shared secret
// and the Request Authenticator of an exchange, so a proxy must change each such value.
type Encryption uint8

// The kinds of encryption, with FreeRADIUS's notation in dictionaries.
const (
	Plain                  Encryption = iota
	UserPasswordEncryption            // encrypt=1: RFC 2865 section 5.2
	SaltedEncryption                  // encrypt=2: RFC 2868 section 3.5 without the tag, RFC 2548 section 2.4.2
	TaggedEncryption                  // has_tag,encrypt=2: RFC 2868 section 3.5
	AscendEncryption                  // encrypt=3: 16 octets, as Ascend did it
)

const (
	saltLen         = 2
	maxUserPassword = 128 // RFC 2865 section 5.2
)

// encryptionOf returns the Encryption for a flag of a dictionary.
func encryptionOf(flag int, tagged bool) Encryption {
	switch {
	case flag == 1:
		return UserPasswordEncryption
	case flag == 2 && tagged:
		return TaggedEncryption
	case flag == 2:
		return SaltedEncryption
	case flag == 3:
		return AscendEncryption
	}
	return Plain
}

// fits reports whether a value of n octets can be one of this kind.
func (e Encryption) fits(n int) bool {
	switch e {
	case UserPasswordEncryption:
		return n >= AuthLen && n <= maxUserPassword && n%AuthLen == 0
	case SaltedEncryption:
		return n >= saltLen+AuthLen && (n-saltLen)%AuthLen == 0
	case TaggedEncryption:
		return n >= 1+saltLen+AuthLen && (n-1-saltLen)%AuthLen == 0
	case AscendEncryption:
		return n == AuthLen
	}
	return true
}

// encryptions has the kinds of encryption of a dictionary's attributes.
type encryptions struct {
	standard [256]Encryption
	vendors  map[uint32]*[256]Encryption // those with at least one encrypted attribute
}

func (e *encryptions) set(id ID, kind Encryption) {
	if id.Vendor == 0 {
		e.standard[id.Type] = kind
		return
	}
	types := e.vendors[id.Vendor]
	if types == nil && kind == Plain {
		return
	}
	if types == nil {
		types = new([256]Encryption)
		if e.vendors == nil {
			e.vendors = map[uint32]*[256]Encryption{}
		}
		e.vendors[id.Vendor] = types
	}
	types[id.VendorType] = kind
}

// wimax is the WiMAX Forum, whose attributes have a third octet behind type and length. Its first bit
// says that the value goes on in the next one. The parser of dictionaries does not support that, so
// the types of its keys are here.
const (
	wimax          = 24757
	wimaxContinues = 0x80
)

var wimaxKeys = [256]Encryption{
	5: SaltedEncryption, 10: SaltedEncryption, 12: SaltedEncryption, 14: SaltedEncryption, 15: SaltedEncryption, 19: SaltedEncryption,
	40: SaltedEncryption, 66: SaltedEncryption, 67: SaltedEncryption, 70: SaltedEncryption, 75: SaltedEncryption, 131: SaltedEncryption,
}

// HiddenValue is where an encrypted value is in a list of attributes.
type HiddenValue struct {
	ID         ID
	Encryption Encryption
	Start, End int // offsets in the list
}

// AppendHidden appends the encrypted values in a complete attribute, which begins at offset start of
// its list. A Vendor-Specific may have several. An error of type *MalformedError means that the
// length of an encrypted value is wrong. Octets in a Vendor-Specific that are not an attribute of
// the vendor have no encrypted value.
func (d *Dictionary) AppendHidden(list []HiddenValue, attr []byte, start int) ([]HiddenValue, error) {
	t := Type(attr[0])
	if t != VendorSpecific {
		return appendHidden(list, ID{Type: t}, d.encryptions.standard[t], start+2, start+len(attr))
	}
	const vendorLen = 2 + 4
	if len(attr) < vendorLen {
		return list, nil
	}
	vendor := binary.BigEndian.Uint32(attr[2:])
	kinds, header := d.encryptions.vendors[vendor], 2
	if vendor == wimax {
		kinds, header = &wimaxKeys, 3
	}
	if kinds == nil {
		return list, nil
	}
	start += vendorLen
	for rest := attr[vendorLen:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		var err error
		id := ID{Type: VendorSpecific, Vendor: vendor, VendorType: rest[0]}
		kind := kinds[rest[0]]
		if kind != Plain && header == 3 && rest[1] >= 3 && rest[2]&wimaxContinues != 0 {
			return list, &MalformedError{VendorSpecific, "an encrypted value is in several attributes"}
		}
		if list, err = appendHidden(list, id, kind, start+header, start+int(rest[1])); err != nil {
			return list, err
		}
		start += int(rest[1])
	}
	return list, nil
}

func appendHidden(list []HiddenValue, id ID, kind Encryption, start, end int) ([]HiddenValue, error) {
	if kind == Plain {
		return list, nil
	}
	if !kind.fits(end - start) {
		return list, &MalformedError{id.Type, "the length of an encrypted value is wrong"}
	}
	return append(list, HiddenValue{id, kind, start, end}), nil
}

// Protection is what values in one exchange are encrypted with.
type Protection struct {
	Secret  Secret
	Request Authenticator // of the request, also for values in the answer
}

// Recrypter changes the encryption of values from one exchange to another. It is used for one packet,
// because salts must be unique in it (RFC 2868 section 3.5).
type Recrypter struct {
	From, To Protection
	Salt     uint16    // of the next value with a salt; it grows by one with each
	space    [128]byte // working memory, enough for secrets of usual length
}

// RandomSalt returns a salt for the first value of a packet. It is not 0.
func RandomSalt() uint16 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint16(b[:]) | 1
}

// AppendAnswer appends to b the attributes of an answer for the next hop: encrypted values are
// encrypted again, and Message-Authenticator and Proxy-State, which belong to one hop, are left out. A
// Salt of 0 becomes a random one when it is needed. An error of type *MalformedError means that the
// answer must not be passed on.
func (r *Recrypter) AppendAnswer(b, attrs []byte, names *Dictionary) ([]byte, error) {
	var space [4]HiddenValue
	for rest := attrs; len(rest) > 0; rest = rest[rest[1]:] {
		attr := rest[:rest[1]]
		switch Type(attr[0]) {
		case MessageAuthenticator, ProxyState:
			continue
		}
		hidden, err := names.AppendHidden(space[:0], attr, len(b))
		if err != nil {
			return b, err
		}
		b = append(b, attr...)
		if len(hidden) > 0 && r.Salt == 0 {
			r.Salt = RandomSalt()
		}
		for _, v := range hidden {
			if err := r.Recrypt(b, v); err != nil {
				return b, err
			}
		}
	}
	return b, nil
}

// Recrypt decrypts the value at v in attrs and encrypts it again, in place. Padding stays as it is.
// An error of type *MalformedError means that the decrypted length of a salted value is larger than
// the value; its octets are then undefined.
func (r *Recrypter) Recrypt(attrs []byte, v HiddenValue) error {
	value := attrs[v.Start:v.End]
	switch v.Encryption {
	case Plain:
	case UserPasswordEncryption:
		r.recryptBlocks(value, nil, nil)
	case AscendEncryption:
		r.recryptAscend(value)
	case TaggedEncryption:
		return r.recryptSalted(value[1:], v.ID.Type)
	default:
		return r.recryptSalted(value, v.ID.Type)
	}
	return nil
}

func (r *Recrypter) recryptSalted(value []byte, t Type) error {
	const isSalt = 0x8000 // the most significant bit is always set
	old := [saltLen]byte(value)
	binary.BigEndian.PutUint16(value, r.Salt|isSalt)
	r.Salt++
	blocks := value[saltLen:]
	if length := r.recryptBlocks(blocks, old[:], value[:saltLen]); int(length) >= len(blocks) {
		return &MalformedError{t, "cannot be decrypted"}
	}
	return nil
}

// recryptBlocks is for values whose blocks are XORed with MD5(secret + previous block), and the first
// with MD5(secret + Request Authenticator + salt). It returns the first octet of the plain text.
func (r *Recrypter) recryptBlocks(blocks, oldSalt, newSalt []byte) (first byte) {
	previousOld, previousNew := [AuthLen]byte(r.From.Request), [AuthLen]byte(r.To.Request)
	for at := 0; at < len(blocks); at += AuthLen {
		block := blocks[at : at+AuthLen]
		old := [AuthLen]byte(block)
		pad := r.pad(r.From.Secret, previousOld, oldSalt)
		subtle.XORBytes(block, block, pad[:])
		if at == 0 {
			first = block[0]
		}
		pad = r.pad(r.To.Secret, previousNew, newSalt)
		subtle.XORBytes(block, block, pad[:])
		previousOld, previousNew = old, [AuthLen]byte(block)
		oldSalt, newSalt = nil, nil
	}
	return first
}

func (r *Recrypter) pad(secret Secret, previous [AuthLen]byte, salt []byte) [AuthLen]byte {
	scratch := append(r.space[:0], secret...)
	scratch = append(scratch, previous[:]...)
	scratch = append(scratch, salt...)
	return md5.Sum(scratch)
}

// recryptAscend is for values XORed with MD5(Request Authenticator + secret).
func (r *Recrypter) recryptAscend(value []byte) {
	for _, p := range [...]*Protection{&r.From, &r.To} {
		scratch := append(append(r.space[:0], p.Request[:]...), p.Secret...)
		pad := md5.Sum(scratch)
		subtle.XORBytes(value, value, pad[:])
	}
}
