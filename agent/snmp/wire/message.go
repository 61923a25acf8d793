package wire

// Limits of an SNMPv3 message.
const (
	MinMaxSize      = 484 // the minimum msgMaxSize (RFC 3412 section 6.2), which every engine accepts
	MaxUserNameSize = 32  // octets of msgUserName (RFC 3414 section 2.4)
)

// Message is a message whose headers are parsed. Its slices are parts of the parsed octets.
type Message struct {
	Version Version

	Community []byte // SNMPv1 and v2c: community (RFC 1901)

	// SNMPv3: msgGlobalData (RFC 3412 section 6).
	ID      int32         // msgID, 0..2^31-1
	MaxSize int32         // msgMaxSize, 484..2^31-1 octets
	Flags   uint8         // msgFlags, including reserved bits
	Model   SecurityModel // msgSecurityModel, 1..2^31-1

	// SecurityParameters is the content of msgSecurityParameters, an OCTET STRING (SNMPv3).
	SecurityParameters []byte

	// Data is the PDU with its header (SNMPv1 and v2c), the ScopedPDU SEQUENCE with its header
	// (SNMPv3), or the content of encryptedPDU (SNMPv3 with FlagPriv). With FlagPriv but without
	// FlagAuth it is either of the last two: receivers count such a message in snmpInvalidMsgs (RFC
	// 3412 section 7.2 step 5d).
	Data []byte
}

// Parse parses the headers of a message (RFC 1901 section 3, RFC 3412 section 6). SNMPv1 has the
// format of v2c and is accepted here. For an undefined version the error wraps ErrVersion, and
// Version is set. All other errors wrap ErrMalformed; Version is set if it could be read, and the
// other fields are meaningless.
func (m *Message) Parse(b []byte) error {
	*m = Message{Version: -1}
	c := cursor{rest: b}
	c.enter(tagSequence, "Message")
	v := c.int32("version", noLimit)
	if c.problem != "" {
		return c.err()
	}
	m.Version = Version(v)
	switch m.Version {
	case Version1, Version2c:
		m.Community = c.read(tagOctets, "community")
		m.Data = c.pdu("data")
	case Version3:
		m.parseV3(&c)
	default:
		return versionError(v)
	}
	return c.err()
}

// parseV3 parses the fields after msgVersion.
func (m *Message) parseV3(c *cursor) {
	global := c.sub(tagSequence, "msgGlobalData")
	m.ID = global.int32("msgID", 0)
	m.MaxSize = global.int32("msgMaxSize", MinMaxSize)
	flags := global.read(tagOctets, "msgFlags")
	if len(flags) == 1 {
		m.Flags = flags[0]
	} else {
		global.fail("msgFlags", "not of one octet")
	}
	m.Model = SecurityModel(global.int32("msgSecurityModel", 1))
	c.leave(&global, "msgGlobalData")
	m.SecurityParameters = c.read(tagOctets, "msgSecurityParameters")
	plain := m.Flags&FlagPriv == 0 || m.Flags&FlagAuth == 0 && len(c.rest) > 0 && c.rest[0] == tagSequence
	if plain {
		m.Data = c.last(tagSequence, "scopedPDU")
		return
	}
	m.Data = c.read(tagOctets, "encryptedPDU")
	c.close("Message")
}

// ScopedPDU is the ScopedPDU of SNMPv3 (RFC 3412 section 6). Its slices are parts of the parsed
// octets.
type ScopedPDU struct {
	ContextEngineID []byte
	ContextName     []byte
	PDU             []byte // with its header
}

// Parse parses a ScopedPDU. padded says that it was decrypted, so octets may follow it: DES fills
// up its last block (RFC 3414 section 8.1.1.2), and some managers do so with AES too.
func (s *ScopedPDU) Parse(b []byte, padded bool) error {
	c := cursor{rest: b}
	if padded {
		c.rest = c.read(tagSequence, "scopedPDU")
	} else {
		c.enter(tagSequence, "scopedPDU")
	}
	s.ContextEngineID = c.read(tagOctets, "contextEngineID")
	s.ContextName = c.read(tagOctets, "contextName")
	s.PDU = c.pdu("data")
	return c.err()
}

// SecurityParameters is UsmSecurityParameters (RFC 3414 section 2.4). Its slices are parts of the
// parsed octets.
type SecurityParameters struct {
	EngineID                 []byte // msgAuthoritativeEngineID, of any length; usm compares it
	Boots, Time              int32  // msgAuthoritativeEngineBoots and -Time, 0..2^31-1; seconds
	UserName                 []byte // msgUserName, 0..32 octets
	AuthenticationParameters []byte // as received, of any length; usm rejects a wrong length
	PrivacyParameters        []byte // as received, of any length
}

// Parse parses the content of msgSecurityParameters.
func (p *SecurityParameters) Parse(b []byte) error {
	c := cursor{rest: b}
	c.enter(tagSequence, "UsmSecurityParameters")
	p.EngineID = c.read(tagOctets, "msgAuthoritativeEngineID")
	p.Boots = c.int32("msgAuthoritativeEngineBoots", 0)
	p.Time = c.int32("msgAuthoritativeEngineTime", 0)
	p.UserName = c.read(tagOctets, "msgUserName")
	if len(p.UserName) > MaxUserNameSize {
		c.fail("msgUserName", "longer than 32 octets")
	}
	p.AuthenticationParameters = c.read(tagOctets, "msgAuthenticationParameters")
	p.PrivacyParameters = c.read(tagOctets, "msgPrivacyParameters")
	c.close("UsmSecurityParameters")
	return c.err()
}
